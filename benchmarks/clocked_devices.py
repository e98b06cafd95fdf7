"""Sound devices that exist in the computer's clock alone: real time, real threads, clocks that differ, plugs that pull.

They behave as sound cards do: a recording that nobody reads runs over after a while, a playback that nobody feeds runs
dry, and every sample has a time at which it was heard or is heard, so that a latency can be measured and not believed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from edge_runtime.devices.sound import BLOCK_S
from edge_runtime.errors import DeviceError
from edge_runtime.media.pcm import Samples

CAPTURE_BUFFER_S = 0.2
PLAY_BUFFER_S = 0.03
_KEPT_S = 12.0


@dataclass
class Plug:
    """Both devices share one: pulled while `out_until_s` lies ahead."""

    out_until_s: float = 0.0

    def check(self) -> None:
        """Raises `DeviceError` while it is pulled."""
        if time.monotonic() < self.out_until_s:
            raise DeviceError("the device went away (pulled by the benchmark)")


@dataclass
class Trace:
    """The last seconds of a device: its sound, and when its first sample was there."""

    rate_hz: float
    """By the computer's clock."""
    blocks: list[tuple[float, Samples]] = field(default_factory=list)
    """Time of the first sample of each block, seconds."""

    def add(self, start_s: float, samples: Samples) -> None:
        """Keep a block, and forget what is old."""
        self.blocks.append((start_s, samples.copy()))
        if self.blocks[0][0] < start_s - _KEPT_S:
            self.blocks.pop(0)


class ClockedMicrophone:
    """Gives ``sound`` over and over, at its rate or a little off."""

    latency_s = 0.0
    waits = False

    def __init__(self, sound: Samples, rate_hz: int, plug: Plug, ppm: float = 0.0) -> None:
        plug.check()
        self.rate_hz, self.overruns = rate_hz, 0
        self.trace = Trace(rate_hz * (1.0 + 1e-6 * ppm))
        self._sound, self._plug = sound, plug
        self._block = round(BLOCK_S * rate_hz)
        self._start_s = time.monotonic()
        self._place = 0

    def read(self) -> Samples | None:
        """The next block, once it was heard."""
        self._plug.check()
        done_s = self._start_s + (self._place + self._block) / self.trace.rate_hz
        late_s = time.monotonic() - done_s
        if late_s > CAPTURE_BUFFER_S:
            self.overruns += 1
            self._place += round(late_s * self.rate_hz) // self._block * self._block
        elif late_s < 0.0:
            time.sleep(-late_s)
        samples = self._sound[(self._place + np.arange(self._block)) % len(self._sound)]
        self.trace.add(self._start_s + self._place / self.trace.rate_hz, samples)
        self._place += self._block
        return samples

    def close(self) -> None:
        """Nothing is held."""


class ClockedSpeaker:
    """Takes blocks as its buffer empties."""

    latency_s = PLAY_BUFFER_S

    def __init__(self, rate_hz: int, plug: Plug, ppm: float = 0.0) -> None:
        plug.check()
        self.rate_hz, self.underruns = rate_hz, 0
        self.block_samples = round(BLOCK_S * rate_hz)
        self.trace = Trace(rate_hz * (1.0 + 1e-6 * ppm))
        self._plug = plug
        self._empty_s = 0.0
        """When what was written will all have been heard."""

    def write(self, samples: Samples) -> None:
        """Wait for room, and take the block."""
        self._plug.check()
        now_s = time.monotonic()
        if self._empty_s == 0.0:
            self._empty_s = now_s + PLAY_BUFFER_S
        elif self._empty_s < now_s:
            self.underruns += 1
            self._empty_s = now_s + PLAY_BUFFER_S
        self.trace.add(self._empty_s, samples)
        self._empty_s += len(samples) / self.trace.rate_hz
        wait_s = self._empty_s - PLAY_BUFFER_S - time.monotonic()
        if wait_s > 0.0:
            time.sleep(wait_s)

    def close(self) -> None:
        """Nothing is held."""


def lag_s(heard: Trace, played: Trace) -> float:
    """Seconds from the microphone to the ear over the last two seconds, by cross-correlation of bypassed sound."""
    rate_hz = round(heard.rate_hz)
    end_s = min(heard.blocks[-1][0], played.blocks[-1][0]) - 0.5
    source, out = _piece(heard, end_s - 3.0, end_s, rate_hz), _piece(played, end_s - 2.0, end_s, rate_hz)
    spectrum = np.fft.rfft(source, 2**18) * np.conj(np.fft.rfft(out, 2**18))
    correlation = np.fft.irfft(spectrum)[: len(source) - len(out) + 1]
    return 1.0 - int(np.argmax(correlation)) / rate_hz


def _piece(trace: Trace, start_s: float, stop_s: float, rate_hz: int) -> Samples:
    """Sound by the computer's clock; a few parts in a million are no matter over two seconds."""
    out = np.zeros(round((stop_s - start_s) * rate_hz), np.float32)
    for time_s, samples in list(trace.blocks):
        place = round((time_s - start_s) * rate_hz)
        if 0 <= place <= len(out) - len(samples):
            out[place : place + len(samples)] = samples
    return out
