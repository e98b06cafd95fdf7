"""The front end: chunked equals whole, pitch and level are what they are called, golden vectors stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.voice import mel
from edge_runtime.voice.framing import FrameBuffer, frame_signal, hann
from edge_runtime.voice.front_end import FrontEnd, analyse
from tests.edge_runtime.voice.signals import RATE_HZ, SPEC, random_cuts, speechlike, vowel

GOLDEN = Path(__file__).parents[2] / "assets" / "front_end_golden.npz"
FIELDS = ("mel", "log_f0", "voiced", "energy", "level", "mean_log_f0", "spread")


@pytest.mark.parametrize("n", [0, 159, 160, 161, 511, 512, 513, 4000])
def test_frames_end_with_their_hop_at_every_boundary(n: int) -> None:
    samples = np.arange(1, n + 1, dtype=np.float32)
    frames = frame_signal(samples, 512, 160)
    assert len(frames) == n // 160
    for t, frame in enumerate(frames):
        assert frame[-1] == samples[(t + 1) * 160 - 1]


def test_frame_buffer_in_pieces_equals_the_whole() -> None:
    samples = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    buffer = FrameBuffer(640, 160)
    pieces = [buffer.push(samples[cut]).copy() for cut in random_cuts(5000, np.random.default_rng(1))]
    assert np.array_equal(np.concatenate(pieces), frame_signal(samples, 640, 160))


def test_hann_windows_half_a_length_apart_sum_to_one() -> None:
    window = hann(320)
    assert np.abs(window[:160] + window[160:] - 1.0).max() < 1e-6


def test_power_of_noise_is_its_variance() -> None:
    """The scale of log-mel, level and gate rests on this."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE_HZ * 5).astype(np.float32)
    power = mel.power_spectrum(frame_signal(noise, 512, 160), SPEC)
    assert power[5:].mean() == pytest.approx(0.01, rel=0.05)
    assert np.exp(mel.log_energy(power, SPEC)[5:]).mean() == pytest.approx(0.01, rel=0.05)


def test_mel_bands_are_complete_and_in_order() -> None:
    """Sampled triangles are empty where bands are narrower than a bin; these must not be."""
    matrix = mel.mel_matrix(SPEC)
    assert np.allclose(matrix.sum(axis=0), 1.0, atol=1e-5)
    centres = (matrix * np.arange(SPEC.n_bins)[:, None]).sum(axis=0)
    assert (np.diff(centres) > 0).all()


def test_warp_moves_formants_by_its_ratio() -> None:
    power = np.full((1, SPEC.n_bins), 1e-6, np.float32)
    power[0, 64] = 1.0  # 2000 Hz
    edges = mel.band_edges_hz(SPEC.n_mels, SPEC.mel_fmin_hz, SPEC.mel_fmax_hz)[1:-1]
    for warp in (0.9, 1.0, 1.15):
        peak = edges[int(mel.log_mel(power, mel.mel_matrix(SPEC, warp), SPEC)[0].argmax())]
        assert peak == pytest.approx(2000.0 * warp, rel=0.04)


@pytest.mark.parametrize("lookahead", [0, 2, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_chunking_gives_the_same_features(lookahead: int, seed: int) -> None:
    samples = speechlike(3.0, seed)
    whole = analyse(samples, SPEC, lookahead)
    front_end = FrontEnd(SPEC, lookahead)
    pieces = [front_end.push(samples[cut]) for cut in random_cuts(len(samples), np.random.default_rng(seed))]
    for name in FIELDS:
        joined = np.concatenate([getattr(piece, name) for piece in pieces])
        assert np.abs(joined - getattr(whole, name)).max() < 1e-4, name


def test_reset_forgets_everything() -> None:
    samples = speechlike(2.0)
    front_end = FrontEnd(SPEC, 2)
    first = front_end.push(samples)
    front_end.reset()
    second = front_end.push(samples)
    for name in FIELDS:
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


@pytest.mark.parametrize("f0_hz", [70.0, 95.0, 120.0, 180.0, 250.0, 330.0, 450.0])
def test_pitch_of_a_steady_voice(f0_hz: float) -> None:
    features = analyse(vowel(1.0, f0_hz), SPEC, 2)
    steady = slice(20, 95)
    assert features.voiced[steady].mean() > 0.97
    assert np.abs(1200 * np.log2(np.exp(features.log_f0[steady]) / f0_hz)).max() < 25  # cents


def test_pitch_follows_a_glide_at_the_right_time() -> None:
    """Aux features must describe the frame that is answered for: tick t speaks of frame t - lookahead."""
    n = RATE_HZ
    glide = np.geomspace(110.0, 220.0, n)
    features = analyse(vowel(1.0, glide), SPEC, 2)
    ticks = np.arange(20, 95)
    # The output frame u = t - 2 is centred 96 samples before the middle of its synthesis hop.
    centres = (ticks - 2 + 1) * SPEC.hop_length - 192
    cents = 1200 * np.log2(np.exp(features.log_f0[ticks]) / glide[centres])
    assert np.abs(np.median(cents)) < 10


def test_noise_and_silence_are_unvoiced() -> None:
    noise = (0.05 * np.random.default_rng(0).standard_normal(RATE_HZ)).astype(np.float32)
    assert analyse(noise, SPEC, 2).voiced.mean() < 0.03
    assert analyse(np.zeros(RATE_HZ, np.float32), SPEC, 2).voiced.sum() == 0


@pytest.mark.parametrize("gain", [0.05, 0.3, 3.0])
def test_features_do_not_depend_on_the_recording_level(gain: float) -> None:
    """After a few seconds a quiet and a loud recording of the same words must look the same."""
    samples = np.tile(speechlike(4.0), 3)
    plain, louder = (analyse(s, SPEC, 2) for s in (samples, np.float32(gain) * samples))
    late = slice(800, 1190)
    sounding = plain.energy[late] > -3
    # Above 2 kHz the synthetic vowels are so faint that the floor of the logarithm shows at -26 dB.
    difference = np.abs(plain.mel[late][sounding] - louder.mel[late][sounding])[:, :40]
    assert difference.mean() < 0.2
    assert np.abs(plain.energy[late] - louder.energy[late])[sounding].mean() < 0.25


def test_speakers_are_aligned_by_their_pitch() -> None:
    aligner = mel.FormantAligner(SPEC)
    low, middle, high = (aligner.ratio(float(np.log(hz))) for hz in (100.0, SPEC.formant_reference_hz, 240.0))
    assert low > middle > high
    assert middle == pytest.approx(1.0, abs=0.02)
    assert aligner.ratio(float(np.log(20.0))) == pytest.approx(SPEC.formant_maximum, rel=1e-6)


def test_golden_vectors() -> None:
    """The numbers every trained model rests on. Regenerate only with tests/assets/make_front_end_golden.py,
    together with a new FRONT_END_VERSION."""
    with np.load(GOLDEN) as golden:
        features = analyse(golden["samples"], SPEC, 2)
        assert SPEC.fingerprint() == str(golden["fingerprint"])
        for name in FIELDS:
            assert np.abs(getattr(features, name) - golden[name]).max() < 2e-3, name
