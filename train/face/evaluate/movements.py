"""What must move on a face when it is asked to, and by how much it did: arithmetic on the device's own mesh.

Lengths are in inter-ocular distances (IOD) of the face before, in the axes of its head; what the eyes' corners and the
root of the nose do is taken off, since no expression moves them. Landmark numbers are those of the 468-point mesh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray, fit_similarity
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import head_axes

Vector = NDArray[np.float64]

_ANCHORS: Final = (33, 133, 362, 263, 168, 6)
"""Corners of the eyes and the root of the nose."""
BLINK: Final = "blink"
_RIDGE: Final = 0.5
_FEWEST_PAIRS: Final = 40


@dataclass(frozen=True)
class Movement:
    """An edit whose result landmarks can tell."""

    name: str
    units: Mapping[str, float]
    """What is asked for, as keywords of `FaceConverter.controls`."""
    points: tuple[tuple[int, tuple[float, float]], ...]
    """Landmarks and the unit vector each must move along: x to the person's left, y down. None for lids, which
    `train.face.evaluate.eyes` measures."""
    text: str


def _towards(x: float, y: float, *points: int) -> tuple[tuple[int, tuple[float, float]], ...]:
    return tuple((point, (x, y)) for point in points)


MOVEMENTS: Final = (
    Movement(
        "smile", {"smile": 1.0}, (*_towards(-0.6, -0.8, 61), *_towards(0.6, -0.8, 291)), "mouth's corners up, out"
    ),
    Movement("jaw_open", {"jaw_open": 1.0}, _towards(0.0, 1.0, 14, 17, 152), "lower lip and chin down"),
    Movement("brow_raise", {"brow_raise": 1.0}, _towards(0.0, -1.0, 63, 105, 66, 296, 334, 293), "brows up"),
    Movement(BLINK, {"blink": 1.0}, (), "lids together"),
    Movement("frown", {"frown": 1.0}, _towards(0.0, 1.0, 61, 291), "mouth's corners down"),
)


@dataclass(frozen=True, eq=False)
class Look:
    """A face in a picture, as the judges see it."""

    face: Face
    """The mesh."""
    gap_iod: float
    """Between the lids, mean of both eyes (`train.face.evaluate.eyes`)."""


def moved_iod(before: Look, after: Look, movement: Movement) -> float:
    """How far the movement's landmarks went the right way, on average, in IOD; negative is the wrong way."""
    if not movement.points:
        return before.gap_iod - after.gap_iod
    axes = head_axes(before.face)
    shift = (after.face.points - before.face.points) @ axes
    shift = shift - shift[list(_ANCHORS)].mean(axis=0)
    along = [float(shift[point, :2] @ np.asarray(direction)) for point, direction in movement.points]
    return float(np.mean(along)) / eye_distance(before.face)


def eye_distance(face: Face) -> float:
    """Between the eyes' centres in the mesh's three dimensions, in pixels."""
    right, left = face.points[[33, 133]].mean(axis=0), face.points[[362, 263]].mean(axis=0)
    return max(float(np.linalg.norm(left - right)), 1e-6)


@dataclass(frozen=True)
class Reference:
    """What units move on rendered heads, as the mesh sees their true pictures."""

    per_unit: Mapping[str, tuple[float, ...]]
    """By movement: IOD for a change of 1 of each unit."""
    pairs: int

    def expected_iod(self, movement: str, delta: FloatArray) -> float:
        """What the movement would be on rendered heads for a change (U,)."""
        return float(np.asarray(self.per_unit[movement]) @ delta)


def fit_reference(deltas: Sequence[Sequence[float]], moved: Mapping[str, Sequence[float]]) -> Reference | None:
    """Least squares over rendered pairs: changes (N, U) and by movement how far its landmarks went (N).

    Pairs change several units at once, so what each does alone is a regression; None with too few pairs for one.
    """
    if len(deltas) < _FEWEST_PAIRS:
        return None
    changes = np.asarray(deltas, np.float64)
    gram = changes.T @ changes + _RIDGE * np.eye(changes.shape[1])
    solved = {name: np.linalg.solve(gram, changes.T @ np.asarray(values)) for name, values in moved.items()}
    return Reference({name: tuple(values.tolist()) for name, values in solved.items()}, len(deltas))


def jitter_iod(meshes: Sequence[FloatArray]) -> float:
    """How much a mesh trembles from frame to frame: meshes (T, N, 2 or 3) of consecutive frames, T >= 3.

    Every mesh is laid on the first by a similarity, which takes the head's own motion away; what is left is the mean
    length of the second difference over time, in IOD. Slow expressions have hardly any of it.
    """
    first = np.asarray(meshes[0][:, :2], np.float64)
    laid = np.stack([fit_similarity(mesh[:, :2], first).apply(mesh[:, :2]) for mesh in meshes]).astype(np.float64)
    eyes = laid[0][[33, 133]].mean(axis=0) - laid[0][[362, 263]].mean(axis=0)
    second = laid[2:] - 2.0 * laid[1:-1] + laid[:-2]
    return float(np.linalg.norm(second, axis=-1).mean() / max(float(np.linalg.norm(eyes)), 1e-6))
