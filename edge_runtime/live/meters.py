"""How loud it is: peak and RMS since the last look, in dB below full scale."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from edge_runtime.media.pcm import Samples

FLOOR_DB = -90.0
"""What silence is shown as."""


@dataclass(frozen=True)
class Level:
    """dB relative to full scale, `FLOOR_DB` to about 0."""

    peak_db: float
    rms_db: float


class LevelMeter:
    """Fed by one thread and read by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._peak, self._energy, self._count = 0.0, 0.0, 0

    def add(self, samples: Samples) -> None:
        """Hear (n,)."""
        if not len(samples):
            return
        peak = max(float(samples.max()), -float(samples.min()))
        energy = float(np.dot(samples, samples))
        with self._lock:
            self._peak = max(self._peak, peak)
            self._energy += energy
            self._count += len(samples)

    def take(self) -> Level:
        """The level since the last `take`."""
        with self._lock:
            level = Level(_decibels(self._peak), _decibels(math.sqrt(self._energy / max(1, self._count))))
            self._peak, self._energy, self._count = 0.0, 0.0, 0
        return level


def _decibels(amplitude: float) -> float:
    return max(FLOOR_DB, round(20.0 * math.log10(amplitude), 1)) if amplitude > 0.0 else FLOOR_DB
