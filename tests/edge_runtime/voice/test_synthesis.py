"""Excitation and synthesis: right pitch, right power, no trace of how a stream was cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge_runtime.voice.excitation import Excitation
from edge_runtime.voice.front_end import analyse
from edge_runtime.voice.synthesis import Gains, OverlapAdd, Synthesiser, band_matrix
from tests.edge_runtime.voice.signals import RATE_HZ, SPEC, SYNTHESIS

HOPS = 300


def make_gains(harmonic: float, noise: float, n: int = HOPS, seed: int | None = None) -> Gains:
    shape = (n, SYNTHESIS.n_bands)
    residual = np.zeros((n, 2 * SYNTHESIS.residual_bins), np.float32)
    if seed is not None:
        rng = np.random.default_rng(seed)
        residual = rng.uniform(-1, 1, residual.shape).astype(np.float32)
        return Gains(
            rng.uniform(-6, -2, shape).astype(np.float32), rng.uniform(-6, -2, shape).astype(np.float32), residual
        )
    return Gains(np.full(shape, harmonic, np.float32), np.full(shape, noise, np.float32), residual)


def track(hz: float, n: int = HOPS) -> np.ndarray:
    return np.full(n, np.log(hz), np.float32)


def spectrum_db(samples: np.ndarray) -> np.ndarray:
    return 20 * np.log10(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) + 1e-9)


@pytest.mark.parametrize("hz", [60.0, 133.7, 400.0])
def test_pulses_have_unit_power_at_any_pitch_and_the_right_period(hz: float) -> None:
    block = Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps).process(track(hz))
    tail = block.harmonic[3200:]
    assert np.mean(tail**2) == pytest.approx(1.0, rel=0.1)
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail))))
    bin_hz = RATE_HZ / len(tail)
    low, high = int(0.5 * hz / bin_hz), int(1.5 * hz / bin_hz)
    peak = (low + spectrum[low:high].argmax()) * bin_hz
    assert peak == pytest.approx(hz, abs=bin_hz)


def test_pulses_do_not_alias() -> None:
    """Between harmonics, and above them, there must be nothing: sub-sample positions have to be honoured."""
    hz = 437.3
    tail = Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps).process(track(hz)).harmonic[3200:]
    spectrum = spectrum_db(tail)
    frequency = np.fft.rfftfreq(len(tail), 1 / RATE_HZ)
    distance = np.abs(frequency / hz - np.rint(frequency / hz)) * hz
    band = (frequency > 200) & (frequency < 6000)
    assert spectrum[band & (distance > 60)].max() < spectrum[band & (distance < 5)].max() - 40


def test_a_rounding_error_in_the_pitch_stays_one() -> None:
    """Boards and NumPy versions differ in the last bits of F0; pulses must not jump for that."""
    log_f0 = np.linspace(4.6, 5.4, HOPS).astype(np.float32)
    blocks = [
        Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps).process(log_f0 + np.float32(e)) for e in (0.0, 1e-6)
    ]
    # After a quarter of a second the phase is 3e-5 of a period apart, 0.004 samples: next to nothing of a pulse of 12.
    assert np.abs(blocks[0].harmonic - blocks[1].harmonic)[:4000].max() < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_excitation_in_pieces_equals_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_f0 = np.cumsum(rng.normal(0, 0.02, HOPS)).astype(np.float32) + 5.0
    whole = Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps).process(log_f0)
    source = Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps)
    cuts = np.sort(rng.integers(0, HOPS, 40))
    blocks = [source.process(log_f0[a:b]) for a, b in zip([0, *cuts], [*cuts, HOPS], strict=True)]
    assert np.abs(np.concatenate([b.harmonic for b in blocks]) - whole.harmonic).max() < 1e-4
    assert np.array_equal(np.concatenate([b.noise for b in blocks]), whole.noise)


def test_unit_gains_give_the_excitation_back() -> None:
    """Window, overlap and zero-phase filter are transparent, so every colour comes from the network."""
    log_f0 = track(120.0)
    out = Synthesiser(SPEC, SYNTHESIS).process(make_gains(0.0, -14.0), log_f0, np.zeros(HOPS, np.float32))
    source = Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps).process(log_f0).harmonic
    delay = (SYNTHESIS.n_fft - SYNTHESIS.win_length) // 2 + SPEC.hop_length
    assert np.abs(out[delay + 400 :] - source[400 : len(source) - delay]).max() < 2e-3


@pytest.mark.parametrize("seed", range(3))
def test_synthesis_in_pieces_equals_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains = make_gains(0, 0, seed=seed)
    log_f0 = np.full(HOPS, 5.0, np.float32) + rng.normal(0, 0.1, HOPS).astype(np.float32)
    level = rng.normal(0, 0.2, HOPS).astype(np.float32)
    whole = Synthesiser(SPEC, SYNTHESIS).process(gains, log_f0, level, whisper=0.3, breath=0.2)
    synthesiser = Synthesiser(SPEC, SYNTHESIS)
    cuts = [0, *np.sort(rng.integers(0, HOPS, 40)), HOPS]
    pieces = []
    for a, b in pairwise(cuts):
        part = Gains(gains.harmonic[a:b], gains.noise[a:b], gains.residual[a:b])
        pieces.append(synthesiser.process(part, log_f0[a:b], level[a:b], whisper=0.3, breath=0.2))
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-4


def test_overlap_add_is_a_sum_of_shifted_buffers() -> None:
    buffers = np.random.default_rng(0).standard_normal((7, 512)).astype(np.float32)
    expected = np.zeros(7 * 160 + 352)
    for t in range(7):
        expected[t * 160 : t * 160 + 512] += buffers[t]
    assert np.abs(OverlapAdd(512, 160).process(buffers) - expected[: 7 * 160]).max() < 1e-5


def test_formant_and_tilt_move_the_envelope_only() -> None:
    matrix, moved = band_matrix(SYNTHESIS, RATE_HZ), band_matrix(SYNTHESIS, RATE_HZ, 1.25)
    assert np.allclose(matrix.sum(axis=0), 1.0)
    bump = np.zeros(SYNTHESIS.n_bands, np.float32)
    bump[40] = 1.0
    assert (bump @ moved).argmax() == pytest.approx((bump @ matrix).argmax() * 1.25, abs=1.5)
    synthesiser = Synthesiser(SPEC, SYNTHESIS)
    synthesiser.set_envelope(formant=1.0, tilt_db_per_octave=-6.0)
    log_f0 = track(100.0)
    out = synthesiser.process(make_gains(-3.0, -14.0), log_f0, np.zeros(HOPS, np.float32))[1600:]
    spectrum = spectrum_db(out)
    frequency = np.fft.rfftfreq(len(out), 1 / RATE_HZ)

    def level(hz: float) -> float:
        return float(spectrum[np.abs(frequency - hz) < 60].max())

    assert level(1000) - level(4000) == pytest.approx(12.0, abs=1.5)


def test_whisper_has_no_pitch_but_the_same_power() -> None:
    log_f0 = track(150.0)
    level = np.zeros(HOPS, np.float32)
    spoken = Synthesiser(SPEC, SYNTHESIS).process(make_gains(-3.0, -12.0), log_f0, level)
    whispered = Synthesiser(SPEC, SYNTHESIS).process(make_gains(-3.0, -12.0), log_f0, level, whisper=1.0)
    assert analyse(spoken, SPEC, 2).voiced[30:].mean() > 0.9
    assert analyse(whispered, SPEC, 2).voiced[30:].mean() < 0.05
    assert np.mean(whispered[1600:] ** 2) == pytest.approx(np.mean(spoken[1600:] ** 2), rel=0.15)
