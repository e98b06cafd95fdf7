"""Where on a tooth each point of the mouth's two rows is.

The mesh has each row as one smooth band; teeth are painted on it by the place along the arch and up the tooth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from train.face.heads.model import HeadModel
from train.face.heads.people import Person
from train.face.render.mesh import Points

UPPER_WIDTHS: Final = (1.0, 0.78, 0.90, 0.82, 0.80, 1.15, 1.15)
"""From the middle back, in widths of an upper incisor (W. Wheeler, "Dental anatomy", rounded)."""
LOWER_WIDTHS: Final = (0.62, 0.69, 0.80, 0.82, 0.83, 1.28, 1.25)
_ARCH_MIDDLE_Z: Final = 1.0


def arch_places(model: HeadModel) -> Points:
    """(V, 3): place along the arch (decimetres, positive to the person's left), up the tooth (0 biting edge to 1 root),
    and 1 for the upper row, -1 for the lower; zero for everything else."""
    out = np.zeros_like(model.positions)
    for part, row in (("upper_teeth", 1.0), ("lower_teeth", -1.0)):
        vertices = model.vertices_of(part)
        points = model.positions[vertices]
        low, high = points[:, 1].min(), points[:, 1].max()
        up = (points[:, 1] - low) / (high - low)
        out[vertices, 0] = _along_arch(points)
        out[vertices, 1] = up if row > 0 else 1.0 - up
        out[vertices, 2] = row
    return out


def tooth_edges(person: Person) -> Points:
    """(2, 8): distance of the borders between teeth from the middle, upper row first, decimetres."""
    rows = [np.concatenate([[0.0], np.cumsum(widths)]) * person.teeth.width for widths in (UPPER_WIDTHS, LOWER_WIDTHS)]
    return np.stack(rows).astype(np.float32)


def _along_arch(points: Points) -> Points:
    """Length along the outer side of the arch, from its middle."""
    angle = np.arctan2(points[:, 0], points[:, 2] - _ARCH_MIDDLE_Z)
    radius = np.hypot(points[:, 0], points[:, 2] - _ARCH_MIDDLE_Z)
    stations = np.linspace(angle.min(), angle.max(), 25)
    outer = np.array([radius[np.abs(angle - place) < 0.2].max(initial=0.05) for place in stations])
    curve = np.stack([outer * np.sin(stations), outer * np.cos(stations)], axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    return (np.interp(angle, stations, length) - np.interp(0.0, stations, length)).astype(np.float32)
