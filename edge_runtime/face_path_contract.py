"""What all models of faces promise alike: how a face is found, followed and cut out, and how a result is blended in.

(x, y) points are pixels with pixel centres at whole numbers; left and right are the person's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_runtime.contract import TensorSpec

MAXIMUM_SIDE = 1024
"""Longest side in pixels of any input or output of a graph; a manifest with more is refused."""
FIVE = 5


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


def _takes(graph: GraphSpec, size_px: int) -> bool:
    return all(tensor.shape == (1, size_px, size_px, 3) for tensor in graph.inputs)


def _values(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total if shape else 0
