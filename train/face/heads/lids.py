"""Eyelids that meet: a blink shape for each head, since the mesh's own closes few eye shapes.

The margins of both lids are found at the roots of the lashes. How far the upper margin falls short of the lower one
when the mesh's blink is fully on is measured along the eye, and the blink is scaled by a smooth factor of the place
along the eye until they meet. Vertices that would sink into the eyeball are put back on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from train.face.heads.model import HeadModel, Points
from train.face.heads.package import Delta

SIDES: Final = ("left", "right")
OVERLAP: Final = 0.005
"""How far the closed upper lid comes down over the lower margin, decimetres."""
_ROOT_DISTANCE: Final = 0.013
"""A vertex of the skin this near to a lash is on the margin, decimetres."""
_SURFACE: Final = 1.10
"""Lids slide at this many radii from the middle of the eyeball."""
_REACH: Final = 0.42
"""Nothing farther than this from the middle of the eyeball moves when it closes, decimetres."""
_SCALE_RANGE: Final = (0.7, 3.5)
_STATIONS: Final = 9


@dataclass(frozen=True)
class Margins:
    """The vertices along one eye's opening."""

    upper: NDArray[np.int32]
    """(n,) from the inner to the outer corner."""
    lower: NDArray[np.int32]
    """(m,) likewise."""


@dataclass(frozen=True)
class Eyeball:
    """A sphere in place of the mesh's eye."""

    centre: Points
    """(3,)"""
    radius: float


def eyeball(model: HeadModel, positions: Points, side: str) -> Eyeball:
    """The sphere that fills the eye helper of ``side`` in ``positions`` (V, 3)."""
    points = positions[model.vertices_of(f"{side}_eye")]
    low, high = points.min(axis=0), points.max(axis=0)
    return Eyeball(((low + high) / 2.0).astype(np.float32), float((high - low)[:2].mean() / 2.0))


@lru_cache(maxsize=2)
def margins(model: HeadModel, side: str) -> Margins:
    """The lid margins of one eye, found on the mesh at rest."""
    lashes = model.vertices_of("lashes")
    sign = 1.0 if side == "left" else -1.0
    own = lashes[sign * model.positions[lashes, 0] > 0.0]
    indices, deltas = model.targets[f"arkit/eyeBlink{side.capitalize()}"]
    falls = np.zeros(len(model.positions), np.float32)
    falls[indices] = deltas[:, 1]
    # of the lashes, only the upper ones fall with the lid
    upper = _roots(model, own[falls[own] < -0.005])
    lower = _roots(model, own[falls[own] >= -0.005])
    return Margins(upper, lower)


def blink_shape(model: HeadModel, positions: Points, side: str) -> Points:
    """Movement (V, 3) that closes one eye of the head ``positions`` (V, 3): its blink at value 1."""
    lids = margins(model, side)
    ball = eyeball(model, positions, side)
    indices, deltas = _mesh_blink(model, side)
    blink = np.zeros_like(positions)
    blink[indices] = deltas
    across, factor = _needed_scale(positions, blink, lids)
    scale = np.interp(positions[indices, 0], across, factor).astype(np.float32)
    # what rises does not need to rise further: only the falling lid is scaled
    falling = np.clip(-deltas[:, 1] / 0.03, 0.0, 1.0)
    blink[indices] *= (1.0 + falling * (scale - 1.0))[:, None]
    closed = positions + blink
    slide(closed, lid_skin(model, positions, side), ball)
    return closed - positions


def lid_skin(model: HeadModel, positions: Points, side: str) -> NDArray[np.int32]:
    """The vertices of the lids' outer skin, which may not sink into the eyeball; ``positions`` with open eyes."""
    ball = eyeball(model, positions, side)
    indices, _ = model.targets[f"arkit/eyeBlink{side.capitalize()}"]
    skin = indices[np.isin(indices, model.vertices_of("body"))]
    distance = np.linalg.norm(positions[skin] - ball.centre, axis=1)
    before = positions[skin, 2] > ball.centre[2] + 0.45 * ball.radius
    return skin[(distance > 1.06 * ball.radius) & (distance < _REACH) & before]


def slide(positions: Points, skin: NDArray[np.int32], ball: Eyeball) -> None:
    """Put the vertices ``skin`` of ``positions`` (V, 3) that sank into the eyeball back on it, in place."""
    offset = positions[skin] - ball.centre
    distance = np.linalg.norm(offset, axis=1)
    short = np.maximum(_SURFACE * ball.radius - distance, 0.0)
    positions[skin] += offset / distance[:, None] * short[:, None]


def lid_gap(model: HeadModel, positions: Points, side: str) -> float:
    """Widest opening between the margins in ``positions`` (V, 3), decimetres; not above 0 where the eye is shut."""
    lids = margins(model, side)
    lower_y = _height_along(positions, lids.lower, positions[lids.upper, 0])
    inner = _inside(positions, lids)
    return float((positions[lids.upper, 1] - lower_y)[inner].max())


def _mesh_blink(model: HeadModel, side: str) -> Delta:
    """The mesh's own blink around its eye alone; it also stirs the other socket and the inside of the mouth."""
    indices, deltas = model.targets[f"arkit/eyeBlink{side.capitalize()}"]
    away = np.linalg.norm(model.positions[indices] - eyeball(model, model.positions, side).centre, axis=1)
    near = np.clip((_REACH - away) / (0.2 * _REACH), 0.0, 1.0)
    return indices, (deltas * near[:, None]).astype(np.float32)


def _roots(model: HeadModel, lashes: NDArray[np.int32]) -> NDArray[np.int32]:
    body = model.vertices_of("body")
    near = body[np.linalg.norm(model.positions[body] - model.positions[lashes].mean(axis=0), axis=1) < 0.4]
    distance = np.linalg.norm(model.positions[near][:, None] - model.positions[lashes][None], axis=2).min(axis=1)
    roots = near[distance < _ROOT_DISTANCE]
    return roots[np.argsort(np.abs(model.positions[roots, 0]))].astype(np.int32)


def _inside(positions: Points, lids: Margins) -> NDArray[np.bool_]:
    """Which upper margin vertices are not so near a corner that up and down lose their sense."""
    across = np.abs(positions[lids.upper, 0])
    low, high = across.min(), across.max()
    return (across > low + 0.12 * (high - low)) & (across < high - 0.08 * (high - low))


def _height_along(positions: Points, row: NDArray[np.int32], across: Points) -> Points:
    """Height of a margin at the places ``across`` (x), the higher one where the margin has two edges."""
    stations = np.linspace(positions[row, 0].min(), positions[row, 0].max(), _STATIONS)
    width = (stations[-1] - stations[0]) / (_STATIONS - 1)
    near = np.abs(positions[row, 0][None] - stations[:, None]) < 0.75 * width
    heights = np.where(near, positions[row, 1][None], -np.inf).max(axis=1)
    known = np.isfinite(heights)
    return np.interp(across, stations[known], heights[known]).astype(np.float32)


def _needed_scale(positions: Points, blink: Points, lids: Margins) -> tuple[Points, Points]:
    """Factor on the blink along the eye: places x ascending, (n,), and the factor there."""
    # near the corners the lids hardly move, and meet anyway
    upper = lids.upper[_inside(positions, lids) & (-blink[lids.upper, 1] > 0.05)]
    closed = positions + blink
    goal = _height_along(closed, lids.lower, closed[upper, 0]) - OVERLAP
    needed = (positions[upper, 1] - goal) / -blink[upper, 1]
    across = positions[upper, 0]
    # a parabola through them, raised until it is enough nearly everywhere: a lid that closes and has no ripples
    shape = np.polynomial.Polynomial.fit(across, needed, 2)
    stations = np.linspace(across.min(), across.max(), _STATIONS)
    lacking = float(np.max(needed - shape(across)))
    factor = np.clip(shape(stations) + max(0.7 * lacking, 0.0), *_SCALE_RANGE)
    return stations.astype(np.float32), factor.astype(np.float32)
