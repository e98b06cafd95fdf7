"""A bounded queue of samples between two threads: the newest are kept, and what is lost is counted by who writes."""

from __future__ import annotations

import threading

import numpy as np

from edge_runtime.media.pcm import Samples


class SampleRing:
    """At most ``capacity`` float32 samples; safe between one writer and one reader."""

    def __init__(self, capacity: int) -> None:
        self._buffer: Samples = np.zeros(capacity, np.float32)
        self._start = 0
        self._fill = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Samples waiting."""
        return self._fill

    def write(self, samples: Samples) -> int:
        """Append (n,); gives how many of the oldest samples were lost for it."""
        capacity = len(self._buffer)
        with self._changed:
            lost = max(0, self._fill + len(samples) - capacity)
            samples = samples[-capacity:]
            self._drop(min(self._fill, max(0, self._fill + len(samples) - capacity)))
            end = (self._start + self._fill) % capacity
            first = min(len(samples), capacity - end)
            self._buffer[end : end + first] = samples[:first]
            self._buffer[: len(samples) - first] = samples[first:]
            self._fill += len(samples)
            self._changed.notify_all()
        return lost

    def read(self, count: int) -> Samples:
        """Take the oldest ``count`` samples, or as many as there are."""
        with self._changed:
            taken = self._copy(min(count, self._fill))
            self._drop(len(taken))
            self._changed.notify_all()
        return taken

    def peek(self, count: int) -> Samples:
        """What `read` would give, left where it is."""
        with self._changed:
            return self._copy(min(count, self._fill))

    def drop(self, count: int) -> None:
        """Lose the oldest ``count`` samples."""
        with self._changed:
            self._drop(min(count, self._fill))
            self._changed.notify_all()

    def clear(self) -> None:
        """Lose all samples."""
        self.drop(len(self._buffer))

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Whether ``count`` samples are waiting, at the latest after ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._fill >= count, timeout_s)

    def wait_for_room(self, count: int, timeout_s: float) -> bool:
        """Whether ``count`` samples could be written without losing any, at the latest after ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._fill + count <= len(self._buffer), timeout_s)

    def _copy(self, count: int) -> Samples:
        first = min(count, len(self._buffer) - self._start)
        return np.concatenate([self._buffer[self._start : self._start + first], self._buffer[: count - first]])

    def _drop(self, count: int) -> None:
        self._start = (self._start + count) % len(self._buffer)
        self._fill -= count
