"""The denoiser takes noise and leaves speech, adds no delay, and never shows how a stream was cut."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.voice import mel
from edge_runtime.voice.denoise import Denoiser
from edge_runtime.voice.framing import frame_signal
from edge_runtime.voice.front_end import Features, FrontEnd
from tests.edge_runtime.voice.heard import Speaker
from tests.edge_runtime.voice.signals import RATE_HZ, SPEC, random_cuts

LOOKAHEAD = 2


def coloured(kind: str, n: int, seed: int = 0) -> np.ndarray:
    """White or pink noise of unit power, (n,)."""
    noise = np.random.default_rng(seed).standard_normal(n)
    if kind == "pink":
        spectrum = np.fft.rfft(noise)
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0)), n)
    return np.asarray(noise / np.std(noise))


def noisy(speech: np.ndarray, kind: str, snr_db: float) -> np.ndarray:
    """Speech with noise that many dB below its active parts."""
    active = speech[np.abs(speech) > 0.02 * np.abs(speech).max()]
    scale = np.sqrt(np.mean(active**2)) * 10 ** (-snr_db / 20)
    return (speech + scale * coloured(kind, len(speech))).astype(np.float32)


def power_of(samples: np.ndarray) -> np.ndarray:
    return mel.power_spectrum(frame_signal(samples, SPEC.win_length, SPEC.hop_length), SPEC)


def heard(samples: np.ndarray, denoise: float) -> Features:
    front_end = FrontEnd(SPEC, LOOKAHEAD)
    front_end.denoise = denoise
    front_end.prime(samples)
    return front_end.push(samples)


@pytest.mark.parametrize("seed", range(2))
def test_any_chunking_gives_the_same_features(speaker: Speaker, seed: int) -> None:
    samples = noisy(speaker.speech, "white", 10.0)[: 2 * RATE_HZ]
    front_end, pieces_of = FrontEnd(SPEC, LOOKAHEAD), FrontEnd(SPEC, LOOKAHEAD)
    front_end.denoise = pieces_of.denoise = 0.8
    whole = front_end.push(samples)
    pieces = [pieces_of.push(samples[cut]) for cut in random_cuts(len(samples), np.random.default_rng(seed))]
    for name in ("mel", "log_f0", "voiced", "energy", "level"):
        joined = np.concatenate([getattr(piece, name) for piece in pieces])
        assert np.abs(joined - getattr(whole, name)).max() < 1e-3, name


def test_reset_forgets_the_noise() -> None:
    power = power_of(0.1 * coloured("white", RATE_HZ))
    denoiser = Denoiser(SPEC)
    first = denoiser.gains(power, 1.0)
    denoiser.reset()
    assert np.array_equal(first, denoiser.gains(power, 1.0))


@pytest.mark.parametrize("kind", ["white", "pink"])
def test_noise_alone_falls(kind: str) -> None:
    power = power_of(0.05 * coloured(kind, 5 * RATE_HZ))
    gains = Denoiser(SPEC).gains(power, 1.0)[150:]
    assert 10 * np.log10(np.median(gains)) < -10
    assert 10 * np.log10((gains * power[150:]).mean() / power[150:].mean()) < -6


def test_a_noise_that_starts_suddenly_is_found_within_two_and_a_half_seconds() -> None:
    samples = np.concatenate([1e-4 * coloured("white", RATE_HZ), 0.05 * coloured("white", 4 * RATE_HZ, 1)])
    power = power_of(samples)
    out = Denoiser(SPEC).gains(power, 1.0) * power
    late = slice(100 + 250, None)
    assert 10 * np.log10(out[late].mean() / power[late].mean()) < -10


def test_clean_speech_is_left_alone(speaker: Speaker) -> None:
    """Its active frames keep their energy within half a dB, and the bands change by less than noise would."""
    plain, denoised = heard(speaker.speech, 0.0), heard(speaker.speech, 1.0)
    active = plain.energy > -2.5
    lag = LOOKAHEAD  # energy is of the frame answered for, mel of the one read
    change = np.abs(denoised.mel[:-lag] - plain.mel[:-lag])[active[lag:]] * 2.0  # natural log of power
    assert np.mean(change) * 10 / np.log(10) < 3.5
    assert abs(np.median((denoised.energy + denoised.level - plain.energy - plain.level)[active])) < 0.12
    assert np.mean(denoised.voiced == plain.voiced) > 0.88


@pytest.mark.parametrize("kind", ["white", "pink"])
@pytest.mark.parametrize("snr_db", [5.0, 10.0])
def test_pauses_fall_and_speech_stays(speaker: Speaker, kind: str, snr_db: float) -> None:
    clean = heard(speaker.speech, 0.0)
    mixed = noisy(speaker.speech, kind, snr_db)

    def level_db(features: Features, which: np.ndarray) -> float:
        return float(np.mean((features.energy + features.level)[which]) * 10 / np.log(10))

    before, after = (heard(mixed, strength) for strength in (0.0, 1.0))
    pause, loud = clean.energy < -5.5, clean.energy > 0.0
    assert level_db(before, pause) - level_db(after, pause) > 12
    assert level_db(after, loud) == pytest.approx(level_db(clean, loud), abs=2.5)


def test_voicing_is_heard_through_noise(speaker: Speaker) -> None:
    clean = heard(speaker.speech, 0.0)
    mixed = noisy(speaker.speech, "white", 5.0)
    found = [np.sum((heard(mixed, strength).voiced > 0.5) & (clean.voiced > 0.5)) for strength in (0.0, 1.0)]
    assert found[1] > 1.02 * found[0]


def test_a_conversion_of_noisy_speech_has_quieter_pauses(speaker: Speaker) -> None:
    """Noise 10 dB below the speech must come out far more than 10 dB below it: the voices were trained in noise."""
    pause = np.zeros(RATE_HZ, np.float32)
    mixed = noisy(np.concatenate([speaker.speech, pause]), "pink", 10.0)

    def level_db(samples: np.ndarray) -> float:
        return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))

    speech, tail = slice(0, len(speaker.speech)), slice(len(speaker.speech) + 3200, -1600)
    out = speaker.converter.convert(mixed, RATE_HZ)
    assert level_db(out[speech]) - level_db(out[tail]) > 10.0 + 4.0
