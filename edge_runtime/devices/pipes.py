"""Raw sound as a device: 16-bit little-endian mono PCM on stdin, and on stdout at the pace of a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from edge_runtime.devices.sound import BLOCK_S
from edge_runtime.errors import DeviceError, InputError
from edge_runtime.files import reason
from edge_runtime.media.pcm import Samples, decode, encode_pcm16


class PipeMicrophone:
    """What comes through stdin, until it ends."""

    latency_s = 0.0
    overruns = 0
    waits = True

    def __init__(self, rate_hz: int, source: BinaryIO | None = None) -> None:
        if source is None and sys.stdin.isatty():
            raise InputError("`-` reads raw 16-bit mono PCM from a pipe, and stdin is a terminal")
        self.rate_hz = rate_hz
        self._source = sys.stdin.buffer if source is None else source
        self._bytes = 2 * round(BLOCK_S * rate_hz)

    def read(self) -> Samples | None:
        """See `Microphone.read`; an odd byte at the end is left out."""
        try:
            data = self._source.read(self._bytes)
        except (OSError, ValueError) as problem:
            raise DeviceError(f"stdin cannot be read ({reason(problem)})") from None
        return decode(data[: len(data) // 2 * 2], is_float=False, width=2) if data else None

    def close(self) -> None:
        """Nothing is held; stdin belongs to the process."""


class PipeSpeaker:
    """What leaves through stdout: a pipe takes all at once, so a clock says when the next block is due."""

    latency_s = 0.0
    underruns = 0

    def __init__(
        self,
        rate_hz: int,
        sink: BinaryIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate_hz = rate_hz
        self.block_samples = round(BLOCK_S * rate_hz)
        self._sink = sys.stdout.buffer if sink is None else sink
        self._clock, self._sleep = clock, sleep
        self._next_s: float | None = None

    def write(self, samples: Samples) -> None:
        """See `Speaker.write`. A reader that went away is a `BrokenPipeError`: there is nobody left to speak to."""
        now_s = self._clock()
        if self._next_s is not None and self._next_s > now_s:
            self._sleep(self._next_s - now_s)
        due_s = now_s if self._next_s is None else max(self._next_s, now_s - 1.0)
        self._next_s = due_s + len(samples) / self.rate_hz
        self._sink.write(encode_pcm16(np.asarray(samples)))
        self._sink.flush()

    def close(self) -> None:
        """Nothing is held; stdout belongs to the process."""
