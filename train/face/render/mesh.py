"""Pieces of geometry that the head's mesh does not have: tubes, spheres and grids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]
Triangles = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertices, triangles, and three numbers a vertex that the shader paints by."""

    positions: Points
    """(V, 3) decimetres."""
    triangles: Triangles
    """(T, 3)"""
    local: Points
    """(V, 3): what they mean is told where the mesh is made."""


def empty_mesh() -> Mesh:
    """No vertices and no triangles."""
    return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32))


def joined(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    if not meshes:
        return empty_mesh()
    starts = np.cumsum([0, *(len(mesh.positions) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.positions for mesh in meshes]).astype(np.float32),
        np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=True)]).astype(np.int32),
        np.concatenate([mesh.local for mesh in meshes]).astype(np.float32),
    )


def grid_triangles(rows: int, columns: int, *, closed: bool = False) -> Triangles:
    """Triangles over vertices numbered row by row; ``closed`` joins the last column to the first."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a = row * columns + column
    b = row * columns + (column + 1) % columns
    c, d = a + columns, b + columns
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]).astype(
        np.int32
    )


@lru_cache(maxsize=1)
def unit_sphere(rings: int = 22, segments: int = 30) -> Mesh:
    """A sphere of radius 1 with its pole on +z; ``local`` is the place on it."""
    down = np.linspace(0.0, np.pi, rings)
    around = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)
    theta, phi = np.meshgrid(down, around, indexing="ij")
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1).reshape(-1, 3)
    points = points.astype(np.float32)
    return Mesh(points, grid_triangles(rings, segments, closed=True), points)


def tube(path: Points, radius: float, *, closed: bool, sides: int = 6) -> Mesh:
    """A tube along ``path`` (n, 3)."""
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    helper = np.where(np.abs(ahead[:, 2:3]) < 0.9, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    right = np.cross(ahead, helper)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    up = np.cross(right, ahead)
    angles = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    rings = path[:, None] + radius * (
        np.cos(angles)[None, :, None] * right[:, None] + np.sin(angles)[None, :, None] * up[:, None]
    )
    if closed:
        rings = np.concatenate([rings, rings[:1]])
    points = rings.reshape(-1, 3).astype(np.float32)
    return Mesh(points, grid_triangles(len(rings), sides, closed=True), np.zeros_like(points))
