"""Emphasis, vibrato and tremor: right in size and rate, neutral at zero, and the same however a stream is cut."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from edge_runtime.voice.controls import Controls, Prosody, make_controls
from edge_runtime.voice.front_end import Features
from edge_runtime.voice.movement import VIBRATO_HZ, Movement, is_moving
from tests.edge_runtime.manifest_factory import make_manifest
from tests.edge_runtime.voice.signals import SPEC
from train.voice.presets import control_specs

MANIFEST = make_manifest(b"", controls=control_specs())
N = 400


def controls(**values: float) -> Controls:
    return make_controls(MANIFEST, **values)  # type: ignore[arg-type]


def track(seed: int = 0) -> tuple[Features, Prosody]:
    """Random melody and energy of N frames."""
    rng = np.random.default_rng(seed)
    log_f0 = (5.0 + np.cumsum(rng.normal(0, 0.02, N))).astype(np.float32)
    mean, one = np.full(N, 5.0, np.float32), np.ones(N, np.float32)
    energy = rng.uniform(-12, 2, N).astype(np.float32)
    features = Features(np.zeros((N, 80), np.float32), log_f0, one, energy, -5 * one, mean, 0.2 * one)
    return features, Prosody(log_f0, mean)


def cut(data: Features | Prosody, start: int, stop: int) -> dict[str, np.ndarray]:
    return {field.name: getattr(data, field.name)[start:stop] for field in dataclasses.fields(data)}


@pytest.mark.parametrize("seed", range(3))
def test_pieces_equal_the_whole(seed: int) -> None:
    features, prosody = track(seed)
    values = controls(emphasis=0.7, vibrato=1.0, tremor=0.5)
    whole, swell = Movement(SPEC).process(features, prosody, values)
    movement = Movement(SPEC)
    cuts = [0, *np.sort(np.random.default_rng(seed).integers(0, N, 40)).tolist(), N]
    pieces = [
        movement.process(Features(**cut(features, a, b)), Prosody(**cut(prosody, a, b)), values)
        for a, b in pairwise(cuts)
    ]
    assert np.abs(np.concatenate([piece.log_f0 for piece, _ in pieces]) - whole.log_f0).max() < 1e-6
    assert np.abs(np.concatenate([rise for _, rise in pieces]) - swell).max() < 1e-6


def test_reset_starts_the_waves_anew() -> None:
    features, prosody = track()
    movement, values = Movement(SPEC), controls(emphasis=-0.5, vibrato=1.0, tremor=1.0)
    first = movement.process(features, prosody, values)
    movement.reset()
    second = movement.process(features, prosody, values)
    assert np.array_equal(first[0].log_f0, second[0].log_f0)
    assert np.array_equal(first[1], second[1])


def test_neutral_controls_do_not_move() -> None:
    """The stream leaves the whole step out then, so it must be known beforehand."""
    assert not is_moving(controls())
    assert all(is_moving(controls(**{name: 0.1})) for name in ("emphasis", "vibrato", "tremor"))


def test_vibrato_is_a_sine_of_its_depth() -> None:
    features, prosody = track()
    moved, swell = Movement(SPEC).process(features, prosody, controls(vibrato=1.5))
    semitones = (moved.log_f0 - prosody.log_f0) * 12 / np.log(2)
    expected = 1.5 * np.sin(2 * np.pi * VIBRATO_HZ * np.arange(N) * 0.01)
    assert np.abs(semitones - expected).max() < 1e-3
    assert not swell.any()


def test_emphasis_raises_stressed_syllables_and_leaves_weak_ones_and_pauses() -> None:
    features, prosody = track()
    high = dataclasses.replace(prosody, log_f0=prosody.mean_log_f0 + np.float32(0.2))

    def settled(energy: float, emphasis: float) -> tuple[float, float]:
        steady = dataclasses.replace(features, energy=np.full(N, energy, np.float32))
        moved, swell = Movement(SPEC).process(steady, high, controls(emphasis=emphasis))
        return float(moved.log_f0[-1] - high.mean_log_f0[-1]), float(swell[-1])

    assert settled(1.5, 1.0)[0] == pytest.approx(0.3, abs=1e-3)
    assert settled(1.5, -1.0)[0] == pytest.approx(0.1, abs=1e-3)
    assert settled(-2.5, 1.0)[0] == pytest.approx(0.2, abs=1e-3)
    assert settled(2.0, 1.0)[1] > 0 > settled(-1.0, 1.0)[1]
    assert settled(2.0, -1.0)[1] < 0 < settled(-1.0, -1.0)[1]
    assert settled(-9.0, 1.0)[1] == settled(-9.0, -1.0)[1] == 0.0
