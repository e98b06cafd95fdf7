"""F0, voicing and the speaker's running pitch statistics.

Autocorrelation of the Hann-windowed frame divided by the window's own (P. Boersma, "Accurate short-term analysis of the
fundamental frequency", 1993), computed below `lowpass_hz`; the candidate that wins may be an octave lower only for a
gain in periodicity, and may jump from the previous frame only for another. A median of three removes single errors,
which costs one hop: the value that `PitchTracker.process` gives at frame t belongs to frame t - 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice import mel
from edge_runtime.voice.framing import FloatArray, hann

DELAY_HOPS = 1
"""How many hops the smoothed track is behind the frames."""

_SILENCE = np.float32(1e-9)
"""Power that is added before anything is divided by power."""

_NO_PEAK = np.float32(-9.0)
"""Score of a lag that is no peak: far below any periodicity."""

_UNVOICED_MEMORY_HOPS = 20
"""After this long without voicing the previous pitch no longer attracts the next one."""


def pitch_window(spec: FrontEndSpec) -> FloatArray:
    """Window (window_samples,) of the frames in which a pitch is looked for."""
    return hann(spec.pitch.window_samples)


@dataclass(frozen=True)
class PitchFrames:
    """A block of T frames of the smoothed track, `DELAY_HOPS` late."""

    rows: list[tuple[float, float, float, float]]
    """T rows: log F0 (natural log of Hz; through unvoiced stretches the last value is held), voicing (1 or 0), and the
    speaker's running mean and standard deviation of log F0."""

    @property
    def mean_log_f0s(self) -> list[float]:
        """T values: the speaker's running mean of log F0."""
        return [row[2] for row in self.rows]


class Periodicity:
    """Window-corrected, low-passed autocorrelation of frames: pure, no state."""

    def __init__(self, spec: FrontEndSpec) -> None:
        pitch, rate = spec.pitch, spec.sample_rate_hz
        self._fft = pitch.fft_length
        self._first = int(rate / pitch.maximum_hz) - 1
        self._last = int(np.ceil(rate / pitch.minimum_hz)) + 1
        self._rate = rate
        frequency = np.fft.rfftfreq(self._fft, 1.0 / rate)
        self._lowpass = (1.0 / (1.0 + (frequency / pitch.lowpass_hz) ** 4)).astype(np.float32)
        self._lowpass[0] = 0.0
        own = self._autocorrelation(mel.windowed_power(np.ones(1, np.float32), pitch_window(spec), self._fft)[None])
        own_lags = own[0, self._first : self._last + 1] / own[0, 0]
        self._correction = (1.0 / own_lags).astype(np.float32)
        lags = np.arange(self._first, self._last + 1, dtype=np.float64)
        log2_lag = np.log2(lags).astype(np.float32)
        octaves_down = log2_lag - np.float32(np.log2(rate / pitch.maximum_hz))
        self.inner_octave_penalty = (pitch.octave_cost * octaves_down).astype(np.float32)[1:-1]
        """What every lag but the first and the last loses for being long."""
        octaves_apart = np.abs(log2_lag - log2_lag[:, None])
        self.jump_penalty = (pitch.jump_cost * octaves_apart).astype(np.float32)
        """Row i: what every lag loses when the previous frame was at lag i."""

    def _autocorrelation(self, power: FloatArray) -> FloatArray:
        correlation: FloatArray = np.fft.irfft(power, self._fft).astype(np.float32, copy=False)
        return correlation

    def __call__(self, power: FloatArray, gains: FloatArray | None = None) -> FloatArray:
        """Periodicity (T, n_lags), about -1..1, of frames with `pitch_window` and of ``power`` (T, fft_length / 2 + 1).

        ``gains`` (T, n) are factors for their power at n frequencies evenly spaced from 0 to half the rate.
        """
        heard = power * self._lowpass
        if gains is not None:
            nearest = np.rint(np.linspace(0, gains.shape[1] - 1, len(self._lowpass))).astype(np.intp)
            heard *= gains[:, nearest]
        correlation = self._autocorrelation(heard)
        periodicity = correlation[:, self._first : self._last + 1] / (correlation[:, :1] + _SILENCE)
        periodicity *= self._correction
        return periodicity

    def frequency_hz(self, periodicity: FloatArray, index: int) -> float:
        """Frequency of the peak of one frame's periodicity (n_lags,) at ``index``, refined by a parabola."""
        before, peak, after = periodicity[index - 1 : index + 2].tolist()
        curvature = before - 2.0 * peak + after
        shift = 0.5 * (before - after) / curvature if curvature < 0.0 else 0.0
        return self._rate / (self._first + index + min(0.5, max(-0.5, shift)))


class SpeakerPitch:
    """Running mean and spread of log F0 over voiced time, starting from a prior."""

    def __init__(self, spec: FrontEndSpec) -> None:
        self._spec = spec.pitch
        self._hop_s = spec.hop_length / spec.sample_rate_hz
        self.reset()

    def reset(self) -> None:
        """Return to the prior."""
        self.mean = float(np.log(self._spec.prior_hz))
        self._variance = self._spec.prior_spread**2
        self._seconds = self._spec.prior_weight_s

    @property
    def spread(self) -> float:
        """Standard deviation of log F0."""
        return math.sqrt(self._variance)

    def update(self, log_f0: float) -> None:
        """Count one voiced frame."""
        self._seconds = min(self._seconds + self._hop_s, self._spec.mean_time_s)
        rate = self._hop_s / self._seconds
        deviation = log_f0 - self.mean
        self.mean += rate * deviation
        self._variance += rate * (deviation * deviation - self._variance)


class PitchTracker:
    """Stateful; `process` on one long block equals `process` on its pieces."""

    def __init__(self, spec: FrontEndSpec) -> None:
        self._spec = spec.pitch
        self._quietest = -self._spec.energy_below_level
        """Relative energy that a voiced frame exceeds; what is fainter need not be analysed."""
        self._periodicity = Periodicity(spec)
        self.speaker = SpeakerPitch(spec)
        self.reset()

    def reset(self) -> None:
        """Forget the speaker."""
        self.speaker.reset()
        self.forget_position()

    def forget_position(self) -> None:
        """Forget where in a melody the speaker is, but not who they are."""
        mean = self.speaker.mean
        self._raw: list[tuple[float, bool]] = [(mean, False), (mean, False)]
        self._voiced = False
        self._previous_lag: int | None = None
        self._since_voiced = 0
        self._held = mean

    def process(self, power: FloatArray, energies: list[float], gains: FloatArray | None = None) -> PitchFrames:
        """Track frames by their power (T, n), as `Periodicity` takes it, and T energies relative to the running level.

        ``gains`` (T, n) are factors for the power of the frames, as a denoiser gives; see `Periodicity`.
        """
        if any(energy > self._quietest for energy in energies):
            periodicity, score = self._candidates(power, gains)
        rows = []
        for t, energy in enumerate(energies):
            loud = energy > self._quietest
            self._raw.append(self._pick(periodicity[t], score[t]) if loud else self._unvoiced())
            rows.append((*self._smooth(), self.speaker.mean, self.speaker.spread))
        return PitchFrames(rows)

    def _candidates(self, power: FloatArray, gains: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Periodicity (T, n_lags), and how good a pitch each lag but the first and the last is, (T, n_lags - 2)."""
        periodicity = self._periodicity(power, gains)
        rising = periodicity[:, 1:] > periodicity[:, :-1]
        peaks = rising[:, :-1] > rising[:, 1:]  # a peak rises before and not after
        score = np.where(peaks, periodicity[:, 1:-1] - self._periodicity.inner_octave_penalty, _NO_PEAK)
        return periodicity, score

    def _pick(self, periodicity: FloatArray, score: FloatArray) -> tuple[float, bool]:
        """Best candidate of one frame: (log F0, voiced)."""
        if self._previous_lag is not None:
            score = score - self._periodicity.jump_penalty[self._previous_lag, 1:-1]
        best = int(score.argmax())
        index = best + 1
        strength = float(periodicity[index]) if score[best] > 0.5 * _NO_PEAK else 0.0
        self._voiced = strength > (self._spec.voiced_off if self._voiced else self._spec.voiced_on)
        if not self._voiced:
            return self._unvoiced()
        self._since_voiced = 0
        self._previous_lag = index
        return math.log(self._periodicity.frequency_hz(periodicity, index)), True

    def _unvoiced(self) -> tuple[float, bool]:
        """What a frame without a pitch is taken for: the pitch before it."""
        self._voiced = False
        self._since_voiced += 1
        if self._since_voiced > _UNVOICED_MEMORY_HOPS:
            self._previous_lag = None
        return self._raw[-1][0], False

    def _smooth(self) -> tuple[float, float]:
        """Median of three pitches where all are voiced, majority vote on voicing; drops the oldest."""
        (f_before, v_before), (f_now, v_now), (f_after, v_after) = self._raw
        self._raw.pop(0)
        voiced = (v_before + v_now + v_after) >= 2
        if voiced:
            candidates = sorted(f for f, v in ((f_before, v_before), (f_now, v_now), (f_after, v_after)) if v)
            # With two voiced neighbours only, the earlier of the sorted pair is as good as a median can be.
            self._held = candidates[1] if len(candidates) == 3 else (f_now if v_now else candidates[0])
            self.speaker.update(self._held)
        return self._held, float(voiced)


def median_hz(log_f0: FloatArray, voiced: FloatArray) -> float:
    """Median F0 in Hz over voiced frames; 0 when none is voiced."""
    values: NDArray[np.float32] = log_f0[voiced > 0.5]
    return float(np.exp(np.median(values))) if len(values) else 0.0
