"""How a face stands right now, as plain distances between its landmarks: what caps a slider, and what `extract` writes.

All lengths are divided by the distance between the eyes' centres and taken in three dimensions, in axes of the head
itself (x along the eyes to the person's left, y down the nose), so that turning the head changes them little:

    corner_lift      how far the mouth's corners lie above the middle of the lips' line
    lip_gap          between the inner edges of the lips
    mouth_width      between the mouth's corners
    eye_closed_left  minus the gap between the lids over the eye's width; -right the same for the other eye
    eye_open         the larger one of both gaps over their widths
    brow_height      from the eyes' centres up to the middle of the brows
    brow_gap         between the inner ends of the brows

The numbers of landmarks are those of the 468-point mesh (Kartynnik et al. 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.landmarks import Face
from edge_runtime.face_contract import UnitSpec

_RIGHT_EYE, _LEFT_EYE = (33, 133), (362, 263)
_RIGHT_LIDS = ((160, 144), (159, 145), (158, 153))
_LEFT_LIDS = ((385, 380), (386, 374), (387, 373))
_NOSE_ROOT, _NOSE_BASE = 168, 2
_RIGHT_CORNER, _LEFT_CORNER = 61, 291
_UPPER_LIP, _LOWER_LIP = 13, 14
_BROWS = (63, 105, 66, 296, 334, 293)
_INNER_BROWS = (107, 336)


def measure_face(face: Face) -> dict[str, float]:
    """All measures of a face by name; see above."""
    points = face.points @ head_axes(face)
    right, left = points[list(_RIGHT_EYE)].mean(axis=0), points[list(_LEFT_EYE)].mean(axis=0)
    unit = max(float(np.linalg.norm(left - right)), 1e-6)
    corners = points[[_RIGHT_CORNER, _LEFT_CORNER]]
    lips = points[[_UPPER_LIP, _LOWER_LIP]]
    gap_right, gap_left = _eye_gap(points, _RIGHT_EYE, _RIGHT_LIDS), _eye_gap(points, _LEFT_EYE, _LEFT_LIDS)
    brows = points[list(_BROWS)].mean(axis=0)
    inner = points[list(_INNER_BROWS)]
    return {
        "corner_lift": float(lips[:, 1].mean() - corners[:, 1].mean()) / unit,
        "lip_gap": float(np.linalg.norm(lips[1] - lips[0])) / unit,
        "mouth_width": float(np.linalg.norm(corners[1] - corners[0])) / unit,
        "eye_closed_left": -gap_left,
        "eye_closed_right": -gap_right,
        "eye_open": max(gap_left, gap_right),
        "brow_height": float((right[1] + left[1]) / 2.0 - brows[1]) / unit,
        "brow_gap": float(np.linalg.norm(inner[1] - inner[0])) / unit,
    }


def unit_values(
    measures: Mapping[str, float], units: Sequence[UnitSpec], neutral: Mapping[str, float] | None = None
) -> FloatArray:
    """How much of each unit the face shows, (U,) 0..1; NaN for units that landmarks cannot tell.

    value = (measure - neutral) / (full - neutral), both of the unit's spec, clipped. With ``neutral``, the person's own
    measures at rest, the range is moved there and keeps its length.
    """
    values = np.full(len(units), np.nan, np.float32)
    for index, unit in enumerate(units):
        if unit.measure:
            span = unit.measure_full - unit.measure_neutral
            rest = unit.measure_neutral if neutral is None else neutral[unit.measure]
            values[index] = min(max((measures[unit.measure] - rest) / span, 0.0), 1.0)
    return values


def head_axes(face: Face) -> FloatArray:
    """(3, 3) the axes of the head, which is rigid above the mouth, as columns: points (N, 3) @ axes lie in them."""
    points = face.points
    across = points[list(_LEFT_EYE)].mean(axis=0) - points[list(_RIGHT_EYE)].mean(axis=0)
    x = across / max(float(np.linalg.norm(across)), 1e-6)
    down = points[_NOSE_BASE] - points[_NOSE_ROOT]
    down = down - x * float(down @ x)
    # the nose leans forward; its lean is the same for everybody to a few degrees, and the full values know it
    y = down / max(float(np.linalg.norm(down)), 1e-6)
    return np.asarray(np.stack([x, y, np.cross(x, y)], axis=1), np.float32)


def _eye_gap(points: FloatArray, corners: tuple[int, int], lids: Sequence[tuple[int, int]]) -> float:
    width = max(float(np.linalg.norm(points[corners[1]] - points[corners[0]])), 1e-6)
    return float(np.mean([np.linalg.norm(points[upper] - points[lower]) for upper, lower in lids])) / width
