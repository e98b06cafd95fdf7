"""What of an expression a swapped face has lost, told by the mesh before and after, as a wish for a face model.

A network that paints faces has learnt from rendered heads, and reads small expressions of real ones badly; the mesh
reads both alike. So the painted face is looked at again, and a face model gives back what it lacks: swapped landmarks
should lie where the photo's do, but for the shape of the other person.

Method: linear minimum mean square error estimates (Kay 1993, chapter 12). ``before - after = RESPONSE' change + shape
+ noise``: a change of units moves the distances by `RESPONSE`, two people with one expression differ by ``shape`` and
the mesh trembles by `NOISE`. How the painted face differs from people's mean was measured when the model was made; how
the other one does is guessed from a photo, and in a video learnt from all that was seen of it (a Kalman filter of what
is constant). A photo is told as the first frame of a video.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.editor import Editor
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import FloatArray, fit_similarity
from edge_runtime.face.landmarks import Face
from edge_runtime.face.smoothing import LowPassFilter, OneEuroFilter
from edge_runtime.face_path_contract import SmoothingSpec

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
ALIKE: Final[tuple[tuple[float, ...], ...]] = (
    (),
    (0.19,),
    (0.16, 0.04),
    (0.01, -0.68, 0.52),
    (-0.16, -0.36, 0.80, 0.84),
    (-0.50, -0.27, 0.23, 0.52, 0.63),
    (-0.13, 0.11, -0.10, 0.28, 0.11, 0.40),
    (0.47, -0.49, 0.34, 0.81, 0.50, 0.27, 0.37),
    (0.43, -0.13, 0.01, 0.05, -0.12, -0.65, -0.16, 0.17),
)
"""How these go together: the correlation of each with those before it. Fuller lips, for instance, gape more."""
NOISE: Final = 0.01
"""Standard deviation of what the mesh is off, in each."""
_MEMORY_S: Final = 5.0
"""Of a video, so many seconds tell as much of somebody's shape as one photo: a shorter expression is no other one."""
_READ_HZ: Final = 1.0
"""Of a low-pass on what landmarks tell of the painted face: on a blurred mouth they tremble more than it moves."""
_STILL: Final = SmoothingSpec(minimum_cutoff_hz=1.0, beta=1.0, derivative_cutoff_hz=1.0)
"""Of what an expression lacks."""
CHANGE: Final = 0.4
"""Standard deviation of what an expression lacks, of each unit."""
_LEAST: Final = 0.03
"""A change of no unit by as much is not worth a run of the graph."""


def expression_of(face: Face) -> FloatArray:
    """(N, 2) the expressive points in distances between the eyes, with place, size and tilt of the head taken out."""
    points = face.points[:, :2]
    upright = fit_similarity(points[list(_RIGID)], np.array(_UPRIGHT))
    return upright.apply(points[list(EXPRESSIVE)])


def read(face: Face) -> FloatArray | None:
    """(9,) the `DISTANCES` of a face; None where its mesh has collapsed."""
    try:
        return distances(expression_of(face)).astype(np.float32)
    except ValueError:
        return None


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
    """Gives swapped faces the expression that they have lost, by a face model."""

    def __init__(self, editor: Editor, painted_shape: Sequence[float] = ()) -> None:
        """``painted_shape`` as in `edge_runtime.swap_contract.SwapManifest`."""
        self._editor = editor
        units = editor.manifest.units
        self._low = np.array([unit.minimum for unit in units], np.float32)
        self._high = np.array([unit.maximum for unit in units], np.float32)
        self._gains = np.array([unit.gain for unit in units], np.float32)
        self._model = make_model([unit.name for unit in units], painted_shape)

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

    def begin(self) -> Following:
        """For a photo, or one face of a video."""
        return Following(self._model, self._low, self._high)

    def give(
        self,
        image: NDArray[np.uint8],
        face: Face,
        change: FloatArray,
        opacity: float,
        steady: Callable[[Edit], Edit] | None = None,
    ) -> None:
        """Change ``face`` in ``image`` (H, W, 3), in place, by ``change`` (U,); see `Editor.edit` for the rest."""
        if opacity > 0.0 and np.abs(change).max() >= _LEAST:
            self._editor.edit(image, face, (change * self._gains)[None], opacity, steady)


class Following:
    """What one face lacks, from moment to moment."""

    def __init__(self, model: Model, low: FloatArray, high: FloatArray) -> None:
        """``low`` and ``high`` (U,) are the range of each unit's change."""
        self._model, self._low, self._high = model, low, high
        self._looks = 0.0
        self._sum = np.zeros(len(DISTANCES))
        self._time_s = 0.0
        self._read = LowPassFilter(_READ_HZ)
        self._after: FloatArray | None = None
        self._still = OneEuroFilter(_STILL)
        self._change = np.zeros_like(low)

    def __call__(self, before: FloatArray | None, after: FloatArray | None, time_s: float = 0.0) -> FloatArray:
        """(U,) the change of units that a face needs, of which landmarks `read` ``before`` and ``after`` the swap.

        None is what they do not see: then what was last painted counts, and what was last lacking.
        """
        if after is not None:
            self._after = self._read(after, time_s)
        if before is not None and self._after is not None:
            lacking = before - self._after - self._model.painted_shape
            change = self._model.to_change @ (lacking - self._shape(lacking, time_s))
            self._change = np.clip(change.astype(np.float32), self._low, self._high)
        return self._still(self._change, time_s, 1.0)

    def _shape(self, lacking: NDArray[np.float64], time_s: float) -> NDArray[np.float64]:
        """(9,) what of all that was lacking until now is the shape of the face and no expression."""
        looks = max(0.0, time_s - self._time_s) / _MEMORY_S if self._looks else 1.0
        self._time_s = time_s
        self._looks += looks
        self._sum += looks * lacking
        certainty, between = self._model.certainty, self._model.between
        told = np.eye(len(DISTANCES)) + self._looks * certainty @ between
        return between @ np.linalg.solve(told, certainty @ self._sum)


@dataclass(frozen=True)
class Model:
    """The estimates in matrices; D distances, U units."""

    painted_shape: NDArray[np.float64]
    """(D,) what is lacking on average."""
    between: NDArray[np.float64]
    """(D, D) covariance of what is lacking between people, in one expression."""
    certainty: NDArray[np.float64]
    """(D, D) inverse covariance of what is lacking of one person, in all expressions."""
    to_change: NDArray[np.float64]
    """(U, D) from what is lacking of one person to changes of units; rows of 0 for units that nothing tells of."""


def make_model(units: Sequence[str], painted_shape: Sequence[float]) -> Model:
    """Where the painted face's shape is known, and not empty, only the other one's is left to guess."""
    response = np.array([RESPONSE.get(unit, (0.0,) * len(DISTANCES)) for unit in units])
    certainty = np.linalg.inv(CHANGE**2 * response.T @ response + NOISE**2 * np.eye(len(DISTANCES)))
    unknown = 1.0 if len(painted_shape) == 0 else 0.5
    shape = np.array(painted_shape if len(painted_shape) else (0.0,) * len(DISTANCES))
    return Model(shape, unknown * _between_people(), certainty, CHANGE**2 * response @ certainty)


def _between_people() -> NDArray[np.float64]:
    """(9, 9) covariance of what two people with one expression differ by."""
    below = np.array([[*row, *[0.0] * (len(SHAPE) - len(row))] for row in ALIKE])
    return np.asarray(np.outer(SHAPE, SHAPE) * (below + below.T + np.eye(len(SHAPE))))
