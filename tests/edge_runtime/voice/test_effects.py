"""Echo, saturation, output curve and rough pulses: exact where they can be, and the same however a stream is cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge_runtime.voice.colour import output_curve
from edge_runtime.voice.effects import ECHO_S, Echo, saturate
from edge_runtime.voice.excitation import Excitation
from edge_runtime.voice.synthesis import deepened
from tests.edge_runtime.voice.signals import RATE_HZ, SPEC, SYNTHESIS, random_cuts

BINS_HZ = np.arange(257) * (RATE_HZ / 512)
DB = 20 / np.log(10)


@pytest.mark.parametrize("longest", [300, 9000])
def test_echo_in_pieces_equals_the_whole(longest: int) -> None:
    samples = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    whole = Echo(RATE_HZ).process(samples, 0.9)
    echo = Echo(RATE_HZ)
    cuts = random_cuts(len(samples), np.random.default_rng(1), longest)
    assert np.array_equal(np.concatenate([echo.process(samples[cut], 0.9) for cut in cuts]), whole)


def test_echo_of_a_click_fades_by_its_feedback_and_leaves_the_input_alone() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[0] = 1.0
    out = Echo(RATE_HZ).process(click, 1.0)
    delay = round(ECHO_S * RATE_HZ)
    assert out[[0, delay, 2 * delay]] == pytest.approx([1.0, 0.6, 0.36], abs=1e-6)
    assert np.count_nonzero(out) == len(range(0, RATE_HZ, delay))
    assert click.sum() == 1.0


def test_saturation_bends_peaks_and_leaves_soft_sound() -> None:
    rms = np.full(10, 0.1, np.float32)
    soft = np.full(1600, 0.01, np.float32)
    loud = np.full(1600, 0.5, np.float32)
    assert np.allclose(saturate(soft, rms, 1.0), 0.01, rtol=0.01)
    assert np.allclose(saturate(loud, rms, 1.0), 0.16, rtol=0.01)
    assert saturate(loud, rms, 0.25).max() > 0.35  # less of it bends less


def test_neutral_colour_is_no_colour() -> None:
    assert not output_curve(BINS_HZ, tilt=0.0, presence=0.0, radio=0.0).any()


@pytest.mark.parametrize("gain_db", [-9.0, 6.0])
def test_presence_is_its_gain_inside_and_nothing_far_outside(gain_db: float) -> None:
    curve_db = output_curve(BINS_HZ, tilt=0.0, presence=gain_db, radio=0.0) * DB
    inside = (BINS_HZ >= 2000) & (BINS_HZ <= 5000)
    assert curve_db[inside] == pytest.approx(gain_db, abs=1e-3)
    assert np.abs(curve_db[BINS_HZ < 1200]).max() < 1e-3
    assert np.abs(np.diff(curve_db)).max() < abs(gain_db) / 4  # no step that would ring


def test_clarity_deepens_formants_and_leaves_level_and_tilt() -> None:
    """A ripple as wide as a formant grows by up to 1 + clarity; a constant does not change, nor does a slope inside."""
    bands = np.arange(SYNTHESIS.n_bands)
    matrix = deepened(SYNTHESIS.n_bands, 0.5)
    assert np.full(len(bands), -3.0) @ matrix == pytest.approx(np.full(len(bands), -3.0), abs=1e-4)
    inside = slice(16, -16)
    assert (0.1 * bands @ matrix)[inside] == pytest.approx((0.1 * bands)[inside], abs=1e-3)
    ripple = np.sin(2 * np.pi * bands / 10)
    assert (ripple @ matrix)[inside] == pytest.approx(1.48 * ripple[inside], abs=0.05)


def test_tilt_is_db_per_octave() -> None:
    curve_db = output_curve(BINS_HZ, tilt=-3.0, presence=0.0, radio=0.0) * DB
    at = {hz: curve_db[round(hz * 512 / RATE_HZ)] for hz in (500, 1000, 2000, 4000)}
    assert [at[1000] - at[500], at[2000] - at[1000], at[4000] - at[2000]] == pytest.approx([-3.0] * 3, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_rough_pulses_in_pieces_equal_the_whole(seed: int) -> None:
    """Jitter is drawn by the hop, shimmer by the pulse: their numbers must not mix."""
    n = 300
    rng = np.random.default_rng(seed)
    log_f0 = np.full(n, np.log(137.0)) + rng.normal(0, 0.05, n)

    def source() -> Excitation:
        return Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps, seed)

    whole, pieces = source().process(log_f0, 0.8), source()
    cuts = [0, *np.sort(rng.integers(0, n, 40)).tolist(), n]
    blocks = [pieces.process(log_f0[a:b], 0.8) for a, b in pairwise(cuts)]
    assert np.abs(np.concatenate([block.harmonic for block in blocks]) - whole.harmonic).max() < 1e-4


def test_roughness_keeps_power_and_the_noise() -> None:
    log_f0 = np.full(600, np.log(120.0))
    smooth, rough = (
        Excitation(RATE_HZ, SPEC.hop_length, SYNTHESIS.pulse_taps).process(log_f0, amount) for amount in (0.0, 1.0)
    )
    assert np.mean(rough.harmonic**2) == pytest.approx(np.mean(smooth.harmonic**2), rel=0.06)
    assert np.array_equal(rough.noise, smooth.noise)
