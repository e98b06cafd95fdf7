"""How sure a mean is: percentile bootstrap (Efron 1979), 95 %."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

SMALLEST_FOR_INTERVAL = 3
_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float | None
    """None with too few values to tell."""
    high: float | None
    count: int


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """Mean and percentile bootstrap interval (Efron 1979) over values; None without values."""
    if not values:
        return None
    data = np.asarray(values, np.float64)
    if len(data) < SMALLEST_FOR_INTERVAL:
        return Interval(float(data.mean()), None, None, len(data))
    means = data[resampled(len(data), seed)].mean(axis=1)
    return Interval(float(data.mean()), *percentiles(means), len(data))


def ratio_interval(sums: Mapping[str, tuple[float, float]], seed: int = 0) -> Interval | None:
    """All sums over all other sums, drawn by group (such as a head, whose edits are no independent draws).

    ``sums`` holds (above, below) of each group; None where everything below is nothing.
    """
    pairs = np.asarray(list(sums.values()), np.float64).reshape(-1, 2)
    above, below = (float(total) for total in pairs.sum(axis=0))
    if below <= 0.0:
        return None
    if len(pairs) < SMALLEST_FOR_INTERVAL:
        return Interval(above / below, None, None, len(pairs))
    drawn = pairs[resampled(len(pairs), seed)].sum(axis=1)
    return Interval(above / below, *percentiles(drawn[:, 0] / np.maximum(drawn[:, 1], 1e-12)), len(pairs))


def resampled(count: int, seed: int) -> NDArray[np.int64]:
    """Draws (2000, count) with replacement, as numbers of what is drawn."""
    return np.random.default_rng(seed).integers(0, count, (_RESAMPLES, count))


def percentiles(values: Vector) -> tuple[float, float]:
    """The middle 95 % of values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
