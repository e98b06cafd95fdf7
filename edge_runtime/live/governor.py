"""Steps down before it stutters, and up again when there is room: which rung of a ladder of ever cheaper ways is taken.

The load is the time that converting took over the time there was for it. A step down follows a load that stays high, or
an underrun at once. A step up follows a long time of low load; when it turns out to have been wrong, the next one waits
twice as long, so that the sound does not go up and down for ever.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GovernorSpec:
    """When to step; loads are shares of the available time, 0..1."""

    high_load: float = 0.8
    low_load: float = 0.45
    """Well below `high_load` over the cost ratio of two rungs, so that a step up is not taken back at once."""
    down_after_s: float = 0.3
    up_after_s: float = 10.0
    longest_wait_s: float = 300.0
    smooth_s: float = 0.2


class Governor:
    """Gives the rung, 0 (best) to ``rungs`` - 1; times are seconds of one monotonic clock."""

    def __init__(self, rungs: int, spec: GovernorSpec | None = None) -> None:
        if rungs < 1:
            raise ValueError("a ladder needs a rung")
        self.rungs = rungs
        self.spec = spec or GovernorSpec()
        self.rung = 0
        self.load = 0.0
        """Smoothed."""
        self.steps_down = 0
        self._wait_s = self.spec.up_after_s
        self._high_since_s: float | None = None
        self._low_since_s: float | None = None
        self._last_s: float | None = None
        self._went_up_s: float | None = None

    def observe(self, load: float, now_s: float, *, underrun: bool = False) -> int:
        """Tell the load of one conversion that ended at ``now_s``; gives the rung for the next."""
        elapsed_s = 0.0 if self._last_s is None else max(0.0, now_s - self._last_s)
        self._last_s = now_s
        self.load += (load - self.load) * min(1.0, elapsed_s / self.spec.smooth_s)
        self._high_since_s = _since(self._high_since_s, self.load > self.spec.high_load, now_s)
        self._low_since_s = _since(self._low_since_s, self.load < self.spec.low_load, now_s)
        starved = underrun and load > self.spec.low_load  # else the fault lies elsewhere, and a step would not help
        if starved or _lasted(self._high_since_s, now_s, self.spec.down_after_s):
            self._down(now_s)
        elif _lasted(self._low_since_s, now_s, self._wait_s):
            self._up(now_s)
        return self.rung

    def _down(self, now_s: float) -> None:
        if self._went_up_s is not None and now_s - self._went_up_s < self._wait_s:
            self._wait_s = min(2.0 * self._wait_s, self.spec.longest_wait_s)
        elif self._went_up_s is not None:
            self._wait_s = self.spec.up_after_s
        self._went_up_s = None
        self._high_since_s = self._low_since_s = None
        if self.rung < self.rungs - 1:
            self.rung += 1
            self.steps_down += 1
            self.load = 0.5 * (self.spec.low_load + self.spec.high_load)  # unknown on this rung

    def _up(self, now_s: float) -> None:
        self._low_since_s = None
        if self.rung > 0:
            self.rung -= 1
            self._went_up_s = now_s


def _since(since_s: float | None, holds: bool, now_s: float) -> float | None:
    if not holds:
        return None
    return now_s if since_s is None else since_s


def _lasted(since_s: float | None, now_s: float, seconds: float) -> bool:
    return since_s is not None and now_s - since_s >= seconds
