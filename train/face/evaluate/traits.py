"""What a feature of a face is seen by: one number for each, of the device's own mesh and of the picture's colours.

Lengths are in inter-ocular distances (IOD) in the axes of the head, and of the mesh's own landmarks; tones are
logarithms of luminance, so that a face in the shade that becomes a tenth darker counts as one in the sun that does. The
eyes' size is that of their opening, by the judge that looks at nothing else (`train.face.evaluate.eyes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import head_axes
from train.face.evaluate.movements import eye_distance
from train.face.units import FEATURE_NAMES

Image = NDArray[np.uint8]

_LUMA: Final = (0.299, 0.587, 0.114)
_DARKEST: Final = 4.0
"""Grey levels: below, a logarithm tells noise."""
_CHEEKS: Final = ((117, 118, 101, 36, 203, 206, 207, 187, 123), (346, 347, 330, 266, 423, 426, 427, 411, 352))
_BROWS: Final = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_BEARD: Final = ((172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 364, 394, 395, 369, 396, 175, 171,
                  140, 170, 169, 135),)  # fmt: skip
"""Rings of landmarks: around the cheeks, the brows, and from the jaw's edge to below the lower lip."""
_FOREHEAD: Final = ((103, 67, 109, 10, 338, 297, 332, 333, 299, 337, 151, 108, 69, 104),)
_FOLDS: Final = ((203, 206, 216, 212, 202, 204, 210, 214, 207, 205), (423, 426, 436, 432, 422, 424, 430, 434, 427, 425))
_WIDTHS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "fullness": ((132, 361), (58, 288), (215, 435)),
    "nose": ((64, 294), (129, 358)),
    "jaw": ((172, 397), (136, 365), (150, 379)),
}
_HEIGHTS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "lips": ((0, 13), (37, 82), (267, 312), (14, 17), (87, 84), (317, 314)),
    "chin": ((17, 152), (18, 175)),
}
_GRAIN_IOD: Final = 0.03
"""Wrinkles are finer than this, and light is not."""


@dataclass(frozen=True, eq=False)
class Traits:
    """The measures of one face, by the feature that each tells of (`FEATURE_NAMES`)."""

    values: Mapping[str, float]

    def minus(self, before: Traits) -> dict[str, float]:
        """How far each lies from that of ``before``."""
        return {name: self.values[name] - before.values[name] for name in FEATURE_NAMES}


def measure_traits(image: Image, face: Face, gap_iod: float) -> Traits:
    """The traits of ``face`` in ``image`` (H, W, 3), whose lids are ``gap_iod`` apart."""
    points = face.points @ head_axes(face)
    unit = eye_distance(face)
    log_luma = np.log(np.maximum(image.astype(np.float32) @ np.array(_LUMA, np.float32), _DARKEST))
    cheeks = _mean(log_luma, _ring_mask(image, face, _CHEEKS))
    lengths = {
        name: float(np.mean([np.linalg.norm(points[a] - points[b]) for a, b in pairs])) / unit
        for name, pairs in (*_WIDTHS.items(), *_HEIGHTS.items())
    }
    skin = _ring_mask(image, face, (*_FOREHEAD, *_FOLDS))
    return Traits(
        {
            **lengths,
            "eyes": gap_iod,
            "brows": cheeks - _mean(log_luma, _ring_mask(image, face, _BROWS)),
            "beard": cheeks - _mean(log_luma, _ring_mask(image, face, _BEARD)),
            "skin_tone": -cheeks,
            "age": _mean(_grain(log_luma, _GRAIN_IOD * unit), skin),
        }
    )


def _grain(log_luma: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """How much each pixel differs from those around it: what lines and pores leave."""
    blurred = cv2.GaussianBlur(log_luma, (0, 0), max(sigma_px, 0.8))
    return np.abs(log_luma - blurred).astype(np.float32)


def _ring_mask(image: Image, face: Face, rings: tuple[tuple[int, ...], ...]) -> NDArray[np.bool_]:
    mask = np.zeros(image.shape[:2], np.uint8)
    for ring in rings:
        cv2.fillPoly(mask, [np.rint(face.points[list(ring), :2]).astype(np.int32)], 1)
    return mask.astype(bool)


def _mean(values: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else 0.0
