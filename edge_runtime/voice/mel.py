"""Power spectra and log-mel bands, with an optional warp of the frequency axis.

Power is scaled so that white noise of variance v has power v in every bin. Mel filters are triangles on the HTK scale,
each summing to one, spread over the bins by linear interpolation: unlike sampled triangles they are never empty where
bands are narrower than a bin (below ~700 Hz here), and the same construction evaluates them on a warped axis, which is
how formants are aligned on the device and how vocal tract length is varied in training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice.framing import FloatArray, hann

_POINTS_PER_BAND = 64


def hz_to_mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """HTK mel scale."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz, np.float64) / 700.0))


def mel_to_hz(mel: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel, np.float64) / 2595.0) - 1.0))


def band_edges_hz(n_bands: int, fmin_hz: float, fmax_hz: float) -> NDArray[np.float64]:
    """Edges and centres (n_bands + 2,) of triangles evenly spaced in mel; band b spans [b] .. [b + 2]."""
    return mel_to_hz(np.linspace(float(hz_to_mel(fmin_hz)), float(hz_to_mel(fmax_hz)), n_bands + 2))


@lru_cache(maxsize=64)
def mel_matrix(spec: FrontEndSpec, warp: float = 1.0) -> FloatArray:
    """Mel filters (n_bins, n_mels), columns summing to one.

    ``warp`` > 1 moves the formants of the input up by that ratio: band b reads the input at f / warp.
    Frequencies above Nyquist read the highest bin.
    """
    edges = band_edges_hz(spec.n_mels, spec.mel_fmin_hz, spec.mel_fmax_hz)
    offsets = (np.arange(_POINTS_PER_BAND) + 0.5) / _POINTS_PER_BAND
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = low + (high - low) * offsets  # (n_mels, points)
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    weights = np.minimum(rising, falling)
    weights /= weights.sum(axis=1, keepdims=True)
    position = np.clip(frequencies / warp * spec.n_fft / spec.sample_rate_hz, 0, spec.n_bins - 1 - 1e-9)
    bins = position.astype(int)
    fraction = position - bins
    matrix = np.zeros((spec.n_bins, spec.n_mels))
    columns = np.broadcast_to(np.arange(spec.n_mels)[:, None], bins.shape)
    np.add.at(matrix, (bins, columns), weights * (1.0 - fraction))
    np.add.at(matrix, (bins + 1, columns), weights * fraction)
    return matrix.astype(np.float32)


@lru_cache(maxsize=8)
def analysis_window(spec: FrontEndSpec) -> FloatArray:
    """Hann window (win_length,) scaled so that `power_spectrum` of unit-variance noise is one."""
    window = hann(spec.win_length)
    return np.asarray(window / np.sqrt(np.sum(window.astype(np.float64) ** 2)), np.float32)


def power_spectrum(frames: FloatArray, spec: FrontEndSpec) -> FloatArray:
    """Power (T, n_bins) of frames (T, win_length)."""
    return windowed_power(frames, analysis_window(spec), spec.n_fft)


def windowed_power(frames: FloatArray, window: FloatArray, n_fft: int) -> FloatArray:
    """`power_spectrum` for who keeps the window: a look into the cache hashes the whole spec, fifty times a second."""
    return squared_magnitude(np.fft.rfft(frames * window, n_fft))


def squared_magnitude(spectrum: NDArray[np.complexfloating[Any, Any]]) -> FloatArray:
    """|spectrum|² as float32, of the same shape.

    By way of the root, which NumPy takes of four numbers at once; real and imaginary parts, strided, cost twice that.
    """
    power: FloatArray = np.abs(spectrum).astype(np.float32, copy=False)
    return np.square(power, out=power)


def log_mel(power: FloatArray, matrix: FloatArray, spec: FrontEndSpec) -> FloatArray:
    """Natural log of mel power (T, n_mels) from power (T, n_bins); (T,) with one filter (n_bins,) for ``matrix``."""
    bands: FloatArray = power @ matrix
    bands += spec.power_floor
    return np.log(bands, out=bands)


@lru_cache(maxsize=8)
def energy_weights(spec: FrontEndSpec) -> FloatArray:
    """The mean mel filter (n_bins,), unwarped."""
    return np.ascontiguousarray(mel_matrix(spec).mean(axis=1))


def log_energy(power: FloatArray, spec: FrontEndSpec) -> FloatArray:
    """Natural log of the mean (unwarped) mel power (T,) from power (T, n_bins): how loud a frame is."""
    return log_mel(power, energy_weights(spec), spec)


class FormantAligner:
    """Picks the warp that brings a speaker's formants to where a speaker of `formant_reference_hz` has them.

    Mean F0 is a cheap and steady estimate of vocal tract length: ratio = (reference / F0) ** exponent, held between
    `formant_minimum` and `formant_maximum` in `formant_steps` steps, so that few matrices are ever built.
    """

    def __init__(self, spec: FrontEndSpec) -> None:
        self._spec = spec
        steps = np.geomspace(spec.formant_minimum, spec.formant_maximum, spec.formant_steps)
        self._log_ratios: list[float] = np.log(steps).tolist()
        self._log_reference = float(np.log(spec.formant_reference_hz))
        self._matrices = [mel_matrix(spec, float(ratio)) for ratio in steps]

    def ratio(self, mean_log_f0: float) -> float:
        """Warp ratio for a speaker with this mean log F0 (natural log of Hz)."""
        return math.exp(self._log_ratios[self._index(mean_log_f0)])

    def log_mel(self, power: FloatArray, mean_log_f0s: Sequence[float]) -> FloatArray:
        """Aligned log-mel (T, n_mels) of power (T, n_bins), each frame by the speaker's mean log F0 then, T values."""
        indices = [self._index(mean) for mean in mean_log_f0s]
        used = set(indices)
        if len(used) <= 1:
            return log_mel(power, self._matrices[used.pop() if used else 0], self._spec)
        out = np.empty((len(power), self._spec.n_mels), np.float32)
        for index in used:
            rows = np.equal(indices, index)
            out[rows] = log_mel(power[rows], self._matrices[index], self._spec)
        return out

    def _index(self, mean_log_f0: float) -> int:
        # plain numbers: on a board, arrays of two elements cost ten times as much
        first, second = self._log_ratios[:2]
        log_ratio = self._spec.formant_exponent * (self._log_reference - mean_log_f0)
        return min(max(round((log_ratio - first) / (second - first)), 0), len(self._matrices) - 1)
