"""Finding speech, cutting, levelling and measuring, on sounds whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge_runtime.media.resample import resample
from train.voice.clips import (
    CutSpec,
    bandwidth_hz,
    clipped_mask,
    find_activity,
    find_clips,
    frame_levels,
    level,
    speech_span,
)

RATE = 16_000


def speech_like(seconds: float, *, seed: int = 0, top_hz: float = 8000.0) -> np.ndarray:
    """Noise with the level changes of syllables and the slope of speech, about -20 dBFS."""
    chooser = np.random.default_rng(seed)
    noise = chooser.standard_normal(round(seconds * RATE))
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(len(noise), 1 / RATE)
    spectrum *= (frequency < top_hz) / (1.0 + (frequency / 800.0) ** 1.2)
    shaped = np.fft.irfft(spectrum, len(noise))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4.0 * np.arange(len(noise)) / RATE)
    return (0.1 * shaped / shaped.std() * syllables).astype(np.float32)


def recording(*parts: float, noise_dbfs: float = -60.0) -> np.ndarray:
    """Speech and pauses in turn, in seconds, beginning with a pause, over steady noise."""
    pieces = [
        speech_like(seconds, seed=i) if i % 2 else np.zeros(round(seconds * RATE), np.float32)
        for i, seconds in enumerate(parts)
    ]
    samples = np.concatenate(pieces)
    noise = np.random.default_rng(99).standard_normal(len(samples)) * 10 ** (noise_dbfs / 20)
    return (samples + noise).astype(np.float32)


def test_levels_of_a_full_scale_sine() -> None:
    sine = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE).astype(np.float32)
    np.testing.assert_allclose(frame_levels(sine)[2:-2], -3.01, atol=0.05)


def test_speech_is_found_and_silence_trimmed() -> None:
    start, stop = speech_span(recording(1.0, 3.0, 1.0))
    assert start == pytest.approx(1.0 * RATE, abs=0.03 * RATE)
    assert stop == pytest.approx(4.0 * RATE, abs=0.06 * RATE)
    assert speech_span(np.zeros(RATE, np.float32)) == (0, 0)
    assert speech_span(np.zeros(0, np.float32)) == (0, 0)


def test_snr_is_measured_where_it_is_known() -> None:
    for noise_dbfs in (-60.0, -45.0):
        activity = find_activity(recording(1.0, 4.0, 1.0, 4.0, 1.0, noise_dbfs=noise_dbfs))
        assert activity.noise_dbfs == pytest.approx(noise_dbfs, abs=1.5)
        assert activity.speech_dbfs == pytest.approx(-23.9, abs=1.0)


def test_cuts_fall_into_pauses_and_clips_keep_their_padding() -> None:
    spans = find_clips(find_activity(recording(0.5, 4.0, 1.0, 5.0, 0.5)), CutSpec())
    assert len(spans) == 2
    for (start, stop), (first, last) in zip(spans, ((0.5, 4.5), (5.5, 10.5)), strict=True):
        assert start / RATE == pytest.approx(first - 0.15, abs=0.04)
        assert stop / RATE == pytest.approx(last + 0.15, abs=0.07)


def test_short_bits_are_joined_across_a_pause_rather_than_lost() -> None:
    spans = find_clips(find_activity(recording(0.5, 1.0, 0.9, 1.2, 0.9, 1.0, 0.5)), CutSpec())
    assert len(spans) == 1
    assert all(stop - start >= 2 * RATE for start, stop in spans)


def test_speech_without_pauses_is_cut_into_clips_of_allowed_length() -> None:
    """A clip longer than the limit would not fit a batch, and a crumb at the end would be thrown away."""
    for seconds in (12.5, 20.0, 25.0, 61.0):
        spans = find_clips(find_activity(recording(0.5, seconds, 0.5)), CutSpec())
        lengths = [(stop - start) / RATE for start, stop in spans]
        assert max(lengths) <= 12.0
        assert min(lengths) >= 2.0
        assert sum(lengths) == pytest.approx(seconds + 0.3, abs=0.2)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_level_is_that_of_active_speech_whatever_the_pauses() -> None:
    for parts in ((0.1, 4.0, 0.1), (3.0, 4.0, 3.0)):
        levelled, gain_db = level(0.3 * recording(*parts), CutSpec())
        assert find_activity(levelled).speech_dbfs == pytest.approx(-26.0, abs=0.3)
        assert gain_db != 0.0


def test_level_never_exceeds_the_peak_and_leaves_silence_alone() -> None:
    spiky = 0.001 * speech_like(3.0)
    spiky[20_000] = 0.5
    assert np.abs(level(spiky, CutSpec())[0]).max() <= 0.9501
    silence = np.zeros(RATE, np.float32)
    assert level(silence, CutSpec())[0] is silence


def test_clipping_is_seen_at_any_gain_and_a_loud_peak_is_not_clipping() -> None:
    sine = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)
    for scale in (1.0, 0.7):
        share = clipped_mask(scale * np.clip(1.5 * sine, -1.0, 1.0)).mean()
        assert share == pytest.approx(0.535, abs=0.02)
    assert clipped_mask(speech_like(2.0) * 3.0).mean() == 0.0


def test_clipping_of_one_channel_counts() -> None:
    clean = speech_like(1.0)
    broken = np.clip(8.0 * clean, -0.8, 0.8)
    assert clipped_mask(np.stack([clean, broken], axis=1)).mean() > 0.01


def test_bandwidth_shows_what_was_upsampled() -> None:
    wide = recording(0.3, 3.0, 0.3, noise_dbfs=-80.0)
    narrow = resample(resample(wide, RATE, 8000), 8000, RATE)
    assert bandwidth_hz(wide, find_activity(wide)) >= 7500.0
    assert 3000.0 <= bandwidth_hz(narrow, find_activity(narrow)) <= 4250.0
    assert bandwidth_hz(np.zeros(RATE, np.float32), find_activity(np.zeros(RATE, np.float32))) == 0.0
