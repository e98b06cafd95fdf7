"""Sources that are not the target: the same words from another throat, microphone and room.

Everything happens on power spectra, where it is cheap: a random vocal tract (warped mel matrix), equaliser, level,
background noise, reverberation and band limit. The result goes through the device's own level tracking and spectrum
normalisation, from a cold start as often as not. Ranges: `SourcePerturbation`; their effect compounds, so they are
narrower than each alone would bear. Reconstructing a voice from its own disguise is the idea of NANSY (Choi et al.
2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice import mel
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.normalise import LevelTracker, SpectrumNormaliser


@dataclass(frozen=True)
class SourcePerturbation:
    """Ranges from which a source is drawn."""

    formant_minimum: float = 0.85
    formant_maximum: float = 1.18
    """Vocal tract relative to an aligned speaker."""
    level_db: float = 8.0
    """Largest deviation of the level."""
    equaliser_nats: float = 0.4
    """Standard deviation of each cosine of the equaliser, natural log of amplitude."""
    equaliser_cosines: int = 5
    noise_probability: float = 0.7
    noise_snr_db: tuple[float, float] = (4.0, 50.0)
    babble_probability: float = 0.1
    """Sources with somebody else talking behind them."""
    babble_snr_db: tuple[float, float] = (8.0, 30.0)
    reverb_probability: float = 0.5
    reverb_decay_s: tuple[float, float] = (0.08, 0.6)
    """Time in which reverberant power falls by 60 dB."""
    reverb_direct_db: tuple[float, float] = (-1.0, 15.0)
    """Power of the direct sound relative to the room's."""
    band_limit_probability: float = 0.1
    codec_probability: float = 0.1
    """Sources whose faint parts are missing, as after lossy coding."""
    codec_depth_db: tuple[float, float] = (18.0, 40.0)
    """How far below the loudest of a frame a bin must lie to be lost."""
    clean_probability: float = 0.1
    """Sources that are left as they are, but for the vocal tract."""


def perturb(
    power: FloatArray,
    spec: FrontEndSpec,
    ranges: SourcePerturbation,
    rng: np.random.Generator,
    babble: FloatArray | None = None,
) -> FloatArray:
    """A recording condition applied to power (T, n_bins); ``babble`` is power of other speech for the background."""
    if rng.random() < ranges.clean_probability:
        return power
    gain = 10.0 ** (rng.uniform(-ranges.level_db, ranges.level_db) / 10.0)
    power = power * (gain * _equaliser(power.shape[1], ranges, rng))
    if rng.random() < ranges.reverb_probability:
        power = _reverberate(power, spec, ranges, rng)
    if babble is not None:
        snr = 10.0 ** (rng.uniform(*ranges.babble_snr_db) / 10.0)
        power = power + babble * (power.mean() / snr / max(float(babble.mean()), 1e-12))
    if rng.random() < ranges.noise_probability:
        power = _add_noise(power, ranges, rng)
    if rng.random() < ranges.codec_probability:
        power = _lose_faint_bins(power, ranges, rng)
    if rng.random() < ranges.band_limit_probability:
        hz = np.arange(power.shape[1]) * (spec.sample_rate_hz / spec.n_fft)
        low, high = rng.uniform(50.0, 300.0), rng.uniform(3300.0, 6500.0)
        power = power * (1.0 / (1.0 + (hz / high) ** 24) / (1.0 + (low / np.maximum(hz, 1.0)) ** 12))
    return power.astype(np.float32, copy=False)


def _equaliser(n_bins: int, ranges: SourcePerturbation, rng: np.random.Generator) -> FloatArray:
    """Smooth random power response (n_bins,) on a roughly logarithmic axis."""
    axis = np.log1p(np.arange(n_bins) / 8.0) / np.log1p(n_bins / 8.0)
    log_gain = np.zeros(n_bins)
    for k in range(1, ranges.equaliser_cosines + 1):
        log_gain += rng.normal(0.0, ranges.equaliser_nats) * np.cos(np.pi * k * axis + rng.uniform(0, 2 * np.pi)) / k
    return np.exp(2.0 * log_gain).astype(np.float32)


def _reverberate(
    power: FloatArray, spec: FrontEndSpec, ranges: SourcePerturbation, rng: np.random.Generator
) -> FloatArray:
    """A room: an exponential tail behind every frame, of random phase against what sounds then."""
    per_hop = 10.0 ** (-6.0 * spec.hop_length / spec.sample_rate_hz / rng.uniform(*ranges.reverb_decay_s))
    wet = 10.0 ** (-rng.uniform(*ranges.reverb_direct_db) / 10.0) * (1.0 - per_hop) / per_hop
    tail = np.zeros_like(power)
    for t in range(1, len(power)):
        tail[t] = per_hop * (tail[t - 1] + power[t - 1])
    return _with_gaussian(power, np.float32(wet) * tail, rng)


def _add_noise(power: FloatArray, ranges: SourcePerturbation, rng: np.random.Generator) -> FloatArray:
    """Coloured noise: its spectrum falls by a random slope."""
    snr = 10.0 ** (rng.uniform(*ranges.noise_snr_db) / 10.0)
    slope = rng.uniform(0.0, 1.6)
    shape = (np.arange(power.shape[1]) + 4.0) ** -slope * _equaliser(power.shape[1], ranges, rng)
    shape *= power.mean() / snr / shape.mean()
    return _with_gaussian(power, shape.astype(np.float32), rng)


def _with_gaussian(power: FloatArray, variance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Power (T, n_bins) of speech plus a complex Gaussian of this variance, (n_bins,) or (T, n_bins)."""
    # Speech lies along the real axis; so its phase against the other is random.
    deviation = np.sqrt(np.float32(0.5) * variance)
    real, imaginary = rng.standard_normal((2, *power.shape), dtype=np.float32) * deviation
    return np.square(np.sqrt(power) + real) + np.square(imaginary)


def _lose_faint_bins(power: FloatArray, ranges: SourcePerturbation, rng: np.random.Generator) -> FloatArray:
    """What a lossy codec at a low rate leaves: bins far below the loudest of their frame are gone."""
    depth = 10.0 ** (rng.uniform(*ranges.codec_depth_db) / 10.0)
    faint = power < power.max(axis=1, keepdims=True) / depth
    return np.where(faint, power * 1e-3, power)


def source_features(power: FloatArray, spec: FrontEndSpec, warp: float, skip: int) -> tuple[FloatArray, FloatArray]:
    """What the device would read: normalised mel (T - skip, n_mels) and energy (T - skip,) of power (T, n_bins).

    ``warp`` moves the formants; the first ``skip`` frames only warm the running averages up.
    """
    level = LevelTracker(spec).process(mel.log_energy(power, spec))
    log_mel = mel.log_mel(power, mel.mel_matrix(spec, round(warp, 2)), spec)
    return SpectrumNormaliser(spec).process(log_mel, level)[skip:], level.energy[skip:]
