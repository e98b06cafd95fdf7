"""Pitch and harmonics-to-noise ratio of a recording, by the method of Praat.

P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound" (1993): autocorrelation of the windowed frame divided by the window's own, candidates, and the cheapest path
through them. Not for a live stream: the path is found from the end. T is frames, 10 ms apart, K candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float64]

HOP_S = 0.01
MINIMUM_HZ, MAXIMUM_HZ = 50.0, 800.0
_PERIODS = 3.0
"""Periods of the lowest pitch in a window."""
_FINER = 4
"""Points of the autocorrelation per sample, by zero-padding its spectrum."""
_CANDIDATES = 8
_VOICING_THRESHOLD = 0.5
_SILENCE_THRESHOLD = 0.05
_SHORTEST_S = 0.05
"""A voiced stretch that is shorter is an accident of noise."""
_OCTAVE_COST = 0.05
"""Praat's own 0.01 follows the subharmonics of rough voices an octave down."""
_OCTAVE_JUMP_COST = 0.35
_VOICING_COST = 0.14
_NEVER = -1e9
_HIGHEST_PERIODICITY = 0.9999


@dataclass(frozen=True)
class PitchTrack:
    """Frame t is centred t * 10 ms after the beginning."""

    f0_hz: Array
    """(T,) NaN where unvoiced."""
    voiced: NDArray[np.bool_]
    """(T,)"""
    hnr_db: Array
    """(T,) harmonics-to-noise ratio, at most 40 dB; NaN where unvoiced."""


def track_pitch(samples: NDArray[np.floating], sample_rate_hz: int) -> PitchTrack:
    """Pitch of samples (n,)."""
    signal = np.asarray(samples, np.float64)
    n_frames = int(len(signal) / sample_rate_hz / HOP_S)
    correlation = _autocorrelation(signal, sample_rate_hz, n_frames)
    lag_hz, strength = _candidates(correlation, sample_rate_hz)
    silence = _silence(signal, sample_rate_hz, n_frames)
    path = _cheapest_path(lag_hz, strength, silence)
    rows = np.arange(n_frames)
    voiced = _long_enough(path < _CANDIDATES)
    column = np.minimum(path, _CANDIDATES - 1)
    f0 = np.where(voiced, lag_hz[rows, column], np.nan)
    periodicity = np.clip(strength[rows, column], 1e-3, _HIGHEST_PERIODICITY)
    hnr = np.where(voiced, 10.0 * np.log10(periodicity / (1.0 - periodicity)), np.nan)
    return PitchTrack(f0, voiced, hnr)


def _long_enough(voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voicing (T,) without its shortest stretches."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(int)))
    kept = np.zeros_like(voiced)
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        kept[start:stop] = (stop - start) * HOP_S >= _SHORTEST_S
    return kept


def _autocorrelation(signal: Array, sample_rate_hz: int, n_frames: int) -> Array:
    """Window-corrected autocorrelation (T, lags) up to the longest period, `_FINER` points a sample."""
    length = round(_PERIODS / MINIMUM_HZ * sample_rate_hz)
    hop = round(HOP_S * sample_rate_hz)
    padded = np.pad(signal, (length // 2, length))
    frames = sliding_window_view(padded, length)[::hop][:n_frames]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(length)
    n_fft = 1 << int(np.ceil(np.log2(1.5 * length)))
    longest = int(np.ceil(sample_rate_hz / MINIMUM_HZ)) * _FINER + 2

    def correlate(rows: Array) -> Array:
        power = np.abs(np.fft.rfft(rows, n_fft)) ** 2
        return np.asarray(np.fft.irfft(power, n_fft * _FINER)[:, :longest])

    own = correlate(np.hanning(length)[None])
    found = correlate(frames)
    return np.asarray(found / (found[:, :1] + 1e-12) / (own / own[:, :1]))


def _candidates(correlation: Array, sample_rate_hz: int) -> tuple[Array, Array]:
    """Frequencies and periodicities (T, K) of the best peaks, best first; `_NEVER` strong where there are fewer."""
    first = int(sample_rate_hz / MAXIMUM_HZ) * _FINER
    inner = correlation[:, first:-1]
    lags = (first + np.arange(inner.shape[1])) / _FINER
    peak = (inner > correlation[:, first - 1 : -2]) & (inner >= correlation[:, first + 1 :])
    score = np.where(peak, inner + _OCTAVE_COST * np.log2(sample_rate_hz / lags / MINIMUM_HZ), _NEVER)
    best = np.argsort(-score, axis=1)[:, :_CANDIDATES]
    strength = np.where(np.take_along_axis(peak, best, 1), np.take_along_axis(inner, best, 1), _NEVER)
    return np.asarray(sample_rate_hz / lags[best]), strength


def _silence(signal: Array, sample_rate_hz: int, n_frames: int) -> Array:
    """Strength (T,) of the unvoiced candidate: more in frames that are quiet against the whole."""
    length, hop = round(0.02 * sample_rate_hz), round(HOP_S * sample_rate_hz)
    padded = np.pad(np.abs(signal), (length // 2, length))
    peak = sliding_window_view(padded, length)[::hop][:n_frames].max(axis=1)
    relative = peak / (np.percentile(peak, 99) + 1e-12)
    quiet = 2.0 - relative / (_SILENCE_THRESHOLD / (1.0 + _VOICING_THRESHOLD))
    return np.asarray(_VOICING_THRESHOLD + np.maximum(quiet, 0.0))


def _cheapest_path(lag_hz: Array, strength: Array, silence: Array) -> NDArray[np.intp]:
    """Candidate (T,) of each frame, `_CANDIDATES` where unvoiced, by dynamic programming."""
    octaves = np.log2(lag_hz / MINIMUM_HZ)
    # The bonus for high candidates decides between them; how periodic the best one is decides on voicing.
    bonus = _OCTAVE_COST * (octaves - octaves[:, :1])
    local = np.concatenate([np.where(strength > _NEVER, strength + bonus, _NEVER), silence[:, None]], axis=1)
    n_frames, n_states = local.shape
    before = np.zeros((n_frames, n_states), np.intp)
    total = local[0] if n_frames else np.zeros(n_states)
    change = np.full((n_states, n_states), _VOICING_COST)
    change[-1, -1] = 0.0
    for t in range(1, n_frames):
        change[:-1, :-1] = _OCTAVE_JUMP_COST * np.abs(octaves[t - 1][:, None] - octaves[t])
        value = total[:, None] - change
        before[t] = value.argmax(axis=0)
        total = value.max(axis=0) + local[t]
    path = np.zeros(n_frames, np.intp)
    state = int(total.argmax())
    for t in range(n_frames - 1, -1, -1):
        path[t] = state
        state = int(before[t, state])
    return path
