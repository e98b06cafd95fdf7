"""Keeps the queue between two clocks at one length: how much faster than recorded the sound is played.

A proportional-integral loop, critically damped, on a smoothed measurement, as in Adriaensen, "Using a DLL to filter
time" (Linux Audio Conference 2005): the integral becomes the difference of the two clocks, and the length settles at
its target with no error left. It is slow on purpose: a pitch that sways would be heard, a slow difference is not.
"""

from __future__ import annotations

MAXIMUM_TRIM = 0.003
"""Furthest from 1: 5 cents. Crystals differ by less than 0.0002."""
_SETTLE_S = 12.0
"""Time constant of the loop."""
_SMOOTH_S = 0.5
"""Time constant of the measurement, which jumps with every block of a device."""


class DriftControl:
    """`update` once for every block that is played."""

    def __init__(self, target_s: float) -> None:
        self.target_s = target_s
        self.reset()

    def reset(self) -> None:
        """Begin again, as with a new device; what was learnt of the clocks is forgotten."""
        self._learnt = 0.0
        self.queue_s = self.target_s
        """The smoothed length of the queue."""
        self.trim = 0.0

    def resume(self) -> None:
        """The queue was set to its length by other means (a skip, a new start): the clocks are the same."""
        self.queue_s = self.target_s

    @property
    def rate(self) -> float:
        """Play this many times as fast."""
        return 1.0 + self.trim

    def update(self, queue_s: float, elapsed_s: float) -> float:
        """Take the queue's length after ``elapsed_s`` of playing; gives `rate`."""
        self.queue_s += (queue_s - self.queue_s) * min(1.0, elapsed_s / _SMOOTH_S)
        error_s = self.queue_s - self.target_s
        gain = 2.0 / _SETTLE_S
        wanted = gain * error_s + self._learnt
        self.trim = min(max(wanted, -MAXIMUM_TRIM), MAXIMUM_TRIM)
        if wanted == self.trim:  # at the limit, what is learnt would only be the limit
            self._learnt += gain * gain / 4.0 * error_s * elapsed_s
        return self.rate
