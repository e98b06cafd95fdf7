"""Means of a picture over square windows about every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

Tensor = Any


def window_means(x: Tensor, window: int) -> Tensor:
    """Means (B, H, W, C) of x (B, H, W, C) over ``window`` x ``window`` pixels, of those that there are.

    Along one side and then the other as convolutions: as poolings, those of a loss took twice the time of the network.
    """
    height, width, channels = (int(side) for side in x.shape[1:])
    counts = np.outer(_in_reach(height, window), _in_reach(width, window))
    for sides in ((window, 1), (1, window)):
        x = ops.depthwise_conv(x, np.ones((*sides, channels, 1), np.float32), padding="same")
    return x * (1.0 / counts).astype(np.float32)[None, :, :, None]


def _in_reach(length: int, window: int) -> np.ndarray:
    """(length,) how many cells of a line lie within the window about each."""
    at = np.arange(length)
    # an even window reaches one cell further ahead than back, as convolutions pad it
    first, last = at - (window - 1) // 2, at + window // 2
    return np.minimum(last, length - 1) - np.maximum(first, 0) + 1
