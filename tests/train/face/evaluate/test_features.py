"""Judging features: the truth is told from rendered pairs, and what a file does is held against it."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.face.landmarks import Face
from edge_runtime.media.image import read_photo
from tests.edge_runtime.face.tiny_face import ASSETS
from train.face.evaluate.features import (
    RENDERED,
    FeatureAnswer,
    FeatureTruth,
    feature_rows,
    fit_effects,
)
from train.face.evaluate.traits import measure_traits
from train.face.parts import load_parts
from train.face.preprocess import find_largest
from train.face.units import FEATURE_NAMES

COUNT = len(FEATURE_NAMES)
NOSE, JAW, FULLNESS, TONE = (FEATURE_NAMES.index(name) for name in ("nose", "jaw", "fullness", "skin_tone"))


def _truths(effects: np.ndarray, count: int = 400) -> list[FeatureTruth]:
    rng = np.random.default_rng(2)
    truths = []
    for _ in range(count):
        delta = rng.uniform(-1.0, 1.0, COUNT) * (rng.random(COUNT) < 0.3)
        moved = delta @ effects + rng.normal(0.0, 0.002, COUNT)
        truths.append(FeatureTruth(tuple(delta.tolist()), dict(zip(FEATURE_NAMES, moved.tolist(), strict=True))))
    return truths


@pytest.fixture(scope="module")
def effects() -> np.ndarray:
    """Each feature moves its own trait by 0.1, and a fuller face is wider at the jaw."""
    out = 0.1 * np.eye(COUNT)
    out[FULLNESS, JAW] = 0.04
    return out


def _answers(feature: int, **moved: float) -> list[FeatureAnswer]:
    values = dict.fromkeys(FEATURE_NAMES, 0.0) | moved
    return [FeatureAnswer(f"p{i}", FEATURE_NAMES[feature], values) for i in range(5)]


def test_what_features_truly_do_is_told_from_pairs_that_change_several(effects: np.ndarray) -> None:
    found = fit_effects(_truths(effects))
    assert found is not None
    np.testing.assert_allclose(found, effects, atol=0.006)
    assert fit_effects(_truths(effects, 20)) is None


def test_a_feature_counts_when_it_moves_its_own_trait_and_no_other(effects: np.ndarray) -> None:
    """Half its way at least, and a fifth of another's range at most."""
    rows = {row.feature: row for row in feature_rows(_answers(NOSE, nose=0.06, lips=0.015), effects, RENDERED)}
    assert rows["nose"].own is not None
    assert rows["nose"].own.mean == pytest.approx(0.6)
    assert (rows["nose"].leak, rows["nose"].leaks_to) == (0.15, "lips")
    assert rows["nose"].moves
    assert not rows["jaw"].moves, "nothing was asked of it"
    for moved in ({"nose": 0.04}, {"nose": 0.1, "lips": -0.03}):
        row = next(row for row in feature_rows(_answers(NOSE, **moved), effects, RENDERED) if row.feature == "nose")
        assert not row.moves


def test_what_belongs_together_is_no_leak(effects: np.ndarray) -> None:
    """A fuller face may have the wider jaw that it truly has; a wider jaw may not have fuller cheeks."""
    fuller = feature_rows(_answers(FULLNESS, fullness=0.1, jaw=0.04), effects, RENDERED)[FULLNESS]
    assert (fuller.leak, fuller.moves) == (0.0, True)
    wider = feature_rows(_answers(JAW, fullness=0.05, jaw=0.1), effects, RENDERED)[JAW]
    assert (wider.leaks_to, wider.moves) == ("fullness", False)


@pytest.fixture(scope="module")
def photo() -> tuple[np.ndarray, Face]:
    pixels = read_photo(ASSETS / "astronaut.jpg").pixels
    face = find_largest(load_parts().finder(), pixels)
    assert face is not None
    return pixels, face


def test_tones_are_told_whatever_the_light(photo: tuple[np.ndarray, Face]) -> None:
    """Skin that is a tenth darker is so in the sun and in the shade; lengths do not change by it."""
    pixels, face = photo
    darker = np.rint(pixels * 0.9).astype(np.uint8)
    dim = np.rint(pixels * 0.6).astype(np.uint8)
    bright = measure_traits(darker, face, 0.2).minus(measure_traits(pixels, face, 0.2))
    shaded = measure_traits(np.rint(dim * 0.9).astype(np.uint8), face, 0.2).minus(measure_traits(dim, face, 0.2))
    assert bright["skin_tone"] == pytest.approx(-np.log(0.9), abs=0.01)
    assert shaded["skin_tone"] == pytest.approx(bright["skin_tone"], abs=0.02)
    assert {name for name, moved in bright.items() if abs(moved) > 0.02} == {"skin_tone"}


def test_a_dark_jaw_is_a_beard_and_lines_are_age(photo: tuple[np.ndarray, Face]) -> None:
    """The traits that no landmark tells."""
    pixels, face = photo
    before = measure_traits(pixels, face, 0.2)
    bearded = pixels.copy()
    chin, lip = face.points[152, :2], face.points[17, :2]
    rows = slice(int(lip[1]), int(chin[1]))
    columns = slice(int(face.points[172, 0]), int(face.points[397, 0]))
    bearded[rows, columns] = bearded[rows, columns] // 3
    assert measure_traits(bearded, face, 0.2).minus(before)["beard"] > 0.3
    lined = pixels.copy()
    lined[::4] = lined[::4] // 2
    moved = measure_traits(lined, face, 0.2).minus(before)
    assert moved["age"] > 0.05
    assert abs(moved["nose"]) == 0.0
