"""A clip as a bad microphone in a bad room hears it: what the pitch tracker must cope with in training.

The network is told pitch and voicing by a tracker that errs in noise and reverberation. Trained on the tracks of clean
clips it believes every word of it, and on the device a vowel that is taken for unvoiced is then whispered: with the
clean track instead of the tracker's, a third of the words that rooms and noise cost come back
(``benchmarks/results/voice_training.md``). So training hears tracks of degraded clips as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from edge_runtime.voice.framing import FloatArray


@dataclass(frozen=True)
class Degradation:
    """Ranges from which a condition is drawn."""

    room_probability: float = 0.6
    decay_s: tuple[float, float] = (0.15, 0.7)
    """Time in which the reverberation falls by 60 dB."""
    direct_db: tuple[float, float] = (-2.0, 10.0)
    """Power of the direct sound relative to the room's."""
    first_reflection_s: float = 0.003
    noise_probability: float = 0.6
    noise_snr_db: tuple[float, float] = (2.0, 20.0)
    noise_slope: tuple[float, float] = (0.0, 0.9)
    """Exponent of the fall of the noise's amplitude over frequency: 0 is white, 0.5 pink."""


def degrade(
    samples: FloatArray, sample_rate_hz: int, rng: np.random.Generator, ranges: Degradation | None = None
) -> FloatArray:
    """The clip (n,) in a random room, in random noise, or both; the same length and timing."""
    ranges = ranges or Degradation()
    heard = samples.astype(np.float64)
    in_room = rng.random() < ranges.room_probability
    if in_room:
        heard = fftconvolve(heard, _room(sample_rate_hz, rng, ranges))[: len(samples)]
    if not in_room or rng.random() < ranges.noise_probability:
        noise = _noise(len(samples), rng, ranges)
        gain = np.std(heard) / max(float(np.std(noise)), 1e-12) * 10.0 ** (-rng.uniform(*ranges.noise_snr_db) / 20.0)
        heard = heard + gain * noise
    return heard.astype(np.float32)


def _room(sample_rate_hz: int, rng: np.random.Generator, ranges: Degradation) -> np.ndarray:
    """Impulse response: the direct sound, and after a moment Gaussian noise that decays exponentially."""
    n_samples = int(rng.uniform(*ranges.decay_s) * sample_rate_hz)
    tail = rng.standard_normal(n_samples) * 10.0 ** (-3.0 * np.arange(n_samples) / n_samples)
    tail[: int(ranges.first_reflection_s * sample_rate_hz)] = 0.0
    tail *= 10.0 ** (-rng.uniform(*ranges.direct_db) / 20.0) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail


def _noise(n_samples: int, rng: np.random.Generator, ranges: Degradation) -> np.ndarray:
    """Stationary noise (n_samples,) whose spectrum falls by a random slope."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    spectrum *= (np.arange(len(spectrum)) + 20.0) ** -rng.uniform(*ranges.noise_slope)
    return np.fft.irfft(spectrum, n_samples)
