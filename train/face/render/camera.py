"""Poses of a head and the camera that looks at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]


@dataclass(frozen=True)
class Pose:
    """How a head is turned, radians.

    Positive yaw is to the person's left, positive pitch down, positive roll anticlockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float

    def matrix(self) -> Points:
        """(3, 3) rotation of column vectors: yaw first, then pitch, then roll."""
        return rotation(self.yaw, self.pitch, self.roll)


@dataclass(frozen=True)
class Camera:
    """A pinhole that looks along -z."""

    centre: tuple[float, float, float]
    """Where it is, decimetres."""
    focal_px: float
    size_px: int
    """Width and height of the picture."""
    shift_px: tuple[float, float] = (0.0, 0.0)

    def project(self, positions: Points) -> Points:
        """Positions (n, 3) to screen points (n, 3): x, y in pixels and 1 / depth."""
        offset = positions - np.array(self.centre, np.float32)
        near = 1.0 / np.maximum(-offset[:, 2], 1e-3)
        middle = (self.size_px - 1) / 2.0
        x = middle + self.shift_px[0] + offset[:, 0] * self.focal_px * near
        y = middle + self.shift_px[1] - offset[:, 1] * self.focal_px * near
        return np.stack([x, y, near], axis=1).astype(np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> Points:
    """(3, 3): about y, then x, then z."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_z @ about_x @ about_y).astype(np.float32)


def sample_pose(rng: np.random.Generator) -> Pose:
    """Mostly frontal: standard deviations of 17, 7 and 5 degrees, cut at 2.3 of them."""
    yaw, pitch, roll = np.clip(rng.normal(size=3), -2.3, 2.3) * np.radians((17.0, 7.0, 5.0))
    return Pose(float(yaw), float(pitch), float(roll))
