"""What a face model file promises: frozen dataclasses that travel inside it as ``manifest.json``.

The sister of `edge_runtime.contract`, as strict as it: an unknown field, a missing one, a wrong type or numbers that do
not fit together are a `ModelFileError`. What all models of faces promise stands in `edge_runtime.face_manifest`. (x, y)
points are pixels with pixel centres at whole numbers; left and right are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.face_manifest import FacesManifest
from edge_runtime.face_path_contract import EditMaskSpec, mask_problems, not_floats, path_problems

MAXIMUM_UNITS = 256
_MAXIMUM_GAIN = 4.0
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
    gain: float
    """What the graph gets for a wish of 1: more than 1 where a face must be pressed harder to get there surely."""
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
class FaceManifest(FacesManifest):
    """The whole promise of a face model file, with what `FacesManifest` has.

    Inputs: ``image`` (1, S, S, 3) 0..1 and ``delta`` (1, U). Outputs: ``flow`` (1, G, G, 2) in crop pixels, backward;
    ``mask`` (1, S, S, 1) 0..1; ``rgb`` (1, S, S, 3) 0..1; ``shade`` (1, C, C, 3) -1..1: how much lighter or darker
    moved pixels become.
    """

    KIND = "face"

    tier: str
    """"network", or "linear" for a file with the linear flow basis alone."""
    mask: EditMaskSpec
    units: tuple[UnitSpec, ...]
    """In the order of ``delta``."""
    expressions: tuple[ExpressionSpec, ...]

    def problems(self) -> list[str]:
        """See `FacesManifest.problems`."""
        return [
            *_graph_problems(self),
            *path_problems(self.crop, self.detector, self.landmarks, self.track),
            *mask_problems(self.mask, self.crop),
            *_unit_problems(self),
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
        if not 0.0 < unit.gain <= _MAXIMUM_GAIN:
            found.append(f"unit {unit.name!r:.40} has a gain that no wish can mean")
        if unit.measure not in MEASURES:
            found.append(f"unit {unit.name!r:.40} has the unknown measure {unit.measure!r:.40}")
        elif unit.measure and unit.measure_neutral == unit.measure_full:
            found.append(f"the measure of unit {unit.name!r:.40} has no range")
    for expression in manifest.expressions:
        if unknown := set(expression.values) - set(names):
            found.append(f"expression {expression.name!r:.40} has unknown units {sorted(unknown)!r:.80}")
    return found
