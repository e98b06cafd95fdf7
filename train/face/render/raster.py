"""Triangles to pixels, compiled by Numba: nearest surface, depth maps, normals, and where a surface point was before.

Screen points are (x, y, 1 / depth) with pixel centres at integers; a larger third number is nearer. Numba is worth its
place in the `train` extra: the same loops in NumPy take ten times as long.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

NOTHING: Final = -1

MINIMUM_STRETCH: Final = 0.25
"""A triangle that covered less than this share of its area before would be a smear: its pixels count as unseen."""


@njit(cache=True, fastmath=True)
def rasterise(points, triangles, depth, hit, weights):
    """Fill the nearest triangle of each pixel.

    ``points`` (V, 3) float32, ``triangles`` (T, 3) int32; in place: ``depth`` (H, W) float32, 0 where nothing is,
    ``hit`` (H, W) int32 index of the triangle, ``weights`` (H, W, 3) float32, of the corners, linear on the screen.
    """
    height, width = depth.shape
    for index in range(triangles.shape[0]):
        a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        x_low = max(0, int(np.ceil(min(ax, bx, cx))))
        x_high = min(width - 1, int(np.floor(max(ax, bx, cx))))
        y_low = max(0, int(np.ceil(min(ay, by, cy))))
        y_high = min(height - 1, int(np.floor(max(ay, by, cy))))
        inverse = 1.0 / area
        for y in range(y_low, y_high + 1):
            for x in range(x_low, x_high + 1):
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * inverse
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * inverse
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                near = u * points[a, 2] + v * points[b, 2] + w * points[c, 2]
                if near > depth[y, x]:
                    depth[y, x] = near
                    hit[y, x] = index
                    weights[y, x, 0], weights[y, x, 1], weights[y, x, 2] = u, v, w


@njit(cache=True, fastmath=True)
def depth_map(points, triangles, depth):
    """Fill ``depth`` (H, W) with the largest third number of the triangles over each pixel; see `rasterise`."""
    height, width = depth.shape
    for index in range(triangles.shape[0]):
        a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        inverse = 1.0 / area
        for y in range(max(0, int(np.ceil(min(ay, by, cy)))), min(height - 1, int(np.floor(max(ay, by, cy)))) + 1):
            for x in range(max(0, int(np.ceil(min(ax, bx, cx)))), min(width - 1, int(np.floor(max(ax, bx, cx)))) + 1):
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * inverse
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * inverse
                w = 1.0 - u - v
                if u >= 0.0 and v >= 0.0 and w >= 0.0:
                    near = u * points[a, 2] + v * points[b, 2] + w * points[c, 2]
                    if near > depth[y, x]:
                        depth[y, x] = near


@njit(cache=True, fastmath=True)
def vertex_normals(positions, triangles):
    """Unit normals (V, 3) of a mesh, the mean of its triangles' weighted by area; zero where no triangle is."""
    out = np.zeros_like(positions)
    for index in range(triangles.shape[0]):
        a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ux, uy, uz = (
            positions[b, 0] - positions[a, 0],
            positions[b, 1] - positions[a, 1],
            positions[b, 2] - positions[a, 2],
        )
        vx, vy, vz = (
            positions[c, 0] - positions[a, 0],
            positions[c, 1] - positions[a, 1],
            positions[c, 2] - positions[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            out[corner, 0] += nx
            out[corner, 1] += ny
            out[corner, 2] += nz
    for index in range(out.shape[0]):
        length = np.sqrt(out[index, 0] ** 2 + out[index, 1] ** 2 + out[index, 2] ** 2)
        if length > 1e-12:
            for k in range(3):
                out[index, k] /= length
    return out


@njit(cache=True, fastmath=True)
def trace_back(hit, weights, points, triangles, surface, before, depth_before, hit_before, flow, seen):
    """For every pixel of a picture: where its surface point was in the picture before, and whether it showed there.

    ``hit``, ``weights``: of this picture; ``points`` and ``before`` (V, 3): the same vertices on both screens;
    ``surface`` (T,) int8: which thing a triangle is part of; ``depth_before``, ``hit_before``: of the picture before.
    In place: ``flow`` (H, W, 2) float32 pixels, ``seen`` (H, W) float32 0 or 1.

    A point shows in the picture before when, beside its place there, the same thing lies at the same depth, and when
    its triangle covered at least `MINIMUM_STRETCH` of its area there, facing the same way.
    """
    height, width = hit.shape
    for y in range(height):
        for x in range(width):
            index = hit[y, x]
            if index < 0:
                continue
            px, py, total, total_before = 0.0, 0.0, 0.0, 0.0
            for k in range(3):
                corner = triangles[index, k]
                # shares that are linear on the screen -> on the surface -> on the screen before
                on_surface = weights[y, x, k] * points[corner, 2]
                share = on_surface / before[corner, 2]
                px += share * before[corner, 0]
                py += share * before[corner, 1]
                total += on_surface
                total_before += share
            px, py, near = px / total_before, py / total_before, total / total_before
            flow[y, x, 0], flow[y, x, 1] = px - x, py - y
            if _stretch(points, before, triangles, index) < MINIMUM_STRETCH:
                continue
            tolerance = 0.03 * near * near
            for j in range(int(np.floor(py)), int(np.floor(py)) + 2):
                for i in range(int(np.floor(px)), int(np.floor(px)) + 2):
                    if 0 <= i < width and 0 <= j < height and hit_before[j, i] >= 0:
                        same = surface[hit_before[j, i]] == surface[index]
                        if same and abs(depth_before[j, i] - near) < tolerance:
                            seen[y, x] = 1.0


@njit(cache=True, fastmath=True)
def _stretch(points, before, triangles, index):
    """Area a triangle had on the screen before over the area it has now; negative where it has turned over."""
    a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
    now = (points[b, 0] - points[a, 0]) * (points[c, 1] - points[a, 1])
    now -= (points[b, 1] - points[a, 1]) * (points[c, 0] - points[a, 0])
    then = (before[b, 0] - before[a, 0]) * (before[c, 1] - before[a, 1])
    then -= (before[b, 1] - before[a, 1]) * (before[c, 0] - before[a, 0])
    if now == 0.0:
        return 0.0
    return then / now
