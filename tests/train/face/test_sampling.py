"""Expressions of pairs: every unit, both signs, small amounts, and more of the hard changes."""

from __future__ import annotations

import numpy as np
import pytest

from train.face.sampling import changed_units, plausible, sample_expressions
from train.face.units import EXPRESSIONS, UNIT_INDEX, UNIT_NAMES, UNITS, neutral

PAIRS = 3000


@pytest.fixture(scope="module")
def pairs() -> np.ndarray:
    """(PAIRS, 2, U)."""
    rng = np.random.default_rng(3)
    return np.stack([np.stack(sample_expressions(rng)) for _ in range(PAIRS)])


def test_every_unit_rises_and_falls_by_much_and_by_little(pairs: np.ndarray) -> None:
    """A sign or a size that training never saw is one that the slider cannot do."""
    delta = pairs[:, 1] - pairs[:, 0]
    assert not delta[:, EXPRESSIONS:].any(), "features have pairs of their own"
    for name, change in zip(UNIT_NAMES[:EXPRESSIONS], delta.T[:EXPRESSIONS], strict=True):
        assert (change > 0.5).sum() > 20, name
        assert (change < -0.3).sum() > 20, name
        assert ((np.abs(change) > 0.01) & (np.abs(change) < 0.2)).sum() > 20, name


def test_values_stay_in_the_range_of_their_unit(pairs: np.ndarray) -> None:
    """Beyond it the mesh tears."""
    minimum = np.array([unit.minimum for unit in UNITS])
    assert (pairs <= 1.0).all()
    assert (pairs >= minimum).all()


def test_most_pairs_change_few_units(pairs: np.ndarray) -> None:
    """A pair in which everything changes teaches nothing of any one unit."""
    counts = np.array([len(changed_units(before, after)) for before, after in pairs])
    assert (counts <= 5).mean() > 0.85
    assert (counts >= 1).mean() > 0.9


def test_opening_mouths_and_closing_eyes_are_frequent(pairs: np.ndarray) -> None:
    """What must be invented is a small share of all pixels."""
    jaw, blink = UNIT_INDEX["jaw_open"], UNIT_INDEX["blink_left"]
    opens = (pairs[:, 0, jaw] < 0.01) & (pairs[:, 1, jaw] > 0.15)
    closes = (pairs[:, 0, blink] < 0.01) & (pairs[:, 1, blink] > 0.8)
    assert opens.mean() > 0.18
    assert closes.mean() > 0.08


def test_smiles_with_bared_teeth_open_and_close(pairs: np.ndarray) -> None:
    """The commonest face in a photo is the one whose teeth a stretched mouth would stretch."""
    bared = (pairs[..., UNIT_INDEX["smile"]] > 0.25) & (pairs[..., UNIT_INDEX["upper_lip"]] > 0.15)
    jaw = pairs[..., UNIT_INDEX["jaw_open"]]
    assert bared.all(axis=1).mean() > 0.08
    assert (bared.all(axis=1) & (jaw[:, 1] - jaw[:, 0] > 0.19)).mean() > 0.05
    assert (bared[:, 0] & (pairs[:, 1, UNIT_INDEX["upper_lip"]] == 0.0)).mean() > 0.03


def test_what_excludes_each_other_is_toned_down() -> None:
    """Nobody presses the lips with the jaw open."""
    values = neutral()
    values[[UNIT_INDEX[name] for name in ("press", "jaw_open", "eye_wide", "blink_left")]] = 1.0
    assert plausible(values)[UNIT_INDEX["press"]] == 0.0
    assert plausible(values)[UNIT_INDEX["eye_wide"]] == 0.0
    assert plausible(values)[UNIT_INDEX["jaw_open"]] == 1.0


def test_the_same_seed_gives_the_same_expressions() -> None:
    """A data set must be possible to make again."""
    first, second = (sample_expressions(np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
