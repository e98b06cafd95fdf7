"""What a face model file promises: frozen dataclasses that travel inside it as ``manifest.json``.

The sister of `edge_runtime.contract`, as strict as it: an unknown field, a missing one, a wrong type or numbers that do
not fit together are a `ModelFileError`. A face model file carries three graphs: the expression generator is the file
itself, the detector and the landmark model are associated files (`GraphSpec.file`). (x, y) points are pixels with pixel
centres at whole numbers; left and right are the person's own.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from edge_runtime.contract import FORMAT_VERSION, TensorSpec
from edge_runtime.errors import FrontEndError, ModelFileError
from edge_runtime.strict_json import build, canonical, parse_object

FACE_FRONT_END_VERSION = 3
"""Bumped on any change of the numbers that geometry, detection, landmarks or composition give for the same input."""

MAXIMUM_SIDE = 1024
"""Longest side in pixels of any input or output of a graph; a manifest with more is refused."""
MAXIMUM_UNITS = 256
FIVE = 5
MESH_POINTS = 468
"""Points of the face mesh that `MEASURES` are made of."""
MEASURES = (
    "",
    "corner_lift",
    "lip_gap",
    "mouth_width",
    "eye_closed_left",
    "eye_closed_right",
    "eye_open",
    "brow_height",
    "brow_gap",
)
"""Names of `edge_runtime.face.measures.measure_face`; "" is a unit that landmarks cannot tell."""


@dataclass(frozen=True)
class GraphSpec:
    """A graph that rides beside the generator."""

    file: str
    """Name among the associated files."""
    graph_format: str
    """tflite or onnx."""
    sha256: str
    licence: str
    source: str
    """Where it comes from: package, version, file."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class AnchorLayer:
    """One feature map of the detector."""

    stride_px: int
    per_cell: int
    """Anchors in each cell, all at its centre."""


@dataclass(frozen=True)
class DetectorSpec:
    """A single-shot detector with centre anchors (Bazarevsky et al. 2019, BlazeFace)."""

    graph: GraphSpec
    size_px: int
    """Side of the square input."""
    input_minimum: float
    input_maximum: float
    """Range that pixel values 0..255 are mapped to."""
    boxes: str
    """Output (1, A, 4 + 2 K): centre x, y, width, height, then K key points, in input pixels from the anchor."""
    logits: str
    """Output (1, A, 1)."""
    layers: tuple[AnchorLayer, ...]
    score_threshold: float
    overlap_threshold: float
    """Boxes that overlap by more (intersection over union) are the same face and are averaged by score."""
    right_eye: int
    left_eye: int
    """Numbers of the key points that give a face its rotation."""


@dataclass(frozen=True)
class LandmarkSpec:
    """A landmark regressor on an upright square crop (Kartynnik et al. 2019, the 468-point face mesh)."""

    graph: GraphSpec
    size_px: int
    input_minimum: float
    input_maximum: float
    points: str
    """Output with 3 * count values: x, y, z in input pixels."""
    presence: str
    """Output with one value: logit of a face being there."""
    count: int
    presence_threshold: float
    """0..1."""
    box_scale: float
    """Side of the crop over the longer side of the face's box."""
    five_points: tuple[tuple[int, ...], ...]
    """Right eye's centre, left eye's centre, nose tip, right and left mouth corner: landmarks to average for each."""


@dataclass(frozen=True)
class CropSpec:
    """The aligned crop the generator sees."""

    size_px: int
    reference: tuple[tuple[float, ...], ...]
    """Where the five points of `LandmarkSpec` lie in the crop, (x, y)."""


@dataclass(frozen=True)
class SmoothingSpec:
    """A 1-euro filter over time (Casiez et al. 2012)."""

    minimum_cutoff_hz: float
    beta: float
    """Hz of cutoff gained per inter-ocular distance a second of movement."""
    derivative_cutoff_hz: float


@dataclass(frozen=True)
class TrackSpec:
    """How a face is followed through a video."""

    detect_every_frames: int
    five: SmoothingSpec
    """Of the five points, whose similarity places the edit."""
    measures: SmoothingSpec
    """Of what the face shows already, which caps the edit's strength."""
    edit_cutoff_hz: float
    """Of the graph's answers, which tremble with the picture: a first-order low-pass."""
    hold_s: float
    """A lost face keeps its edit this long, fading out."""
    overlap_threshold: float
    """A detection that overlaps a followed face by more is that face."""


@dataclass(frozen=True)
class MaskSpec:
    """How invented pixels are blended over warped ones."""

    gate_low: float
    gate_high: float
    """The graph's mask is mapped so that these become 0 and 1: a mask that is a little open everywhere stays shut."""
    feather_px: float
    """Within this distance of the crop's border the edit fades to nothing, in crop pixels."""


@dataclass(frozen=True)
class EditMaskSpec(MaskSpec):
    """The same of an edit that makes moved pixels lighter or darker too."""

    shade_feather_px: float
    """The same of what becomes lighter or darker: a skin that ends is seen more than a movement that does."""


EXPRESSION, FEATURE = "expression", "feature"
"""What a unit is of: the moment, or the person."""


@dataclass(frozen=True)
class UnitSpec:
    """One slider: a unit of the face's shape, 0 absent .. 1 full."""

    name: str
    kind: str
    """`EXPRESSION` or `FEATURE`."""
    minimum: float
    maximum: float
    """Range of the change that may be asked for."""
    description: str
    measure: str
    """What in the landmarks shows how much of it is there already (`MEASURES`)."""
    measure_neutral: float
    measure_full: float
    """That measure at 0 and at 1; both 0 without a measure."""


@dataclass(frozen=True)
class ExpressionSpec:
    """A named expression: changes of units at intensity 1."""

    name: str
    description: str
    source: str
    """Where in the literature the combination comes from."""
    values: dict[str, float]
    relax: float
    """Share of what is measured on the face already that is taken away, 0..1."""


@dataclass(frozen=True)
class FaceDataSource:
    """Something the model was trained on."""

    name: str
    licence: str
    images: int


@dataclass(frozen=True)
class FaceManifest:
    """The whole promise of a face model file."""

    kind: str
    """Always "face" here."""
    format_version: int
    front_end_version: int
    name: str
    created: str
    """ISO date and time, UTC."""
    generator: str
    """Name and version of the exporter."""
    precision: str
    licence: str
    tier: str
    """"network", or "linear" for a file with the linear flow basis alone."""
    crop: CropSpec
    detector: DetectorSpec
    landmarks: LandmarkSpec
    track: TrackSpec
    mask: EditMaskSpec
    inputs: tuple[TensorSpec, ...]
    """``image`` (1, S, S, 3) 0..1 and ``delta`` (1, U)."""
    outputs: tuple[TensorSpec, ...]
    """``flow`` (1, G, G, 2) in crop pixels, backward; ``mask`` (1, S, S, 1) 0..1; ``rgb`` (1, S, S, 3) 0..1;
    ``shade`` (1, C, C, 3) -1..1: how much lighter or darker moved pixels become."""
    units: tuple[UnitSpec, ...]
    """In the order of ``delta``."""
    expressions: tuple[ExpressionSpec, ...]
    parameters: int
    macs_per_frame: float
    training: tuple[FaceDataSource, ...]
    scores: dict[str, float]
    graph_bytes: int
    graph_sha256: str

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, the same bytes for the same promise."""
        return canonical(dataclasses.asdict(self))

    def geometry_fingerprint(self) -> str:
        """SHA-256 of what decides how a face becomes a crop: the key of cached crops in training."""
        return geometry_fingerprint(self.front_end_version, self.crop, self.detector, self.landmarks)

    @classmethod
    def from_json(cls, text: str | bytes) -> FaceManifest:
        """Parse and check a manifest.

        Raises `ModelFileError` (unknown version or kind, wrong structure, numbers that do not fit) or `FrontEndError`.
        """
        data = parse_head(text, "face")
        manifest = build(cls, data, "manifest")
        for problem in _problems(manifest):
            raise ModelFileError(f"the manifest contradicts itself: {problem}; export the model again")
        return manifest


def parse_head(text: str | bytes, kind: str) -> dict[str, Any]:
    """The manifest of a model of that ``kind`` for faces as JSON. Raises as `FaceManifest.from_json` does."""
    data = parse_object(text)
    if data.get("kind") != kind:
        raise ModelFileError(f"this is a model of kind {data.get('kind')!r:.40}; a {kind} model is needed here")
    if data.get("format_version") != FORMAT_VERSION:
        raise ModelFileError(
            f"the model file has format version {data.get('format_version')!r} and this runtime reads "
            f"{FORMAT_VERSION}; update changeling or export the model again"
        )
    if data.get("front_end_version") != FACE_FRONT_END_VERSION:
        raise FrontEndError(
            f"the model needs face front end version {data.get('front_end_version')!r} and this runtime "
            f"implements {FACE_FRONT_END_VERSION}; update changeling or export the model again"
        )
    return data


def geometry_fingerprint(version: int, crop: CropSpec, detector: DetectorSpec, landmarks: LandmarkSpec) -> str:
    """See `FaceManifest.geometry_fingerprint`; ``version`` is that of the front end."""
    parts = [dataclasses.asdict(part) for part in (crop, detector, landmarks)]
    return hashlib.sha256(canonical([version, parts]).encode()).hexdigest()


def _problems(manifest: FaceManifest) -> list[str]:
    """What in the manifest cannot be meant, each as half a sentence."""
    return [
        *_graph_problems(manifest),
        *path_problems(manifest.crop, manifest.detector, manifest.landmarks, manifest.track),
        *mask_problems(manifest.mask, manifest.crop),
        *_unit_problems(manifest),
    ]


def _graph_problems(manifest: FaceManifest) -> list[str]:
    size, units = manifest.crop.size_px, len(manifest.units)
    shapes = {tensor.name: tensor.shape for tensor in (*manifest.inputs, *manifest.outputs)}
    wanted = {"image": (1, size, size, 3), "delta": (1, units), "mask": (1, size, size, 1), "rgb": (1, size, size, 3)}
    found = [f"tensor {name} is not {list(shape)}" for name, shape in wanted.items() if shapes.get(name) != shape]
    for name, values in (("flow", 2), ("shade", 3)):
        shape = shapes.get(name, ())
        if len(shape) != 4 or shape != (1, shape[1], shape[1], values) or not 0 < shape[1] <= size:
            found.append(f"tensor {name} is not a square field of {values} values")
    return found + not_floats((*manifest.inputs, *manifest.outputs))


def not_floats(tensors: Iterable[TensorSpec]) -> list[str]:
    """Which of ``tensors`` are of another type than float32, each as half a sentence."""
    return [f"tensor {tensor.name!r:.40} is not float32" for tensor in tensors if tensor.dtype != "float32"]


def path_problems(crop: CropSpec, detector: DetectorSpec, landmarks: LandmarkSpec, track: TrackSpec) -> list[str]:
    """What in the specs that find and follow faces cannot be meant, each as half a sentence."""
    return [
        *_part_problems(detector.graph),
        *_part_problems(landmarks.graph),
        *_detector_problems(detector),
        *_landmark_problems(landmarks),
        *_crop_problems(crop),
        *_track_problems(track),
    ]


def _part_problems(graph: GraphSpec) -> list[str]:
    found = not_floats((*graph.inputs, *graph.outputs))
    if len(graph.inputs) != 1:
        found.append(f"{graph.file} has {len(graph.inputs)} inputs and not one")
    if graph.graph_format not in ("tflite", "onnx"):
        found.append(f"{graph.file} is of the unknown format {graph.graph_format!r:.20}")
    return found


def _detector_problems(spec: DetectorSpec) -> list[str]:
    found = []
    outputs = {tensor.name: tensor.shape for tensor in spec.graph.outputs}
    boxes, logits = outputs.get(spec.boxes, ()), outputs.get(spec.logits, ())
    if not 0 < spec.size_px <= MAXIMUM_SIDE or not _takes(spec.graph, spec.size_px):
        found.append("the detector's input is not what its size says")
        return found
    if any(layer.stride_px < 1 or layer.per_cell < 1 for layer in spec.layers):
        return [*found, "the detector has an anchor layer without anchors"]
    anchors = sum((-(-spec.size_px // layer.stride_px)) ** 2 * layer.per_cell for layer in spec.layers)
    if len(boxes) != 3 or boxes[:2] != (1, anchors) or logits != (1, anchors, 1) or boxes[2] < 8 or boxes[2] % 2:
        found.append("the detector's outputs do not fit its anchors")
    elif not all(0 <= number < (boxes[2] - 4) // 2 for number in (spec.right_eye, spec.left_eye)):
        found.append("the detector has no such eyes")
    if not 0.0 < spec.score_threshold < 1.0 or not 0.0 < spec.overlap_threshold < 1.0:
        found.append("the detector's thresholds are not between 0 and 1")
    return found


def _landmark_problems(spec: LandmarkSpec) -> list[str]:
    outputs = {tensor.name: tensor.shape for tensor in spec.graph.outputs}
    found = []
    if not 0 < spec.size_px <= MAXIMUM_SIDE or not _takes(spec.graph, spec.size_px):
        found.append("the landmark model's input is not what its size says")
    if _values(outputs.get(spec.points, ())) != 3 * spec.count or _values(outputs.get(spec.presence, ())) != 1:
        found.append("the landmark model's outputs do not fit the number of its points")
    groups = spec.five_points
    if len(groups) != FIVE or any(not group or not all(0 <= i < spec.count for i in group) for group in groups):
        found.append("the five points are not made of landmarks")
    if not 1.0 <= spec.box_scale <= 4.0:
        found.append("the landmark model's crop has no sensible size")
    return found


def _crop_problems(crop: CropSpec) -> list[str]:
    found = []
    if not 16 <= crop.size_px <= MAXIMUM_SIDE:
        found.append(f"a crop of {crop.size_px} pixels")
    if len(crop.reference) != FIVE or any(len(point) != 2 for point in crop.reference):
        found.append("the crop's reference is not five points")
    elif crop.reference[0] == crop.reference[1]:
        found.append("both eyes lie at the same place of the crop")
    return found


def mask_problems(mask: MaskSpec, crop: CropSpec) -> list[str]:
    """What in a mask's spec cannot be meant, as half a sentence."""
    feathers = [mask.feather_px]
    if isinstance(mask, EditMaskSpec):
        feathers.append(mask.shade_feather_px)
    if mask.gate_low < mask.gate_high and all(0.0 < feather < crop.size_px / 2 for feather in feathers):
        return []
    return ["the mask's gate or feather is upside down"]


def _track_problems(track: TrackSpec) -> list[str]:
    cutoffs = [hz for one in (track.five, track.measures) for hz in (one.minimum_cutoff_hz, one.derivative_cutoff_hz)]
    if track.detect_every_frames < 1 or min(*cutoffs, track.edit_cutoff_hz) <= 0.0:
        return ["the tracking cannot work"]
    return []


def _unit_problems(manifest: FaceManifest) -> list[str]:
    names = [unit.name for unit in manifest.units]
    found = [f"unit {unit.name!r:.40} has no range" for unit in manifest.units if not unit.minimum < unit.maximum]
    if len(set(names)) != len(names) or not 0 < len(names) <= MAXIMUM_UNITS:
        found.append("units are missing, too many or there twice")
    if any(unit.measure for unit in manifest.units) and manifest.landmarks.count != MESH_POINTS:
        found.append(f"measures are made of a mesh of {MESH_POINTS} points")
    for unit in manifest.units:
        if unit.kind not in (EXPRESSION, FEATURE):
            found.append(f"unit {unit.name!r:.40} is of the unknown kind {unit.kind!r:.40}")
        if unit.measure not in MEASURES:
            found.append(f"unit {unit.name!r:.40} has the unknown measure {unit.measure!r:.40}")
        elif unit.measure and unit.measure_neutral == unit.measure_full:
            found.append(f"the measure of unit {unit.name!r:.40} has no range")
    for expression in manifest.expressions:
        if unknown := set(expression.values) - set(names):
            found.append(f"expression {expression.name!r:.40} has unknown units {sorted(unknown)!r:.80}")
    return found


def _takes(graph: GraphSpec, size_px: int) -> bool:
    return all(tensor.shape == (1, size_px, size_px, 3) for tensor in graph.inputs)


def _values(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total if shape else 0
