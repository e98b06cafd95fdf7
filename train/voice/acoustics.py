"""What a control promises to move, measured: pitch, loudness, spectrum, harmonicity, and formants between recordings.

Everything here is independent of the signal path it judges: the pitch is P. Boersma's own algorithm (1993, "Accurate
short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound", the method of
Praat), with the path through the candidates by dynamic programming. Recordings are (n,), mono, of one speaker, a
second or longer. T is frames, 10 ms apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from train.voice.boersma import HOP_S, PitchTrack, track_pitch

Array = NDArray[np.float64]

_ACTIVE_BELOW_PEAK_DB = 35.0
_FRAME_S = 0.032
_TILT_HZ = (500.0, 4000.0)
_PRESENCE_HZ = (2000.0, 5000.0)
_TINY = 1e-20


@dataclass(frozen=True)
class Acoustics:
    """What was measured; NaN where there is nothing to measure it on, such as the pitch of a whisper."""

    f0_median_hz: float
    f0_range_semitones: float
    """From the 5th to the 95th percentile of voiced frames."""
    voiced_share: float
    """Voiced among active frames."""
    energy_dbfs: float
    """RMS of active frames."""
    energy_range_db: float
    """From the 10th to the 95th percentile of active frames."""
    tilt_db_per_octave: float
    """Slope of the average spectrum of active frames, 500 to 4000 Hz."""
    hnr_db: float
    """Median harmonics-to-noise ratio of voiced frames."""
    presence_db: float
    """Share of the energy of active frames that lies between 2 and 5 kHz."""


def measure(samples: NDArray[np.floating], sample_rate_hz: int) -> Acoustics:
    """All quantities of one recording (n,)."""
    signal = np.asarray(samples, np.float64)
    pitch = track_pitch(signal, sample_rate_hz)
    frames = _frames(signal, sample_rate_hz, len(pitch.f0_hz))
    level = 10.0 * np.log10(np.mean(frames**2, axis=1) + _TINY)
    active = level > np.percentile(level, 99) - _ACTIVE_BELOW_PEAK_DB
    power = _power(frames[active])
    return Acoustics(
        f0_median_hz=_median(pitch.f0_hz[pitch.voiced]),
        f0_range_semitones=_range(12.0 * np.log2(pitch.f0_hz[pitch.voiced]), 5, 95),
        voiced_share=float(np.mean(pitch.voiced[active])),
        energy_dbfs=float(10.0 * np.log10(np.mean(frames[active] ** 2) + _TINY)),
        energy_range_db=_range(level[active], 10, 95),
        tilt_db_per_octave=spectral_tilt(power, sample_rate_hz),
        hnr_db=_median(pitch.hnr_db[pitch.voiced]),
        presence_db=band_share_db(power, sample_rate_hz, _PRESENCE_HZ),
    )


def spectral_tilt(power: Array, sample_rate_hz: int) -> float:
    """Slope in dB per octave of the average spectrum (n_bins,), by regression over third octaves, 500 to 4000 Hz."""
    frequency = np.linspace(0, sample_rate_hz / 2, len(power))
    centres = np.arange(np.log2(_TILT_HZ[0]), np.log2(_TILT_HZ[1]) + 0.01, 1 / 3)
    octaves = np.log2(np.maximum(frequency, 1.0))
    bands = [power[np.abs(octaves - centre) <= 1 / 6].mean() for centre in centres]
    return float(np.polyfit(centres, 10.0 * np.log10(np.asarray(bands) + _TINY), 1)[0])


def band_share_db(power: Array, sample_rate_hz: int, band_hz: tuple[float, float]) -> float:
    """Energy of a band relative to all of the spectrum (n_bins,), dB."""
    frequency = np.linspace(0, sample_rate_hz / 2, len(power))
    inside = (frequency >= band_hz[0]) & (frequency <= band_hz[1])
    return float(10.0 * np.log10(power[inside].sum() / (power.sum() + _TINY) + _TINY))


def average_spectrum(samples: NDArray[np.floating], sample_rate_hz: int) -> Array:
    """Average power (n_bins,), 0 to half the rate, of the active frames of samples (n,)."""
    signal = np.asarray(samples, np.float64)
    frames = _frames(signal, sample_rate_hz, int(len(signal) / sample_rate_hz / HOP_S))
    level = 10.0 * np.log10(np.mean(frames**2, axis=1) + _TINY)
    return _power(frames[level > np.percentile(level, 99) - _ACTIVE_BELOW_PEAK_DB])


def _power(frames: Array) -> Array:
    spectrum = np.fft.rfft(frames * np.hanning(frames.shape[1]))
    return np.asarray(np.mean(np.abs(spectrum) ** 2, axis=0))


def _frames(signal: Array, sample_rate_hz: int, n_frames: int) -> Array:
    """Frames (T, n) centred every 10 ms."""
    length, hop = round(_FRAME_S * sample_rate_hz), round(HOP_S * sample_rate_hz)
    padded = np.pad(signal, (length // 2, length + hop))
    return np.asarray(sliding_window_view(padded, length)[::hop][:n_frames])


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _range(values: Array, low: float, high: float) -> float:
    return float(np.subtract(*np.percentile(values, [high, low]))) if len(values) else float("nan")


_GRID_STEP = 0.01
_GRID = np.arange(np.log(250.0), np.log(5500.0), _GRID_STEP)
"""Natural log of Hz."""
_LARGEST_LOG_RATIO = float(np.log(1.75))
_DETAIL, _TREND = 0.06, 0.5
"""Envelopes are compared between these widths (natural log of frequency): finer is pitch, coarser is tilt."""


def formant_ratio(before: NDArray[np.floating], after: NDArray[np.floating], sample_rate_hz: int) -> float:
    """Frequency ratio by which the formants of ``after`` lie above those of ``before``, both (n,); NaN if unknown.

    Both must say the same at the same time, as a recording before and after conversion. Envelopes are read off the
    harmonics of frames that are voiced in both; the ratio, 0.57 to 1.75, is where they correlate best.
    """
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    tracks = track_pitch(first, sample_rate_hz), track_pitch(second, sample_rate_hz)
    n_frames = min(len(track.f0_hz) for track in tracks)
    both = np.flatnonzero(tracks[0].voiced[:n_frames] & tracks[1].voiced[:n_frames])
    if len(both) < 10:
        return float("nan")
    one, other = (
        _envelopes(signal, track, both, sample_rate_hz) for signal, track in zip((first, second), tracks, strict=True)
    )
    steps = np.arange(-round(_LARGEST_LOG_RATIO / _GRID_STEP), round(_LARGEST_LOG_RATIO / _GRID_STEP) + 1)
    likeness = np.asarray([_likeness(one, other, int(step)) for step in steps])
    best = int(np.clip(likeness.argmax(), 1, len(steps) - 2))
    down, peak, up = likeness[best - 1 : best + 2]
    curvature = down - 2.0 * peak + up
    shift = 0.5 * (down - up) / curvature if curvature < 0.0 else 0.0
    return float(np.exp((steps[best] + np.clip(shift, -0.5, 0.5)) * _GRID_STEP))


def formant_depth_db(samples: NDArray[np.floating], sample_rate_hz: int) -> float:
    """How deep peaks and valleys of the envelope of voiced frames are: standard deviation in dB; NaN if unknown."""
    signal = np.asarray(samples, np.float64)
    track = track_pitch(signal, sample_rate_hz)
    voiced = np.flatnonzero(track.voiced)
    if len(voiced) < 10:
        return float("nan")
    return float(_envelopes(signal, track, voiced, sample_rate_hz).std() * 10.0 / np.log(10.0))


def _likeness(one: Array, other: Array, step: int) -> float:
    """Correlation of ``one`` moved up by ``step`` grid points with ``other``."""
    a = one[:, max(0, -step) : one.shape[1] - max(0, step)]
    b = other[:, max(0, step) : other.shape[1] - max(0, -step)]
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return float(np.sum(a * b) / (np.sqrt(np.sum(a * a) * np.sum(b * b)) + _TINY))


def _envelopes(signal: Array, track: PitchTrack, frames: NDArray[np.intp], sample_rate_hz: int) -> Array:
    """Detail (N, grid) of the log envelopes of the given frames, through the tops of their harmonics."""
    length, hop = 2 * round(0.025 * sample_rate_hz), round(HOP_S * sample_rate_hz)
    n_fft = 4096
    padded = np.pad(signal, (length // 2, length))
    bin_hz = sample_rate_hz / n_fft
    envelopes = np.empty((len(frames), len(_GRID)))
    for row, frame in enumerate(frames.tolist()):
        piece = padded[frame * hop : frame * hop + length] * np.hanning(length)
        log_power = np.log(np.abs(np.fft.rfft(piece, n_fft)) ** 2 + _TINY)
        f0_hz = float(track.f0_hz[frame])
        harmonics = np.arange(1, int(min(6500.0, sample_rate_hz / 2 - f0_hz) / f0_hz) + 1)
        width = max(1, int(0.25 * f0_hz / bin_hz))
        near = np.rint(harmonics * f0_hz / bin_hz).astype(int)[:, None] + np.arange(-width, width + 1)
        tops = log_power[near].max(axis=1)
        envelopes[row] = np.interp(_GRID, np.log(harmonics * f0_hz), tops)
    return _smoothed(envelopes, _DETAIL) - _smoothed(envelopes, _TREND)


def _smoothed(rows: Array, width: float) -> Array:
    """Rows (N, grid) smoothed by a Gaussian of this standard deviation; the ends are held."""
    reach = round(3.0 * width / _GRID_STEP)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _GRID_STEP / width) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(rows, ((0, 0), (reach, reach)), mode="edge")
    n = padded.shape[1] + len(kernel) - 1
    product = np.fft.rfft(padded, n) * np.fft.rfft(kernel, n)
    return np.asarray(np.fft.irfft(product, n)[:, 2 * reach : 2 * reach + rows.shape[1]])
