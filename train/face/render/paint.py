"""Small functions that all painting uses. Colours are linear light."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.floating]


def smoothstep(low: float, high: float, value: Points) -> Points:
    """0 at ``low``, 1 at ``high`` (which may be the smaller), smooth between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def blob(rest: Points, centre: tuple[float, float, float], radius: float) -> Points:
    """1 at ``centre`` and its mirror image, falling off as a Gaussian: (n,) for places (n, 3)."""
    x, y, z = centre
    squared = (np.abs(rest[:, 0]) - x) ** 2 + (rest[:, 1] - y) ** 2 + (rest[:, 2] - z) ** 2
    return np.exp(-squared / (2.0 * radius * radius))


def mix(base: Points, colour: ArrayLike, share: Points) -> Points:
    """``base`` (n, 3) with ``share`` (n,) of ``colour`` (3,) or (n, 3)."""
    return base + share[:, None] * (np.asarray(colour, np.float32) - base)


def darken(base: Points, share: Points, factors: tuple[float, float, float]) -> Points:
    """``base`` (n, 3) less ``share`` (n,) of each channel's factor."""
    return base * (1.0 - share[:, None] * np.asarray(factors, np.float32))
