"""Steady noise taken out of the power spectrum, before level, mel and pitch are measured: no latency is added.

Noise is tracked per bin by the probability that speech is present (T. Gerkmann & R. C. Hendriks, "Unbiased MMSE-based
noise power estimation with low complexity and low tracking delay", 2012), and never less than the smallest smoothed
power of the last one to two seconds, so that a noise that starts suddenly is found too. Each bin then gets the power
that speech is expected to have in it: the minimum mean square error estimate of power (P. J. Wolfe & S. J. Godsill,
"Efficient alternatives to the Ephraim and Malah suppression rule for audio signal enhancement", 2003) with the
decision-directed estimate of the SNR (Y. Ephraim & D. Malah, 1984). Unlike the Wiener gain it leaves speech near the
noise standing, which the network can still read. Frames whose mean SNR says that nobody speaks go down once more: they
would else count as a quiet part of speech when its level is measured.
"""

from __future__ import annotations

import math

import numpy as np

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.mel import mel_matrix

_SPEECH_SNR = 10.0
"""SNR that speech has where it is present, fixed as in the paper. Theirs is 15 dB; at 10 dB fewer of the vowels of
speech in loud noise are taken for noise."""
_ODDS = 1.0 + _SPEECH_SNR
_SLOPE = _SPEECH_SNR / (1.0 + _SPEECH_SNR)
_NOISE_TIME_S = 0.15
_PRESENCE_TIME_S = 0.15
_PRESENCE_LIMIT = 0.99
"""Where speech has been certain for long, it is a little less so: else a rise of the noise would be speech for ever."""
_SMOOTH_TIME_S = 0.05
_MINIMUM_S = 1.0
"""Length of each of the two stretches over which the smallest power is kept."""
_UNDERESTIMATE = 1.2
"""Makes up for part of the 1 to 2 dB by which tracked noise lies below the true one; all would cost soft speech."""
_FIRST_SMOOTHING = np.full(15, 1.0 / 15.0, np.float32)
"""Bins over which the first frame is averaged."""
_DIRECTED = 0.98
"""Share of the previous frame's clean power in the estimate of the SNR."""
_FLOOR = 10.0 ** (-26.0 / 10.0)
"""Least factor of power."""
_PAUSE_FROM_DB, _SPEECH_FROM_DB = -10.0, -7.0
"""Mean SNR of a frame at which it is taken for a pause and goes down by the floor once more, and for speech."""
_HANGOVER = 0.9
"""How much of a frame's SNR the next one has at least, so that the end of a word is not taken for a pause."""
_NOISE_EXCESS, _INSTANT_SHARE = 0.6, 0.5
"""Noise alone exceeds its own mean by 0.4 on average; what goes beyond is speech at once, which the smoothed SNR sees
only some frames later."""
_TINY = 1e-12


class Denoiser:
    """Stateful; one long block equals its pieces."""

    def __init__(self, spec: FrontEndSpec) -> None:
        hop_s = spec.hop_length / spec.sample_rate_hz
        self._keep_noise = np.float32(np.exp(-hop_s / _NOISE_TIME_S))
        self._keep_presence = np.float32(np.exp(-hop_s / _PRESENCE_TIME_S))
        self._keep_smooth = np.float32(np.exp(-hop_s / _SMOOTH_TIME_S))
        self._n_bins = spec.n_bins
        self._stretch = round(_MINIMUM_S / hop_s)
        weights = mel_matrix(spec).mean(axis=1)
        self._weights = np.asarray(weights / weights.sum(), np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the noise."""
        self._heard = False
        self._clean: FloatArray = np.zeros(self._n_bins, np.float32)
        self._tick = 0
        self._speech = 0.0

    def gains(self, power: FloatArray, strength: float) -> FloatArray:
        """Factors (T, n_bins) for power (T, n_bins); ``strength`` 0..1 scales their logarithm."""
        out = np.empty_like(power)
        for t in range(len(power)):
            out[t] = self._gain(power[t] + np.float32(_TINY))
        if strength < 1.0:
            np.power(out, np.float32(strength), out=out)
        return out

    def _gain(self, power: FloatArray) -> FloatArray:
        """Factor of power (n_bins,) of one frame; moves the noise on."""
        if not self._heard:
            self._begin(power)
            self._heard = True
        noise = self._track(power) * np.float32(_UNDERESTIMATE)
        share = noise / power
        excess = np.maximum(np.float32(1.0) / share - np.float32(1.0), np.float32(0.0))
        snr = np.float32(_DIRECTED) * self._clean / noise
        snr += np.float32(1.0 - _DIRECTED) * excess
        wiener = snr / (np.float32(1.0) + snr)
        gain = wiener * (wiener + share)
        gain = np.minimum(np.maximum(gain, np.float32(_FLOOR)), np.float32(1.0))
        self._clean = np.asarray(gain * power, np.float32)
        pause = self._pause(snr, excess)
        return np.asarray(gain * np.float32(_FLOOR**pause) if pause else gain, np.float32)

    def _pause(self, snr: FloatArray, excess: FloatArray) -> float:
        """0 where a frame's SNR (n_bins,), smoothed or at this instant, says speech .. 1 where it says noise alone."""
        instant = _INSTANT_SHARE * (float(excess @ self._weights) - _NOISE_EXCESS)
        self._speech = max(float(snr @ self._weights), instant, _HANGOVER * self._speech)
        level_db = 10.0 * math.log10(self._speech + _TINY)
        return min(1.0, max(0.0, (_SPEECH_FROM_DB - level_db) / (_SPEECH_FROM_DB - _PAUSE_FROM_DB)))

    def _begin(self, power: FloatArray) -> None:
        """Take the first frame for noise, its chance peaks and dips smoothed away.

        Where it was speech, the estimate falls within some frames.
        """
        self._noise = np.convolve(power, _FIRST_SMOOTHING, "same").astype(np.float32)
        self._smooth = power.copy()
        self._minimum = power.copy()
        self._minimum_before = power.copy()
        self._presence = np.full_like(power, 0.5)

    def _track(self, power: FloatArray) -> FloatArray:
        """Noise power (n_bins,) after this frame."""
        noise = self._noise
        exponent = np.minimum(power / noise * np.float32(_SLOPE), np.float32(50.0))
        speech = np.float32(1.0) / (np.float32(1.0) + np.float32(_ODDS) * np.exp(-exponent))
        self._presence += (np.float32(1.0) - self._keep_presence) * (speech - self._presence)
        certain = self._presence > np.float32(_PRESENCE_LIMIT)
        speech = np.where(certain, np.minimum(speech, np.float32(_PRESENCE_LIMIT)), speech)
        heard = power + speech * (noise - power)
        noise = heard + self._keep_noise * (noise - heard)
        self._noise = np.maximum(noise, self._recent_minimum(power))
        return self._noise

    def _recent_minimum(self, power: FloatArray) -> FloatArray:
        """Smallest smoothed power (n_bins,) of the stretch before and of this one."""
        self._smooth = power + self._keep_smooth * (self._smooth - power)
        np.minimum(self._minimum, self._smooth, out=self._minimum)
        lowest = np.minimum(self._minimum, self._minimum_before)
        self._tick += 1
        if self._tick % self._stretch == 0:
            self._minimum_before, self._minimum = self._minimum, self._smooth.copy()
        return np.asarray(lowest, np.float32)
