"""Every measure against a signal whose truth is known: what judges the controls must itself be right."""

from __future__ import annotations

import numpy as np
import pytest

from train.voice.acoustics import average_spectrum, band_share_db, formant_ratio, measure, spectral_tilt
from train.voice.boersma import track_pitch

RATE_HZ = 16_000


def voice(
    f0_hz: float | np.ndarray, seconds: float = 2.0, *, formants: float = 1.0, noise: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Three formants that wander like vowels do, times ``formants``, (n,); ``noise`` is its power against the voice."""
    n = round(seconds * RATE_HZ)
    f0 = np.broadcast_to(np.asarray(f0_hz, np.float64), (n,))
    phase, t = 2 * np.pi * np.cumsum(f0) / RATE_HZ, np.arange(n) / RATE_HZ
    first = 500 + 250 * np.sin(2 * np.pi * 1.1 * t)
    second = 1600 + 500 * np.sin(2 * np.pi * 0.7 * t + 1)
    out = np.zeros(n)
    for harmonic in range(1, int(7900 / f0.max())):
        hz = harmonic * f0 / formants
        peaks = [(first, 120.0, 1.0), (second, 180.0, 0.5), (2800.0, 250.0, 0.3)]
        gain = sum(weight / (1 + ((hz - centre) / width) ** 2) for centre, width, weight in peaks)
        out += (gain + 0.003) * np.cos(harmonic * phase)
    out /= np.sqrt(np.mean(out**2))
    return 0.05 * (out + np.sqrt(noise) * np.random.default_rng(seed).standard_normal(n))


def melody(hz: float, seconds: float = 2.0) -> np.ndarray:
    """Pitch that moves three semitones up and down about ``hz``, (n,): steady harmonics would miss formants."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(hz * 2 ** (0.25 * np.sin(2 * np.pi * 1.3 * t)))


def coloured(db_per_octave: float, seconds: float = 4.0) -> np.ndarray:
    """Noise whose spectrum falls or rises by that much, (n,)."""
    n = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / RATE_HZ), 20.0)
    noise = 0.05 * np.fft.irfft(spectrum * (frequency / 1000.0) ** (db_per_octave / (20 * np.log10(2))), n)
    return noise * np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / 800)  # a step has a spectrum too


@pytest.mark.parametrize("hz", [60.0, 98.0, 151.0, 233.0, 410.0, 700.0])
def test_pitch_is_found_from_a_bass_to_a_child(hz: float) -> None:
    found = measure(voice(hz), RATE_HZ)
    assert 12 * abs(np.log2(found.f0_median_hz / hz)) < 0.1
    assert found.f0_range_semitones < 0.3
    assert found.voiced_share > 0.9


def test_range_of_the_pitch_is_in_semitones() -> None:
    """A glide from 100 to 200 Hz spends its time evenly: the middle nine tenths of twelve semitones."""
    found = measure(voice(np.geomspace(100.0, 200.0, 4 * RATE_HZ), 4.0), RATE_HZ)
    assert found.f0_range_semitones == pytest.approx(10.8, abs=0.5)
    assert found.f0_median_hz == pytest.approx(np.sqrt(2) * 100, rel=0.02)


def test_noise_has_no_pitch() -> None:
    track = track_pitch(coloured(-6.0), RATE_HZ)
    assert track.voiced.mean() < 0.1


def test_share_of_voicing() -> None:
    """Half voice, half noise of the same power."""
    samples = np.concatenate([voice(120.0), 0.05 * np.random.default_rng(0).standard_normal(2 * RATE_HZ)])
    assert measure(samples, RATE_HZ).voiced_share == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("hnr_db", [0.0, 5.0, 10.0, 20.0])
def test_harmonics_to_noise_ratio(hnr_db: float) -> None:
    """White noise added at a known ratio to a steady voice."""
    phase = 2 * np.pi * 151.0 * np.arange(2 * RATE_HZ) / RATE_HZ
    steady = sum(np.cos(k * phase) / k for k in range(1, 20))
    noise = np.random.default_rng(1).standard_normal(len(phase)) * np.sqrt(np.mean(steady**2) / 10 ** (hnr_db / 10))
    track = track_pitch(steady + noise, RATE_HZ)
    assert np.median(track.hnr_db[track.voiced]) == pytest.approx(hnr_db, abs=1.5)


@pytest.mark.parametrize("gain_db", [-20.0, 6.0])
def test_energy_follows_gain_and_ignores_pauses(gain_db: float) -> None:
    spoken = voice(120.0)
    plain = measure(spoken, RATE_HZ).energy_dbfs
    assert plain == pytest.approx(20 * np.log10(0.05), abs=0.5)
    padded = np.concatenate([10 ** (gain_db / 20) * spoken, np.zeros(2 * RATE_HZ)])
    assert measure(padded, RATE_HZ).energy_dbfs - plain == pytest.approx(gain_db, abs=0.3)


def test_range_of_the_energy() -> None:
    """Loud and soft syllables 12 dB apart."""
    loud = voice(120.0, 0.5)
    samples = np.tile(np.concatenate([loud, loud / 4]), 4)
    assert measure(samples, RATE_HZ).energy_range_db == pytest.approx(12.0, abs=1.5)


@pytest.mark.parametrize("slope", [-12.0, -6.0, 0.0, 3.0])
def test_tilt_of_the_spectrum(slope: float) -> None:
    power = average_spectrum(coloured(slope), RATE_HZ)
    assert spectral_tilt(power, RATE_HZ) == pytest.approx(slope, abs=0.4)


def test_share_of_a_band() -> None:
    """White noise has 3 of its 8 kHz between 2 and 5 kHz."""
    power = average_spectrum(coloured(0.0), RATE_HZ)
    assert band_share_db(power, RATE_HZ, (2000.0, 5000.0)) == pytest.approx(10 * np.log10(3 / 8), abs=0.2)


@pytest.mark.parametrize("ratio", [0.6, 0.75, 0.9, 1.0, 1.15, 1.35, 1.6])
@pytest.mark.parametrize("other_hz", [110.0, 190.0])
def test_ratio_of_the_formants_whatever_the_pitch(ratio: float, other_hz: float) -> None:
    before, after = voice(melody(110.0)), voice(melody(other_hz), formants=ratio)
    assert formant_ratio(before, after, RATE_HZ) == pytest.approx(ratio, rel=0.02)


def test_ratio_of_the_formants_is_not_fooled_by_tilt() -> None:
    before, after = voice(melody(110.0)), voice(melody(150.0), formants=1.2)
    spectrum = np.fft.rfft(after)
    frequency = np.maximum(np.fft.rfftfreq(len(after), 1 / RATE_HZ), 100.0)
    darker = np.fft.irfft(spectrum * (frequency / 1000.0) ** -1.0, len(after))
    assert formant_ratio(before, darker, RATE_HZ) == pytest.approx(1.2, rel=0.02)


def test_a_whisper_has_no_pitch_and_no_formant_ratio() -> None:
    """Where there is nothing to measure it on, the answer is NaN and not a number."""
    whisper = coloured(-3.0, 2.0)
    assert np.isnan(formant_ratio(voice(120.0), np.zeros(2 * RATE_HZ), RATE_HZ))
    assert measure(whisper, RATE_HZ).voiced_share < 0.1
    silent = measure(0.01 * whisper, RATE_HZ)
    assert silent.energy_dbfs == pytest.approx(measure(whisper, RATE_HZ).energy_dbfs - 40.0, abs=0.1)
