"""Value noise: smooth random numbers in space (K. Perlin, "An image synthesizer", SIGGRAPH 1985, its simplest form)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

Points = NDArray[np.floating]

_SIZE = 64


@lru_cache(maxsize=1)
def lattice() -> Points:
    """(64, 64, 64) random values 0..1, the same in every process."""
    return np.random.default_rng(20_261_122).random((_SIZE, _SIZE, _SIZE), np.float32)


def noise(points: Points, scale: float | tuple[float, float, float]) -> Points:
    """Noise 0..1 at ``points`` (n, 3) times ``scale``: about one bump per unit."""
    factors = np.broadcast_to(np.asarray(scale, np.float32), 3)
    return _noise(lattice(), np.ascontiguousarray(points, np.float32), factors[0], factors[1], factors[2])


@njit(cache=True, fastmath=True)
def _noise(values, points, scale_x, scale_y, scale_z):
    out = np.empty(points.shape[0], np.float32)
    mask = values.shape[0] - 1
    for index in range(points.shape[0]):
        x = points[index, 0] * scale_x
        y = points[index, 1] * scale_y
        z = points[index, 2] * scale_z
        x0, y0, z0 = np.floor(x), np.floor(y), np.floor(z)
        fx, fy, fz = x - x0, y - y0, z - z0
        fx, fy, fz = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy), fz * fz * (3 - 2 * fz)
        i0, j0, k0 = int(x0) & mask, int(y0) & mask, int(z0) & mask
        i1, j1, k1 = (i0 + 1) & mask, (j0 + 1) & mask, (k0 + 1) & mask
        low = (values[i0, j0, k0] * (1 - fx) + values[i1, j0, k0] * fx) * (1 - fy)
        low += (values[i0, j1, k0] * (1 - fx) + values[i1, j1, k0] * fx) * fy
        high = (values[i0, j0, k1] * (1 - fx) + values[i1, j0, k1] * fx) * (1 - fy)
        high += (values[i0, j1, k1] * (1 - fx) + values[i1, j1, k1] * fx) * fy
        out[index] = low * (1 - fz) + high * fz
    return out
