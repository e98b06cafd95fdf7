"""All faces of a photo: the detector's answers, looked at again by the landmark model."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from edge_runtime.face.detect import Detector, covers, merge
from edge_runtime.face.landmarks import Face, Landmarker

Image = NDArray[np.uint8]

MAXIMUM_LEVELS = 4
"""Photos are searched down to eighths of their longer side."""
_SMALLEST_PIECE = 3.0
"""A photo is cut no finer than into pieces of this many times the detector's input: smaller faces are too coarse."""


class FaceFinder:
    """Detector and landmark model together; holds no state between images."""

    def __init__(self, detector: Detector, landmarker: Landmarker) -> None:
        self.detector = detector
        self.landmarker = landmarker

    def find(self, image: Image) -> list[Face]:
        """All faces of a photo (H, W, 3), from the left to the right; small ones and turned ones too.

        Raises `InputError` for what is no such photo.
        """
        check_image(image)
        spec = self.detector.spec
        found = self.detector.find(image, levels=photo_levels(image.shape, spec.size_px), turned=True)
        faces: list[Face] = []
        for detection in merge(found, spec.overlap_threshold):
            face = self.landmarker.locate(image, detection)
            if face is not None and not any(covers(other.box, face.box) for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: float(face.five[:, 0].mean()))


def photo_levels(shape: tuple[int, ...], detector_px: int) -> int:
    """How finely a photo of ``shape`` (H, W, ...) is searched (see `Detector.find`): large ones hold small faces."""
    pieces = max(shape[:2]) / (_SMALLEST_PIECE * detector_px)
    return min(1 + math.ceil(math.log2(max(pieces, 1.0))), MAXIMUM_LEVELS)


def check_image(image: Image) -> None:
    """Refuse (`InputError`) what is not (H, W, 3) uint8 with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InputError(
            f"an image must be uint8 RGB of shape (height, width, 3), and this is {image.dtype} {list(image.shape)}"
        )
