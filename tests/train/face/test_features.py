"""Features: each changes a head in its own way, the eyes stay where they are, and the two directions are opposite."""

from __future__ import annotations

import numpy as np
import pytest

from train.face.heads.features import changed, sample_features, shaved
from train.face.heads.model import HeadModel, load_head
from train.face.heads.people import Person, sample_person
from train.face.render.head import Head, build_head
from train.face.render.pairs import feature_pair
from train.face.units import EXPRESSIONS, FEATURE_NAMES, UNIT_INDEX, UNIT_NAMES, UnitValues, neutral
from train.packages import cache_dir

SHAPES = ("age", "fullness", "nose", "lips", "jaw", "chin", "eyes")
COLOURS = ("age", "brows", "beard", "skin_tone")


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head(cache_dir())


@pytest.fixture(scope="module")
def person(model: HeadModel) -> Person:
    return shaved(sample_person(model, np.random.default_rng(11)))


@pytest.fixture(scope="module")
def head(model: HeadModel, person: Person) -> Head:
    return build_head(model, person)


def _asked(**values: float) -> UnitValues:
    out = neutral()
    for name, value in values.items():
        out[UNIT_INDEX[name]] = value
    return out


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_moves_and_its_opposite_moves_the_other_way(model: HeadModel, head: Head, name: str) -> None:
    """A slider whose two sides look alike is no slider."""
    moved = []
    for value in (-1.0, 1.0):
        other, done = changed(head.person, _asked(**{name: value}))
        scale = 1.0 / max(abs(float(done[UNIT_INDEX[name]])), 0.1)
        moved.append((build_head(model, other, like=head).neutral - head.neutral) * scale)
    down, up = moved
    assert np.linalg.norm(up, axis=1).max() > 0.04
    cosine = float((down * up).sum() / (np.linalg.norm(down) * np.linalg.norm(up)))
    assert cosine < -0.4


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_changes_the_texture(model: HeadModel, head: Head, name: str) -> None:
    """What no movement can show."""
    other, _ = changed(head.person, _asked(**{name: 0.7}))
    texture = build_head(model, other, like=head).texture
    assert np.abs(texture[..., :3] - head.texture[..., :3]).max() > 0.05


def test_the_eyes_stay_where_they_are(model: HeadModel, head: Head) -> None:
    """Photos are aligned by them: a cheek that fills must not look like a face that shrinks."""
    other, _ = changed(head.person, _asked(fullness=1.0, age=0.8, jaw=-1.0))
    for ball, same in zip(build_head(model, other, like=head).eyes, head.eyes, strict=True):
        assert np.linalg.norm(ball.centre - same.centre) < 0.02


def test_what_cannot_be_done_is_not_claimed(person: Person) -> None:
    """A face at the end of a range is labelled with what happened and not with what was asked."""
    oldest, done = changed(person, _asked(age=1.0))
    assert 0.0 < done[UNIT_INDEX["age"]] <= 1.0
    _, again = changed(oldest, _asked(age=1.0))
    assert done[UNIT_INDEX["age"]] + again[UNIT_INDEX["age"]] == pytest.approx((0.95 - person.age) / 0.6, abs=1e-5)
    _, nothing = changed(person, _asked(smile=1.0))
    assert not nothing.any()


def test_ageing_keeps_the_rest_of_the_person(person: Person) -> None:
    """Two changes of one person must be of one person: every slider of the shape stays."""
    older, _ = changed(person, _asked(age=0.5))
    shape = {name: weight for name, weight in person.weights.items() if name.startswith("shape/")}
    assert {name: weight for name, weight in older.weights.items() if name.startswith("shape/")} == shape
    assert older.skin.wrinkles > person.skin.wrinkles
    assert older.eyes == person.eyes


def test_every_feature_is_drawn_with_both_signs_but_the_beard() -> None:
    """That one is grown from a shaved face; the pair's other direction takes it off."""
    rng = np.random.default_rng(5)
    drawn = np.stack([sample_features(rng) for _ in range(400)])
    assert not drawn[:, :EXPRESSIONS].any()
    assert ((drawn != 0.0).sum(axis=1) <= 3).all()
    for name in FEATURE_NAMES:
        values = drawn[:, UNIT_INDEX[name]]
        assert (values > 0.2).sum() > 15, name
        assert (values < -0.2).any() == (name != "beard"), name


def test_a_pair_says_what_differs_and_how_it_moved(model: HeadModel, head: Head) -> None:
    """Flow between two states of one person is as exact as between two expressions."""
    other, done = changed(head.person, _asked(chin=1.0))
    longer = build_head(model, other, like=head)
    for seed in range(12):
        pair = feature_pair((head, longer), done, np.random.default_rng(seed), 96)
        delta = pair.units_b - pair.units_a
        assert abs(float(delta[UNIT_INDEX["chin"]])) == pytest.approx(1.0)
        if not delta[:EXPRESSIONS].any():
            break
    assert [UNIT_NAMES[i] for i in np.flatnonzero(delta)] == ["chin"]
    assert pair.flow_a is not None
    assert pair.flow_b is not None
    chin = pair.landmarks_b[-1] - pair.landmarks_a[-1]
    x, y = np.rint(pair.landmarks_b[-1]).astype(int)
    np.testing.assert_allclose(-pair.flow_b.backward_px[y, x], chin, atol=1.5)
    assert np.sign(chin[1]) == np.sign(delta[UNIT_INDEX["chin"]])
