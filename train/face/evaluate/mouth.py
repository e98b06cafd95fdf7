"""Is what shows between opened lips a mouth? How dark it is, and how much of it looks like stretched lip or skin.

The mouth is cut out upright at one size for all faces. Inside the inner lips a pixel is dark, or a tooth (bright and
with little colour), or neither: a tongue counts as dark, since it lies in the mouth's shade; what is as light as the
lips and as coloured is smear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray, square_transform
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample

Image = NDArray[np.uint8]

INNER_LIPS: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
OUTER_LIPS: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
CLOSED_GAP_IOD: Final = 0.05
"""Lips nearer to each other than this (`measure_face`'s lip_gap) are closed."""
_SIZE_PX: Final = 96
_SIDE_IOD: Final = 1.4
_EDGE_PX: Final = 2
_SKIN_PX: Final = 9
"""Width of the skin around the mouth that is looked at."""
"""The lips' own edge, which is neither."""
_DARK: Final = 0.7
"""Of the lips' luminance."""
_TOOTH_BRIGHT: Final = 1.05
_TOOTH_COLOUR: Final = 0.75
"""Of the saturation of the skin around the mouth."""
_SMALLEST_PX: Final = 40
_LUMINANCE: Final = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Interior:
    """What is between the lips."""

    darkness: float
    """Median luminance inside over that of the lips."""
    smear: float
    """Share of the inside, 0..1, that is neither dark nor a tooth."""


def interior(image: Image, face: Face) -> Interior | None:
    """The inside of a mouth of ``image`` (H, W, 3); None where the lips leave nothing to look at."""
    cut, inner, outer = _mouth(image, face)
    inside = cv2.erode(_filled(inner), _square(_EDGE_PX)) > 0
    lips = (_filled(outer) > 0) & (cv2.dilate(_filled(inner), _square(_EDGE_PX)) == 0)
    around = (cv2.dilate(_filled(outer), _square(_SKIN_PX)) > 0) & (cv2.dilate(_filled(outer), _square(_EDGE_PX)) == 0)
    if inside.sum() < _SMALLEST_PX or lips.sum() < _SMALLEST_PX:
        return None
    colours = cut.astype(np.float32)
    light = colours @ _LUMINANCE
    saturation = 1.0 - colours.min(axis=2) / np.maximum(colours.max(axis=2), 1.0)
    reference = max(float(np.median(light[lips])), 1.0)
    dark = light[inside] < _DARK * reference
    pale = _TOOTH_COLOUR * float(np.median(saturation[around]))
    tooth = (light[inside] > _TOOTH_BRIGHT * reference) & (saturation[inside] < pale)
    return Interior(float(np.median(light[inside])) / reference, float(1.0 - (dark | tooth).mean()))


def _mouth(image: Image, face: Face) -> tuple[Image, FloatArray, FloatArray]:
    """The mouth cut out upright, and both rims of the lips in it."""
    rims = [face.points[list(rim), :2] for rim in (INNER_LIPS, OUTER_LIPS)]
    eyes = face.five[1] - face.five[0]
    angle = float(np.arctan2(eyes[1], eyes[0]))
    to_cut = square_transform(rims[0].mean(axis=0), _SIDE_IOD * max(face.eye_distance_px, 1.0), angle, _SIZE_PX)
    cut = sample(image, to_cut.inverse(), (_SIZE_PX, _SIZE_PX))
    return cut, to_cut.apply(rims[0]), to_cut.apply(rims[1])


def _filled(rim: FloatArray) -> NDArray[np.uint8]:
    area = np.zeros((_SIZE_PX, _SIZE_PX), np.uint8)
    cv2.fillPoly(area, [np.rint(rim).astype(np.int32)], 1)
    return area


def _square(reach_px: int) -> NDArray[np.uint8]:
    """What areas are grown or shrunk by."""
    return np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
