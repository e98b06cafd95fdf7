"""Hair that hangs: bobs, long hair and fringes, as sheets around the head.

``local`` of these meshes is (place across the strands, place along them, 0).
"""

from __future__ import annotations

import numpy as np

from train.face.heads.people import Person
from train.face.render.mesh import Mesh, Points, empty_mesh, grid_triangles, joined
from train.face.render.noise import noise
from train.face.render.paint import smoothstep
from train.face.render.scalp import CENTRE, THICKNESS

_COLUMNS = 64
_CAP_ROWS = 14
_FALL_ROWS = 14


def hair_mesh(scalp: Points, person: Person) -> Mesh:
    """The hanging hair of ``person`` over ``scalp`` (n, 3), the points of the head it must clear."""
    sheets = []
    if person.hair.style in ("bob", "long"):
        sheets.append(_curtain(scalp, person))
    if person.hair.fringe:
        sheets.append(_fringe(scalp, person))
    return joined(sheets) if sheets else empty_mesh()


def _clearance(scalp: Points, directions: Points) -> Points:
    """Distance of the head from `CENTRE` along ``directions`` (n, 3), smoothed over the nearest points."""
    offset = scalp - CENTRE
    radius = np.linalg.norm(offset, axis=1)
    cosine = directions @ (offset / radius[:, None]).T
    nearest = np.argpartition(-cosine, 8, axis=1)[:, :8]
    weights = np.exp((np.take_along_axis(cosine, nearest, axis=1) - 1.0) * 60.0) + 1e-6
    return (radius[nearest] * weights).sum(axis=1) / weights.sum(axis=1)


def _direction(azimuth: Points, elevation: Points) -> Points:
    level = np.cos(elevation)
    return np.stack([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level], axis=1).astype(np.float32)


def _curtain(scalp: Points, person: Person) -> Mesh:
    """A cap from the crown down to the ears, open in front, and what falls from its edge."""
    hair = person.hair
    opening_top = 0.15 + 0.4 * abs(np.sin(person.texture_offset[0]))
    rows: list[Points] = []
    for elevation in np.linspace(1.45, 0.0, _CAP_ROWS):
        opening = np.interp(elevation, (0.0, 0.3, 0.5, 0.72, 0.9), (1.24, 1.14, 0.98, opening_top, 0.0))
        azimuth = np.linspace(opening, 2.0 * np.pi - opening, _COLUMNS)
        directions = _direction(azimuth, np.full(_COLUMNS, elevation))
        ripple = 0.012 * np.cos(azimuth * 7.0 + person.texture_offset[1])
        away = _clearance(scalp, directions) + THICKNESS[hair.style] * 0.7 + ripple
        rows.append(CENTRE + directions * away[:, None])
    edge = rows[-1]
    length = 0.65 + 0.5 * hair.length if hair.style == "bob" else 1.3 + 0.9 * hair.length
    flare = -0.08 + 0.2 * abs(np.sin(person.texture_offset[2]))
    across = np.linspace(0.0, 1.0, _COLUMNS)
    for step in np.linspace(0.0, 1.0, _FALL_ROWS + 1)[1:]:
        out = 1.0 + 0.10 * float(smoothstep(0.0, 0.25, np.array(step))) + flare * step
        out = out * (1.0 + 0.05 * hair.wave * np.sin(step * 11.0 + across * 50.0))
        row = edge.copy()
        row[:, 0] *= out
        behind = row[:, 2] < CENTRE[2]
        row[:, 2] = CENTRE[2] + (row[:, 2] - CENTRE[2]) * np.where(behind, out * (1.0 - 0.12 * step), 1.0)
        row[:, 1] -= length * step * (1.0 + 0.06 * (_jitter(across, person, 14.0) - 0.5))
        rows.append(row)
    return _sheet(rows, person)


def _fringe(scalp: Points, person: Person) -> Mesh:
    """Strands from the crown over the forehead, ragged at their ends."""
    hair = person.hair
    azimuth = np.linspace(-0.95, 0.95, _COLUMNS)
    across = np.linspace(0.0, 1.0, _COLUMNS)
    side = 0.45 * np.sin(person.texture_offset[2]) * (across - 0.5)
    lowest = 0.62 - 0.40 * hair.fringe + side + 0.14 * (_jitter(across, person, 34.0) - 0.5)
    lowest = lowest - 0.16 * np.abs(azimuth) ** 2
    rows = []
    for step in np.linspace(0.0, 1.0, _CAP_ROWS):
        elevation = 1.25 + (lowest - 1.25) * step
        directions = _direction(azimuth, elevation)
        lift = 0.10 + 0.05 * np.sin(np.pi * step) - 0.05 * step + 0.02 * _jitter(across, person, 20.0)
        rows.append(CENTRE + directions * (_clearance(scalp, directions) + lift)[:, None])
    return _sheet(rows, person)


def _sheet(rows: list[Points], person: Person) -> Mesh:
    across = np.tile(np.linspace(0.0, 1.0, _COLUMNS) * 46.0 + person.texture_offset[0], len(rows))
    along = np.repeat(np.linspace(0.0, 3.0, len(rows)), _COLUMNS)
    local = np.stack([across + person.hair.wave * np.sin(along * 4.0), along, np.zeros_like(along)], axis=1)
    return Mesh(np.concatenate(rows).astype(np.float32), grid_triangles(len(rows), _COLUMNS), local.astype(np.float32))


def _jitter(across: Points, person: Person, scale: float) -> Points:
    line = np.stack([across, np.full_like(across, person.texture_offset[1]), np.zeros_like(across)], axis=1)
    return noise(line.astype(np.float32), (scale, 1.0, 1.0))
