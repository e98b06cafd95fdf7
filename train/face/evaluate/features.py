"""Features: whether each slider moves what tells of it, as far as it truly goes, and leaves the others alone.

What a feature truly does is measured on rendered pairs of held-out people (`train.face.evaluate.traits`), by least
squares over all of them, since a pair changes several at once. The file is then asked for each feature alone, in both
directions, on pictures of people it never saw, and the same traits are measured before and after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.landmarks import Face
from train.evaluate.intervals import Interval, mean_interval
from train.face.dataset import FaceDataset, PairRecord
from train.face.evaluate.eyes import Eyes
from train.face.evaluate.traits import Traits, measure_traits
from train.face.preprocess import find_pair
from train.face.units import EXPRESSIONS, FEATURE_NAMES

RENDERED, REAL = "rendered", "real"
"""Kinds of pictures."""
Image = NDArray[np.uint8]
Effects = NDArray[np.float64]
"""(F, F): what a change of 1 of each feature (row) does to each trait (column)."""

MOVED: Final = 0.5
"""Share of its true way that a trait must go for its feature to count as moved."""
LEAK: Final = 0.2
"""Share of its range by which a trait may move that is none of the feature's."""
_OWN: Final = 0.1
"""Share of its range from which on another feature truly moves a trait too, as a fuller face has a wider jaw."""
_RIDGE: Final = 0.5
_FEWEST_PAIRS: Final = 40


@dataclass(frozen=True)
class FeatureTruth:
    """One rendered pair."""

    delta: tuple[float, ...]
    """(F,) change of each feature."""
    moved: Mapping[str, float]
    """Of each trait, between the true pictures."""


@dataclass(frozen=True)
class FeatureAnswer:
    """One picture, asked for one feature in both directions."""

    item: str
    feature: str
    moved: Mapping[str, float]
    """Of each trait, from the least change that can be asked to the most, for a change of 1."""


@dataclass(frozen=True)
class FeatureRow:
    """One feature over all pictures of a kind."""

    feature: str
    kind: str
    """`RENDERED` or `REAL`."""
    pictures: int
    own: Interval | None
    """How far its trait went, over how far it truly goes."""
    leak: float
    """Of the traits that are none of its: the mean movement of the one that moved most, over its range."""
    leaks_to: str
    """Which that is."""

    @property
    def moves(self) -> bool:
        """Whether it does what it says, and that alone."""
        return self.own is not None and self.own.mean >= MOVED and self.leak <= LEAK


class FeatureJudge:
    """Measures features of one file; needs a file that has them all."""

    def __init__(self, converter: FaceConverter, eyes: Eyes) -> None:
        self._converter = converter
        self._eyes = eyes

    def truth(self, dataset: FaceDataset, record: PairRecord) -> FeatureTruth | None:
        """The traits of a rendered pair that differs in features alone; None where that is not so, or no face found."""
        found = find_pair(dataset.root / record.file, dataset.landmarks, self._converter.finder)
        if found is None:
            return None
        pair, before, after = found
        delta = pair.units_b - pair.units_a
        if delta[:EXPRESSIONS].any():
            return None
        moved = self._traits(pair.image_b, after).minus(self._traits(pair.image_a, before))
        return FeatureTruth(tuple(delta[EXPRESSIONS:].tolist()), moved)

    def answers(self, item: str, image: Image, face: Face) -> list[FeatureAnswer]:
        """Every feature of the largest face of a picture; those after which no face is found are left out."""
        answers = []
        for feature in FEATURE_NAMES:
            low, high = self.ends(feature)
            less, more = (self._changed(image, face, feature, value) for value in (low, high))
            if less is not None and more is not None:
                moved = {name: value / (high - low) for name, value in more.minus(less).items()}
                answers.append(FeatureAnswer(item, feature, moved))
        return answers

    def ends(self, feature: str) -> tuple[float, float]:
        """The least and the most that can be asked of a feature."""
        unit = next(unit for unit in self._converter.manifest.units if unit.name == feature)
        return unit.minimum, unit.maximum

    def edited(self, image: Image, face: Face, feature: str, value: float) -> Image:
        """The picture with one feature changed, as the device makes it."""
        asked: dict[str, Any] = {feature: value}
        controls = self._converter.controls(**asked)
        return self._converter.convert_found(image, [face], controls)

    def _changed(self, image: Image, face: Face, feature: str, value: float) -> Traits | None:
        out = self.edited(image, face, feature, value)
        after = self._converter.finder.landmarker.follow(out, face)
        return None if after is None else self._traits(out, after)

    def _traits(self, image: Image, face: Face) -> Traits:
        return measure_traits(image, face, self._eyes.gap_iod(image, face))


def fit_effects(truths: Sequence[FeatureTruth]) -> Effects | None:
    """What features truly do; None with too few pairs to tell."""
    if len(truths) < _FEWEST_PAIRS:
        return None
    deltas = np.array([truth.delta for truth in truths])
    moved = np.array([[truth.moved[name] for name in FEATURE_NAMES] for truth in truths])
    gram = deltas.T @ deltas + _RIDGE * np.eye(deltas.shape[1])
    return np.asarray(np.linalg.solve(gram, deltas.T @ moved))


def feature_rows(answers: Sequence[FeatureAnswer], effects: Effects, kind: str) -> tuple[FeatureRow, ...]:
    """A row for every feature."""
    rows = []
    for index, feature in enumerate(FEATURE_NAMES):
        mine = [answer for answer in answers if answer.feature == feature]
        own = mean_interval([answer.moved[feature] / effects[index, index] for answer in mine])
        leak, leaks_to = _leak(mine, effects, index)
        rows.append(FeatureRow(feature, kind, len(mine), own, leak, leaks_to))
    return tuple(rows)


def _leak(answers: Sequence[FeatureAnswer], effects: Effects, index: int) -> tuple[float, str]:
    """The largest mean movement of a trait that is none of the feature's, over that trait's range of -1 to 1."""
    found = (0.0, "")
    for other, trait in enumerate(FEATURE_NAMES):
        whole = abs(float(effects[other, other]))
        if other == index or abs(float(effects[index, other])) >= _OWN * whole or not answers:
            continue
        moved = abs(float(np.mean([answer.moved[trait] for answer in answers]))) / whole
        found = max(found, (round(moved, 4), trait))
    return found
