"""What of an expression a swapped face has lost, told by the mesh before and after, as a wish for a face model.

A network that paints faces has learnt from rendered heads, and reads small expressions of real ones badly; the mesh
reads both alike. So the painted face is looked at again, and a face model gives back what it lacks: swapped landmarks
should lie where the photo's do, but for the shape of the other person.

Method: a linear minimum mean square error estimate (Kay 1993, chapter 12). ``before - after = RESPONSE' change + shape
+ noise``: a change of units moves the distances by `RESPONSE`, two people with one expression differ by `SHAPE`, and
the mesh trembles by `NOISE`. A photo and a frame of a video are told the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.editor import Editor
from edge_runtime.face.geometry import FloatArray, fit_similarity
from edge_runtime.face.landmarks import Face

EXPRESSIVE: Final = (
    *(33, 133, 159, 145, 362, 263, 386, 374),
    *(61, 291, 13, 14, 0, 17, 78, 308, 81, 311, 178, 402),
    *(63, 105, 66, 296, 334, 293),
)
"""Of the mesh of 468 points: corners and lids of the eyes, the lips' edges, and the brows."""
_RIGID: Final = (33, 133, 362, 263, 168, 6, 1, 2)
"""Eyes' corners and the nose, which no expression moves."""
_UPRIGHT: Final = (
    (-0.65, 0.0), (-0.35, 0.0), (0.35, 0.0), (0.65, 0.0), (0.0, 0.0), (0.0, 0.2), (0.0, 0.6), (0.0, 0.75),
)  # fmt: skip
"""Where they lie in a face that looks straight ahead, in distances between the eyes."""
_ROW: Final = {point: row for row, point in enumerate(EXPRESSIVE)}

DISTANCES: Final = ("width", "lift", "gap", "upper", "lower", "height", "brow", "brow_tilt", "brow_gap")
"""In distances between the eyes: half of the mouth's width; how far its corners lie above the lips' line; the gap
between the lips; the thickness of the upper and of the lower one; the mouth's height below the eyes; the brows' height
above them; how much higher their inner ends are; half of what lies between those. Lids are missing: the mesh hardly
sees them close."""

RESPONSE: Final[Mapping[str, tuple[float, ...]]] = {
    "smile": (0.085, 0.063, 0.006, -0.025, -0.020, -0.069, -0.003, -0.004, -0.005),
    "frown": (-0.010, -0.011, 0.004, 0.005, 0.004, 0.011, -0.001, 0.002, 0.000),
    "brow_raise": (0.001, 0.003, -0.008, 0.000, -0.001, -0.004, 0.022, 0.003, 0.003),
    "brow_lower": (0.005, -0.001, 0.010, -0.003, 0.000, 0.002, -0.038, -0.004, -0.007),
    "brow_inner": (0.000, 0.000, -0.004, 0.001, 0.000, 0.002, 0.015, 0.003, 0.001),
    "jaw_open": (-0.008, 0.035, 0.265, 0.013, 0.040, 0.000, -0.011, -0.006, 0.009),
    "pucker": (-0.024, -0.013, -0.017, 0.003, 0.000, 0.009, 0.003, -0.002, -0.001),
    "press": (0.010, 0.002, -0.033, -0.004, -0.008, -0.005, -0.001, 0.000, -0.003),
    "upper_lip": (0.036, 0.021, 0.079, 0.000, 0.006, -0.030, -0.004, 0.005, 0.003),
    "lower_lip": (0.008, 0.016, 0.069, 0.002, 0.010, -0.003, -0.001, 0.000, 0.000),
}
"""By unit: what a change of 1 adds to each of `DISTANCES`, as the mesh sees 1,839 rendered pairs of expressions
(``benchmarks/follow.py``)."""
SHAPE: Final = (0.028, 0.018, 0.048, 0.011, 0.012, 0.044, 0.037, 0.014, 0.014)
"""Standard deviation of each between two people with one expression, of 375 rendered pairs; the same measurement."""
NOISE: Final = 0.01
"""Standard deviation of what the mesh is off, in each."""
CHANGE: Final = 0.4
"""Standard deviation of what an expression lacks, of each unit."""
_LEAST: Final = 0.03
"""A change of no unit by as much is not worth a run of the graph."""


def expression_of(face: Face) -> FloatArray:
    """(N, 2) the expressive points in distances between the eyes, with place, size and tilt of the head taken out."""
    points = face.points[:, :2]
    upright = fit_similarity(points[list(_RIGID)], np.array(_UPRIGHT))
    return upright.apply(points[list(EXPRESSIVE)])


def distances(expression: FloatArray) -> NDArray[np.float64]:
    """(9,) the `DISTANCES` in what `expression_of` gives."""
    x, y = ({point: float(expression[row, axis]) for point, row in _ROW.items()} for axis in (0, 1))
    inner, outer = (y[66] + y[296]) / 2.0, (y[63] + y[293]) / 2.0
    return np.array(
        [
            (x[291] - x[61]) / 2.0,
            (y[13] + y[14] - y[61] - y[291]) / 2.0,
            y[14] - y[13],
            y[13] - y[0],
            y[17] - y[14],
            y[13],
            -(inner + outer + (y[105] + y[334]) / 2.0) / 3.0,
            outer - inner,
            (x[296] - x[66]) / 2.0,
        ]
    )


class Follower:
    """Gives a swapped face the expression that it has lost, by a face model."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        units = editor.manifest.units
        self._low = np.array([unit.minimum for unit in units], np.float32)
        self._high = np.array([unit.maximum for unit in units], np.float32)
        self._gains = np.array([unit.gain for unit in units], np.float32)
        self._weights = _weights([unit.name for unit in units])

    @property
    def name(self) -> str:
        """Of the face model."""
        return self._editor.manifest.name

    @property
    def macs_per_frame(self) -> float:
        """Of its graph."""
        return self._editor.manifest.macs_per_frame

    @property
    def digest(self) -> str:
        """SHA-256 of its graph."""
        return self._editor.manifest.graph_sha256

    def lost(self, before: Face, after: Face) -> FloatArray:
        """(U,) the change of the face model's units that ``after`` needs for the expression of ``before``.

        Nothing for a mesh that has collapsed, which tells nothing.
        """
        try:
            lacking = distances(expression_of(before)) - distances(expression_of(after))
        except ValueError:
            return self.none()
        return np.clip((self._weights @ lacking).astype(np.float32), self._low, self._high)

    def none(self) -> FloatArray:
        """(U,) a change of nothing."""
        return np.zeros_like(self._low)

    def give(self, image: NDArray[np.uint8], face: Face, change: FloatArray, opacity: float) -> None:
        """Change ``face`` in ``image`` (H, W, 3), in place, by ``change`` (U,); ``opacity`` 0..1 fades it."""
        if opacity > 0.0 and np.abs(change).max() >= _LEAST:
            self._editor.edit(image, face, (change * self._gains)[None], opacity)

    def close(self) -> None:
        """Free the interpreter."""
        self._editor.close()


def _weights(units: list[str]) -> NDArray[np.float64]:
    """(U, 9) from what distances lack to what units are to change; rows of 0 for units that they do not tell."""
    response = np.array([RESPONSE.get(unit, (0.0,) * len(DISTANCES)) for unit in units])
    spread = CHANGE**2 * response.T @ response + np.diag(np.square(SHAPE) + NOISE**2)
    return np.asarray(np.linalg.solve(spread, CHANGE**2 * response.T).T)
