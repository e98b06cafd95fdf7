"""Light: a sky and a ground, a key light that casts shadows, a second light without, and what corners keep dark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.face.render.raster import depth_map

Points = NDArray[np.floating]

_AMBIENT_DIRECTIONS = 20
_AMBIENT_MAP_PX = 112
_SHADOW_MAP_PX = 384
_SPAN = 5.2
"""Width of the world that the maps cover, decimetres."""
_BEHIND_EVERYTHING = -1e9


@dataclass(frozen=True)
class Light:
    """Colours are linear, directions unit vectors towards the light."""

    key: Points
    key_colour: Points
    second: Points
    second_colour: Points
    sky: Points
    ground: Points
    softness: float
    """0..1: how wide the edge of the key's shadow is."""


def sample_light(rng: np.random.Generator) -> Light:
    """A random light: key somewhere before the face, warm or cool, hard or soft; often a second one."""
    around, above = rng.uniform(-1.2, 1.2), rng.uniform(-0.05, 1.05)
    key = np.array([np.sin(around) * np.cos(above), np.sin(above), np.cos(around) * np.cos(above) + 0.25])
    other = rng.uniform(-2.6, 2.6)
    second = np.array([np.sin(other), rng.uniform(-0.2, 0.6), np.cos(other)])
    warmth = rng.uniform(-1.0, 1.0)
    ambient = rng.uniform(0.25, 0.75)
    strength = rng.uniform(0.0, 0.8) if rng.random() < 0.6 else 0.0
    return Light(
        key=_unit(key),
        key_colour=_f32(np.array([1.0 + 0.12 * warmth, 1.0, 1.0 - 0.15 * warmth]) * rng.uniform(0.5, 2.0)),
        second=_unit(second),
        second_colour=_f32(rng.uniform(0.75, 1.25, 3) * strength),
        sky=_f32(np.array([1.0 - 0.07 * warmth, 1.0, 1.0 + 0.09 * warmth]) * ambient),
        ground=_f32(np.array([1.05, 1.0, 0.92]) * ambient * rng.uniform(0.35, 0.9)),
        softness=float(rng.uniform()),
    )


def ambient_openness(positions: Points, normals: Points, triangles: NDArray[np.int32], middle: Points) -> Points:
    """Share of the sky that each vertex sees, (V,) 0..1, weighted by the cosine to its normal.

    Counted over directions spread on a spiral, one depth map each.
    """
    lit = np.zeros(len(positions), np.float32)
    total = np.full(len(positions), 1e-3, np.float32)
    steps = np.arange(_AMBIENT_DIRECTIONS) + 0.5
    heights = 1.0 - 2.0 * steps / _AMBIENT_DIRECTIONS
    angles = steps * np.pi * (3.0 - np.sqrt(5.0))
    rings = np.sqrt(1.0 - heights**2)
    for direction in np.stack([rings * np.cos(angles), rings * np.sin(angles), heights], axis=1):
        seen_from = _seen_from(direction, positions, middle, _AMBIENT_MAP_PX)
        depth = np.full((_AMBIENT_MAP_PX, _AMBIENT_MAP_PX), _BEHIND_EVERYTHING, np.float32)
        depth_map(seen_from, triangles, depth)
        column = np.clip(np.rint(seen_from[:, 0]).astype(int), 0, _AMBIENT_MAP_PX - 1)
        row = np.clip(np.rint(seen_from[:, 1]).astype(int), 0, _AMBIENT_MAP_PX - 1)
        cosine = np.maximum(normals @ direction.astype(np.float32), 0.0)
        lit += cosine * (seen_from[:, 2] > depth[row, column] - 0.08)
        total += cosine
    return lit / total


@dataclass(frozen=True)
class Shadow:
    """What the key light sees."""

    depth: Points
    """(N, N): nearest surface."""
    to_map: Points
    """(3, 4): a position to x, y in the map and the distance towards the light."""


def key_shadow(light: Light, positions: Points, triangles: NDArray[np.int32], middle: Points) -> Shadow:
    """The shadow map of the key light."""
    frame = _frame(light.key)
    scale = _SHADOW_MAP_PX / _SPAN
    to_map = np.concatenate([frame, -(frame @ middle)[:, None]], axis=1)
    to_map[:2] *= scale
    to_map[:2, 3] += _SHADOW_MAP_PX / 2.0
    depth = np.full((_SHADOW_MAP_PX, _SHADOW_MAP_PX), _BEHIND_EVERYTHING, np.float32)
    depth_map(_f32(positions @ to_map[:, :3].T + to_map[:, 3]), triangles, depth)
    return Shadow(depth, _f32(to_map))


def _seen_from(direction: Points, positions: Points, middle: Points, size_px: int) -> Points:
    out = (positions - middle) @ _frame(direction).T
    out[:, :2] = out[:, :2] * (size_px / _SPAN) + size_px / 2.0
    return _f32(out)


def _frame(direction: Points) -> Points:
    """(3, 3): rows right, up and towards the light."""
    helper = np.array([0.0, 1.0, 0.0]) if abs(direction[1]) < 0.95 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, direction)
    right /= np.linalg.norm(right)
    return _f32(np.stack([right, np.cross(direction, right), direction]))


def _unit(vector: Points) -> Points:
    return _f32(vector / np.linalg.norm(vector))


def _f32(values: Points) -> Points:
    return np.ascontiguousarray(values, np.float32)
