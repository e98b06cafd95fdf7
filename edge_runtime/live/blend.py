"""Small helpers of the live voice's path: a gain that moves instead of jumping, and the recent past of the input."""

from __future__ import annotations

import numpy as np

from edge_runtime.media.pcm import Samples


class Ramp:
    """A value that moves to its target by at most 1 in ``samples`` samples."""

    def __init__(self, value: float, samples: int) -> None:
        self.target = value
        self._value = value
        self._step = 1.0 / samples

    @property
    def settled(self) -> bool:
        """Whether the target is reached."""
        return self._value == self.target

    def take(self, count: int) -> Samples:
        """The next values (count,)."""
        if self.settled:
            return np.full(count, self._value, np.float32)
        direction = 1.0 if self.target > self._value else -1.0
        values = self._value + direction * self._step * np.arange(1, count + 1)
        low, high = sorted((self._value, self.target))
        values = np.clip(values, low, high)
        if count:
            self._value = float(values[-1])
        return np.asarray(values, np.float32)


class History:
    """The last ``capacity`` samples of a stream, by their number since its beginning."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._buffer: Samples = np.zeros(2 * capacity, np.float32)
        self._fill = capacity  # silence before the beginning
        self.end = 0
        """Number of the sample that comes next."""

    def add(self, samples: Samples) -> None:
        """Append (n,)."""
        self.end += len(samples)
        samples = samples[-self._capacity :]
        if self._fill + len(samples) > len(self._buffer):  # moved rarely, so that an append is a copy of its own size
            self._buffer[: self._capacity] = self._buffer[self._fill - self._capacity : self._fill].copy()
            self._fill = self._capacity
        self._buffer[self._fill : self._fill + len(samples)] = samples
        self._fill += len(samples)

    def get(self, start: int, stop: int) -> Samples:
        """Samples ``start`` to ``stop``; those before the beginning are zero. They must be among the last kept."""
        offset = self._fill - self.end
        return self._buffer[start + offset : stop + offset].copy()
