"""From what a microphone gives to what a speaker takes, in one thread: rates, model, bypass, mute, trim.

The converted voice and the original lie on each other sample by sample, so that bypass and conversion change places
within 20 ms without a jump in time, and another model takes over the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge_runtime.live.blend import History, Ramp
from edge_runtime.media.pcm import Samples
from edge_runtime.media.resample import StreamResampler
from edge_runtime.media.stretch import Stretcher

_FADE_S = 0.02
_PRIME_S = 3.0
"""What another model hears of the speaker before it takes over."""
_PIECE_BLOCKS = 8
"""Longest blocks that are converted at once, whatever comes in at once."""


class LiveStream(Protocol):
    """What a path needs of `edge_runtime.voice.stream.VoiceStream`."""

    chunk_samples: int
    latency_samples: int

    def process(self, chunk: Samples, /) -> Samples:
        """Take (m,), give whole chunks."""

    def prime(self, samples: Samples, /) -> None:
        """Get to know the speaker."""

    def reset(self) -> None:
        """Forget everything heard."""


@dataclass(frozen=True)
class Rung:
    """A way to convert, at its cost."""

    name: str
    """For people, such as "voices x2"."""
    stream: LiveStream
    """Of the model's rate; shared by the rungs of one model."""
    block_samples: int
    """At the model's rate: how much is converted at once, a whole number of the stream's chunks."""


def ladder(models: Sequence[tuple[str, LiveStream]], longest_block_samples: int) -> list[Rung]:
    """Rungs from the best to the cheapest: the first model in longer and longer blocks, then the smaller ones.

    Blocks longer than ``longest_block_samples`` would not fit the latency and are left out.
    """
    rungs = []
    for index, (name, stream) in enumerate(models):
        lengths = [factor for factor in (1, 2, 4) if factor * stream.chunk_samples <= longest_block_samples] or [1]
        for factor in lengths if index == 0 else lengths[-1:]:
            rungs.append(Rung(f"{name} x{factor}", stream, factor * stream.chunk_samples))
    return rungs


class VoicePath:
    """Not thread-safe but for `bypass` and `mute`, which any thread may set."""

    def __init__(self, rungs: list[Rung], model_rate_hz: int, from_hz: int, to_hz: int) -> None:
        """``from_hz`` is the microphone's rate, ``to_hz`` the speaker's."""
        self._rungs = rungs
        self._rate_hz = model_rate_hz
        self._from_hz, self._to_hz = from_hz, to_hz
        self._to_model = StreamResampler(from_hz, model_rate_hz)
        self._to_speaker = StreamResampler(model_rate_hz, to_hz)
        self._stretcher = Stretcher()
        self._rung = 0
        self._leaving: LiveStream | None = None  # the model before, until its sound is faded out
        self._emitted = 0  # samples of the model's rate that left the stream
        primed_s = _PRIME_S if any(rung.stream is not rungs[0].stream for rung in rungs) else 0.0
        self._piece = _PIECE_BLOCKS * max(rung.block_samples for rung in rungs)
        latest = max(rung.stream.latency_samples for rung in rungs)
        self._history = History(round(primed_s * model_rate_hz) + 2 * (self._piece + latest))
        self._fade = round(_FADE_S * model_rate_hz)
        self._converted = Ramp(1.0, self._fade)
        self._loudness = Ramp(1.0, self._fade)
        for stream in {id(rung.stream): rung.stream for rung in rungs}.values():
            stream.reset()

    @property
    def rung(self) -> Rung:
        """The rung in use."""
        return self._rungs[self._rung]

    @property
    def block_samples(self) -> int:
        """How many samples of the microphone `process` wants at once."""
        return -(-self.rung.block_samples * self._from_hz // self._rate_hz)

    @property
    def delay_s(self) -> float:
        """How far its output lies behind its input, waiting for a whole block not included."""
        rates = self._to_model.delay_samples / self._from_hz + self._to_speaker.delay_samples / self._rate_hz
        return rates + self.rung.stream.latency_samples / self._rate_hz + self._stretcher.delay_samples / self._to_hz

    @property
    def bypass(self) -> bool:
        """Whether the original is heard, as late as the converted voice."""
        return self._converted.target == 0.0

    @bypass.setter
    def bypass(self, on: bool) -> None:
        self._converted.target = 0.0 if on else 1.0

    @property
    def mute(self) -> bool:
        """Whether nothing is heard."""
        return self._loudness.target == 0.0

    @mute.setter
    def mute(self, on: bool) -> None:
        self._loudness.target = 0.0 if on else 1.0

    def process(self, samples: Samples, rate: float) -> Samples:
        """Take (n,) of the microphone, give (m,) for the speaker, played ``rate`` times as fast."""
        return self._finished(self._to_model.process(samples), rate)

    def flush(self) -> Samples:
        """What is still inside, as if silence followed."""
        stream = self.rung.stream
        tail = np.zeros(stream.latency_samples + stream.chunk_samples, np.float32)
        parts = [self._finished(np.concatenate([self._to_model.flush(), tail]), 1.0)]
        parts.append(self._stretcher.process(self._to_speaker.flush(), 1.0))
        return np.concatenate(parts)

    def use(self, index: int) -> None:
        """Take the rung of that index from the next block on; another model is given the recent past first."""
        before, after = self.rung, self._rungs[index]
        self._rung = index
        if after.stream is before.stream:
            return
        stream, history = after.stream, self._history
        held = history.end - self._emitted
        past = (history.end - held) // stream.chunk_samples * stream.chunk_samples
        warm = min(past, stream.latency_samples // stream.chunk_samples * stream.chunk_samples + stream.chunk_samples)
        stream.reset()
        stream.prime(history.get(max(0, history.end - round(_PRIME_S * self._rate_hz)), history.end))
        stream.process(history.get(history.end - held - warm, history.end))
        self._leaving = before.stream

    def _convert(self, heard: Samples) -> Samples:
        converted = self.rung.stream.process(heard)
        if self._leaving is not None:
            old = self._leaving.process(heard)[: min(len(converted), self._fade)]
            weight = np.linspace(0.0, 1.0, len(old), dtype=np.float32)
            converted[: len(old)] = (1 - weight) * old + weight * converted[: len(old)]
            self._leaving = None if len(old) else self._leaving
        return converted

    def _finished(self, heard: Samples, rate: float) -> Samples:
        pieces = [heard[start : start + self._piece] for start in range(0, max(1, len(heard)), self._piece)]
        return np.concatenate([self._piece_finished(piece, rate) for piece in pieces])

    def _piece_finished(self, heard: Samples, rate: float) -> Samples:
        self._history.add(heard)
        converted = self._convert(heard)
        late = self._emitted - self.rung.stream.latency_samples
        self._emitted += len(converted)
        if not (self._converted.settled and self._converted.target == 1.0):
            share = self._converted.take(len(converted))
            original = self._history.get(late, late + len(converted))
            converted = share * converted + (1 - share) * original
        if not (self._loudness.settled and self._loudness.target == 1.0):
            converted = converted * self._loudness.take(len(converted))
        return self._stretcher.process(self._to_speaker.process(converted), rate)
