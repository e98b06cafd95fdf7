"""Spectacles: two rims, a bridge and the arms to the ears, and the lenses."""

from __future__ import annotations

import numpy as np

from train.face.heads.lids import Eyeball
from train.face.heads.people import Glasses
from train.face.render.mesh import Mesh, Points, grid_triangles, joined, tube

_POINTS = 40
_BEFORE_EYES = 0.13
"""Distance of the lenses from the eyeballs, decimetres."""


def glasses_meshes(glasses: Glasses, eyes: tuple[Eyeball, Eyeball], ears: Points) -> tuple[Mesh, Mesh]:
    """Frame and lenses before ``eyes`` (left, right); ``ears`` (n, 3) are points of both ears.

    ``local`` of the lenses is (x, y, 0) in the lens, -1..1.
    """
    left, right = eyes
    half = float(np.linalg.norm(left.centre - right.centre)) / 2.0
    depth = max(float(eye.centre[2]) + eye.radius for eye in eyes) + _BEFORE_EYES
    frame, lenses = [], []
    for eye, sign in ((left, 1.0), (right, -1.0)):
        middle = np.array((eye.centre[0] + sign * 0.04 * half, eye.centre[1] - 0.02, depth), np.float32)
        outline = _outline(glasses)
        rim = middle + outline * (glasses.width * half, glasses.height * half, 1.0)
        frame.append(tube(rim.astype(np.float32), glasses.thickness, closed=True))
        frame.append(_arm(rim, sign, ears, glasses.thickness))
        lenses.append(_lens(middle, rim, outline))
    frame.append(_bridge(left, right, glasses, half, depth))
    return joined(frame), joined(lenses)


def _outline(glasses: Glasses) -> Points:
    """(n, 3): a superellipse |x|^p + |y|^p = 1 in the plane, seen from the front."""
    angle = np.linspace(0.0, 2.0 * np.pi, _POINTS, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    radius = (np.abs(cosine) ** glasses.squareness + np.abs(sine) ** glasses.squareness) ** (-1.0 / glasses.squareness)
    return np.stack([radius * cosine, radius * sine, np.zeros_like(angle)], axis=1)


def _arm(rim: Points, sign: float, ears: Points, thickness: float) -> Mesh:
    start = rim[np.argmax(sign * rim[:, 0] + 0.5 * rim[:, 1])]
    own = ears[sign * ears[:, 0] > 0.0]
    top = own[own[:, 1] >= np.quantile(own[:, 1], 0.8)].mean(axis=0)
    path = start + np.linspace(0.0, 1.0, 8)[:, None] * (top - start)
    path[1:, 0] += sign * 0.05
    return tube(path.astype(np.float32), thickness, closed=False)


def _bridge(left: Eyeball, right: Eyeball, glasses: Glasses, half: float, depth: float) -> Mesh:
    across = np.linspace(1.0, -1.0, 8)
    gap = half * (1.04 - glasses.width) + 0.01
    middle = (left.centre + right.centre) / 2.0
    path = np.stack([middle[0] + across * gap, middle[1] + 0.05 + 0.03 * (1.0 - across**2), np.full(8, depth)], axis=1)
    return tube(path.astype(np.float32), glasses.thickness, closed=False)


def _lens(middle: Points, rim: Points, outline: Points) -> Mesh:
    points = np.concatenate([np.repeat(middle[None], _POINTS, axis=0), rim]).astype(np.float32)
    local = np.concatenate([np.zeros_like(outline), outline]).astype(np.float32)
    return Mesh(points, grid_triangles(2, _POINTS, closed=True), local)
