"""The figures that decide whether a file is shipped, checked against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.contract import TensorSpec
from export import parity
from export.calibrate import Feeds, Rollout, roll_out, roll_out_feeds
from export.parity import HISTOGRAM_EDGES, GraphFile, OutputParity, Reference, measure, parity_failures
from export.recipes import OutputBound, Recipe

CALLS, HOPS = 6, 2


def _leaky(error: float) -> parity.Step:
    """A step with one state: out = state_next = state / 2 + mel + error."""

    def step(feeds: Feeds) -> dict[str, np.ndarray]:
        value = feeds["a_state"] / 2.0 + feeds["mel"] + np.float32(error)
        return {"harmonic": value, "a_state_next": value}

    return step


def _feeds() -> dict[str, np.ndarray]:
    mel = np.arange(CALLS * HOPS, dtype=np.float32).reshape(CALLS, HOPS, 1)
    return {"mel": mel, "a_state": np.zeros((CALLS, HOPS, 1), np.float32)}


def test_a_rollout_keeps_the_states_that_really_went_in() -> None:
    """Calibrating on zero states would give int8 ranges that only the first call keeps."""
    rollout = roll_out(_leaky(0.0), _feeds())
    assert np.array_equal(rollout.feeds["a_state"][1:], rollout.outputs["a_state_next"][:-1])
    assert not rollout.feeds["a_state"][0].any()
    assert rollout.feeds["a_state"][-1].all()


def test_own_states_pile_up_errors_and_given_ones_do_not() -> None:
    rollout = roll_out(_leaky(0.0), _feeds())
    own = roll_out_feeds(_leaky(0.1), rollout.feeds, own_states=True)["harmonic"] - rollout.outputs["harmonic"]
    given = roll_out_feeds(_leaky(0.1), rollout.feeds, own_states=False)["harmonic"] - rollout.outputs["harmonic"]
    np.testing.assert_allclose(given, 0.1, atol=1e-5)
    np.testing.assert_allclose(own[-1], 0.1 * (2.0 - 0.5 ** (CALLS - 1)), atol=1e-5)


class _FakeBackend:
    def __init__(self, error: float) -> None:
        self.run = _leaky(error)

    def close(self) -> None:
        pass


def _measure(monkeypatch: pytest.MonkeyPatch, folder: Path, error: float) -> dict[str, OutputParity]:
    rollout = roll_out(_leaky(0.0), _feeds())
    offline = {"harmonic": rollout.outputs["harmonic"].reshape(-1, 1)}
    Reference(rollout, offline).save(folder / "reference.npz")
    monkeypatch.setattr(GraphFile, "open", lambda _: _FakeBackend(error))
    specs = tuple(TensorSpec(name, "float32", (HOPS, 1), 0.0, 0) for name in ("harmonic", "a_state_next"))
    file = GraphFile("fake", "", "tflite", (), specs)
    return {output.name: output for output in measure(file, [str(folder / "reference.npz")])}


def test_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outputs = _measure(monkeypatch, tmp_path, 0.01)
    harmonic = outputs["harmonic"]
    reference = roll_out(_leaky(0.0), _feeds()).outputs["harmonic"]
    expected = 10.0 * np.log10(np.mean(reference**2) / 0.01**2)
    assert harmonic.teacher_forced.snr_db == pytest.approx(expected, abs=0.01)
    assert harmonic.teacher_forced.max_abs == pytest.approx(0.01, rel=1e-3)
    assert harmonic.teacher_forced.rms == pytest.approx(0.01, rel=1e-3)
    assert harmonic.streaming.snr_db < harmonic.teacher_forced.snr_db
    assert harmonic.offline is not None
    assert harmonic.offline.max_abs == pytest.approx(harmonic.streaming.max_abs, rel=1e-3)
    assert sum(harmonic.histogram) == CALLS * HOPS
    # all errors lie between 0.01 and 0.02: one decade
    assert harmonic.histogram[HISTOGRAM_EDGES.index(-2.0) + 1] >= CALLS * HOPS - 2
    assert outputs["a_state_next"].is_state
    assert outputs["a_state_next"].offline is None


def test_a_perfect_file_and_a_broken_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    perfect = _measure(monkeypatch, tmp_path, 0.0)["harmonic"]
    assert perfect.streaming.snr_db == parity.SNR_LIMIT_DB
    broken = _measure(monkeypatch, tmp_path, float("nan"))["harmonic"]
    assert not broken.finite
    recipe = Recipe("fp32", "tflite", 4.0, 1e-4, 90.0)
    assert any("not finite" in failure for failure in parity_failures([broken], recipe))
    assert parity_failures([perfect], recipe) == []


@pytest.mark.parametrize(
    ("recipe", "faults"),
    [
        (Recipe("fp32", "tflite", 4.0, 1e-4, 10.0), 3),  # two comparisons of the output and one of the state
        (Recipe("int8", "tflite", 1.0, None, 60.0), 2),  # states have no floor
        (Recipe("int8", "tflite", 1.0, None, 60.0, (OutputBound("harmonic", 10.0, "for this test"),)), 0),
        (Recipe("int8", "tflite", 1.0, None, 10.0), 0),
    ],
)
def test_bounds_are_the_recipes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recipe: Recipe, faults: int) -> None:
    outputs = list(_measure(monkeypatch, tmp_path, 0.01).values())
    assert len(parity_failures(outputs, recipe)) == faults


def test_references_survive_the_disk(tmp_path: Path) -> None:
    reference = Reference(
        Rollout(_feeds(), {"harmonic": np.ones((CALLS, HOPS, 1), np.float32)}), {"harmonic": np.ones(3)}
    )
    reference.save(tmp_path / "r.npz")
    loaded = Reference.load(str(tmp_path / "r.npz"))
    assert loaded.rollout.feeds.keys() == reference.rollout.feeds.keys()
    assert np.array_equal(loaded.rollout.outputs["harmonic"], reference.rollout.outputs["harmonic"])
    assert np.array_equal(loaded.offline["harmonic"], reference.offline["harmonic"])


def test_a_residual_counts_where_the_harmonics_let_it_be_heard() -> None:
    """An error under silence must not fail a file, and one under a vowel must."""
    gains = np.where(np.arange(8) < 4, -1.0, -9.0).astype(np.float32)[:, None]
    residual = np.full((8, 3), 0.5, np.float32)
    outputs = {"harmonic": gains, "residual": residual}
    for wrong, expected in (((4, 8), 60.0), ((0, 4), -6.0)):
        found = residual.copy()
        found[slice(*wrong)] += 1.0
        tally = parity._Tally()
        tally.add(residual, found, parity._heard_power("residual", outputs))
        if expected > 0:
            assert tally.figure().snr_db > expected
        else:
            assert tally.figure().snr_db == pytest.approx(expected, abs=0.1)
    assert parity._heard_power("harmonic", outputs) == 1.0
    assert parity._heard_power("residual", {"residual": residual}) == 1.0
