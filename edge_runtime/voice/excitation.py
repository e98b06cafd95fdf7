"""Harmonic and noise excitation from an F0 track: flat-spectrum, unit-power, made of the pitch we want.

Pulses are band-limited (a Hann-windowed sinc read at the pulse's fractional position), their amplitude is the square
root of the period, so that power does not depend on pitch. The phase accumulator is never reset, so no edit of the
pitch can make a click. Noise is drawn sequentially: any cutting into blocks gives the same samples.

Roughness is what a rough voice's folds do: periods of irregular length (jitter), pulses of irregular height (shimmer),
and every other pulse weaker, which puts a subharmonic an octave down (a growl). Power stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edge_runtime.voice.framing import FloatArray

_FRACTIONS = 64
"""Sub-sample positions in the pulse table, interpolated linearly."""

_JITTER = 0.04
"""Standard deviation of log F0 from hop to hop at roughness 1."""
_SHIMMER = 0.2
"""Standard deviation of the pulses' height at roughness 1, relative to their height."""
_ALTERNATION = 0.25
"""How much higher one and lower the next of two pulses is at roughness 1."""


@lru_cache(maxsize=4)
def _pulse_table(taps: int) -> FloatArray:
    """Pulses (_FRACTIONS + 1, taps): row r peaks r / _FRACTIONS samples after the middle."""
    position = np.arange(taps) - taps // 2 - np.arange(_FRACTIONS + 1)[:, None] / _FRACTIONS
    window = 0.5 + 0.5 * np.cos(np.pi * np.clip(position / (taps / 2 + 0.5), -1, 1))
    return (np.sinc(position) * window).astype(np.float32)


@dataclass(frozen=True)
class ExcitationBlock:
    """Two sources, each (T * hop_length,) samples."""

    harmonic: FloatArray
    noise: FloatArray


class Excitation:
    """Stateful source; `process` on one long block equals `process` on its pieces."""

    def __init__(self, sample_rate_hz: int, hop_length: int, pulse_taps: int, seed: int = 0) -> None:
        self._log_rate = math.log(sample_rate_hz)
        self._hop = hop_length
        self._taps = pulse_taps
        table = _pulse_table(pulse_taps)
        # What a row and its way to the next are, side by side: one look-up finds both.
        self._table = np.concatenate([table[:-1], np.diff(table, axis=0)], axis=1)
        ramp = (np.arange(hop_length) + 1.0) / hop_length
        self._ramps = np.stack([1.0 - ramp, ramp])
        self._seed = seed
        self.reset()

    def reset(self, phase: float = 0.0) -> None:
        """Start again, the first pulse ``1 - phase`` periods away."""
        self._random = np.random.Generator(np.random.PCG64(self._seed))
        # Two more: how many pulses fall into a block depends on the cutting, and one stream of numbers would mix.
        self._jitter = np.random.Generator(np.random.PCG64(self._seed + 1))
        self._shimmer = np.random.Generator(np.random.PCG64(self._seed + 2))
        self._odd = 0
        self._phase = phase
        self._end: float | None = None  # log periods per sample at the end of the last hop
        self._tail = np.zeros(self._taps, np.float32)

    def process(self, log_f0: FloatArray, roughness: float = 0.0) -> ExcitationBlock:
        """Make T hops from log F0 (T,), natural log of Hz, at hop ends.

        Both sources always sound: what is voiced the network hears for itself, and says in its gains. ``roughness`` is
        0 for a regular pulse train to 1.
        """
        n_hops = len(log_f0)
        noise = self._random.standard_normal(n_hops * self._hop, dtype=np.float32)
        # Plain numbers: two hops a chunk, for which arrays would cost more.
        pitch = log_f0.tolist()
        if roughness > 0.0:
            wobble = roughness * _JITTER * self._jitter.standard_normal(n_hops)
            pitch = [value + by for value, by in zip(pitch, wobble.tolist(), strict=True)]
        return ExcitationBlock(self._pulses(pitch, roughness), noise)

    def _pulses(self, log_f0: list[float], roughness: float) -> FloatArray:
        if not log_f0:
            return np.zeros(0, np.float32)
        n = len(log_f0) * self._hop
        out = np.zeros(n + self._taps, np.float32)
        out[: self._taps] = self._tail
        step = self._steps(log_f0)
        self._place(out, step, roughness)
        self._tail = out[n:].copy()
        return out[:n]

    def _steps(self, log_f0: list[float]) -> np.ndarray:
        """Periods per sample: log F0 runs in straight lines between hop ends."""
        ends = [value - self._log_rate for value in log_f0]
        before = ends[0] if self._end is None else self._end
        self._end = ends[-1]
        lines: np.ndarray = np.array(list(zip([before, *ends], ends, strict=False))).dot(self._ramps).ravel()
        np.exp(lines, out=lines)
        return lines

    def _place(self, out: FloatArray, step: np.ndarray, roughness: float) -> None:
        phase = np.add.accumulate(step)  # half the overhead of np.cumsum
        phase += self._phase
        n_pulses = int(phase[-1])  # the kept phase is below one, so there is one for every whole number that it passes
        self._phase = float(phase[-1]) - n_pulses
        if not n_pulses:
            return
        starts = phase.searchsorted(np.arange(1.0, n_pulses + 1.0))
        rows, shares, heights = [], [], []
        # Plain numbers: two to five pulses a chunk, for which arrays would cost more.
        for cycle, (at, per_sample) in enumerate(zip(phase[starts].tolist(), step[starts].tolist(), strict=True), 1):
            late = (at - cycle) / per_sample  # samples since the pulse, 0..1
            # Between the table's rows, so that a rounding error in the phase stays one: two machines that differ in
            # the last bit would else differ by whole rows.
            position = (1.0 - late) * _FRACTIONS
            rows.append(min(int(position), _FRACTIONS - 1))
            shares.append(position - rows[-1])
            heights.append(1.0 / math.sqrt(per_sample))
        factors = np.array((shares, heights), np.float32)[:, :, None]
        if roughness > 0.0:
            factors[1] *= self._uneven(n_pulses, roughness)
        found = self._table.take(rows, axis=0)
        pulses = found[:, self._taps :] * factors[0]
        pulses += found[:, : self._taps]
        pulses *= factors[1]
        for start, pulse in zip(starts.tolist(), pulses, strict=True):
            out[start : start + self._taps] += pulse

    def _uneven(self, n_pulses: int, roughness: float) -> FloatArray:
        """Factors (n_pulses, 1) of unit power: shimmer, and one pulse higher, the next lower."""
        shimmer, alternation = roughness * _SHIMMER, roughness * _ALTERNATION
        sign = 1.0 - 2.0 * ((self._odd + np.arange(n_pulses)) % 2)
        self._odd = (self._odd + n_pulses) % 2
        factors = (1.0 + alternation * sign) * (1.0 + shimmer * self._shimmer.standard_normal(n_pulses))
        factors /= np.sqrt((1.0 + alternation**2) * (1.0 + shimmer**2))
        return factors.astype(np.float32)[:, None]
