"""What stands before the speaker: it holds converted sound so that the speaker never waits, and no longer than that.

The queue is everything between the two devices: what the microphone gave and nothing has converted yet, and what is
converted and not yet played. Kept at one length, the latency is constant. Three things change it:
- *drift* of the two clocks, slowly: `edge_runtime.live.drift` trims it away unheard;
- *a stall*: the speaker finds nothing (an underrun, counted), hears a short fade and silence, and what was recorded
  meanwhile makes the queue too long: the surplus is skipped, with a crossfade, as soon as it is there;
- *a start*: nothing is played until the queue is as long as it should be.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from edge_runtime.live.ring import SampleRing
from edge_runtime.media.pcm import Samples

_FADE_S = 0.005
_PATIENCE_S = 0.1
"""A surplus must last this long before it is skipped: devices that deliver in bursts make short ones."""
_CAPACITY_S = 4.0


@dataclass(frozen=True)
class PlayoutSpec:
    """How long the queue is; seconds."""

    target_s: float
    """Length the queue is kept at."""
    surplus_s: float
    """Surplus that is left to the drift control; more is skipped."""


@dataclass
class PlayoutCounts:
    """What was not as it should be, since the start."""

    underruns: int = 0
    """Times the speaker found too little."""
    silent_s: float = 0.0
    """Silence played because of them."""
    skips: int = 0
    skipped_s: float = 0.0
    """Converted sound that was never played, to be on time again."""


class Playout:
    """Give it converted samples with `push`, play what `take` gives. Safe between the two threads that do so."""

    def __init__(self, rate_hz: int, spec: PlayoutSpec, counts: PlayoutCounts | None = None) -> None:
        """``counts`` go on from those of a device that went away."""
        self.rate_hz = rate_hz
        self.spec = spec
        self.counts = counts or PlayoutCounts()
        self._ring = SampleRing(round(_CAPACITY_S * rate_hz))
        self._fade = max(1, round(_FADE_S * rate_hz))
        self._lock = threading.Lock()
        self._ended = False
        self._begin()

    def _begin(self) -> None:
        self._playing = False
        self._starved = False
        self._late = 0
        self._last = np.float32(0.0)

    @property
    def waiting(self) -> int:
        """Samples that can be played."""
        return len(self._ring)

    @property
    def playing(self) -> bool:
        """Whether sound is played, and not silence until there is enough of it."""
        return self._playing

    @property
    def done(self) -> bool:
        """Whether the sound ended and all of it was taken."""
        return self._ended and not len(self._ring)

    def push(self, samples: Samples) -> None:
        """Add converted samples (n,); what does not fit replaces the oldest, and counts as skipped."""
        lost = self._ring.write(samples)
        self.counts.skipped_s += lost / self.rate_hz

    def end(self) -> None:
        """Nothing follows: `take` gives what is left, and then silence that is not an underrun."""
        self._ended = True

    def take(self, count: int, upstream_s: float) -> Samples:
        """The next (count,) to be played. ``upstream_s`` is the part of the queue that is not converted yet."""
        with self._lock:
            if not self._playing and not self._may_begin(count, upstream_s):
                if self._starved:
                    self.counts.silent_s += count / self.rate_hz
                return np.zeros(count, np.float32)
            rising = not self._playing
            if rising:
                self._begin_on_time(count, upstream_s)
            self._playing, self._starved = True, False
            samples = self._without_surplus(count, upstream_s)
            if rising:
                ramp = min(self._fade, len(samples))
                samples[:ramp] *= np.linspace(0.0, 1.0, ramp, dtype=np.float32)
            if len(samples) < count:
                return self._run_dry(samples, count)
            self._last = samples[-1]
            return samples

    def _may_begin(self, count: int, upstream_s: float) -> bool:
        waiting = len(self._ring)
        if self._ended:
            return waiting > 0
        return waiting >= count and waiting / self.rate_hz + upstream_s >= self.spec.target_s

    def _begin_on_time(self, count: int, upstream_s: float) -> None:
        """Leave out what came too early, as while a device took its time to start: nothing plays, none is heard."""
        surplus_s = len(self._ring) / self.rate_hz + upstream_s - self.spec.target_s
        skip = min(round(surplus_s * self.rate_hz), len(self._ring) - count)
        if skip > 0 and not self._ended:
            self._ring.drop(skip)
            self.counts.skipped_s += skip / self.rate_hz if self._starved else 0.0

    def _without_surplus(self, count: int, upstream_s: float) -> Samples:
        waiting = len(self._ring)
        surplus_s = waiting / self.rate_hz + upstream_s - self.spec.target_s
        self._late = self._late + count if surplus_s > self.spec.surplus_s else 0
        skip = min(round(surplus_s * self.rate_hz), waiting - count - self._fade)
        if self._ended or skip <= 0 or self._late < _PATIENCE_S * self.rate_hz:
            return self._ring.read(count)
        self._late = 0
        self.counts.skips += 1
        self.counts.skipped_s += skip / self.rate_hz
        fade = min(self._fade, count)
        old = self._ring.peek(fade)
        self._ring.drop(skip)
        samples = self._ring.read(count)
        weight = np.linspace(0.0, 1.0, fade, dtype=np.float32)
        samples[:fade] = old * (1 - weight) + samples[:fade] * weight
        return samples

    def _run_dry(self, samples: Samples, count: int) -> Samples:
        """Fade what is there, or the last value, to silence."""
        out = np.zeros(count, np.float32)
        if len(samples):
            fade = min(self._fade, len(samples))
            samples[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
            out[: len(samples)] = samples
        else:
            fade = min(self._fade, count)
            out[:fade] = self._last * np.linspace(1.0, 0.0, fade, dtype=np.float32)
        self._begin()
        if not self._ended:
            self._starved = True
            self.counts.underruns += 1
            self.counts.silent_s += (count - len(samples)) / self.rate_hz
        return out
