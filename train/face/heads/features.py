"""Features of a person that can be changed: what each of them does to a head, to its shape and to its colours.

A value of 1 is as much of a change as still leaves a plausible person in most cases, and -1 the other way. Expressions
are not of this place: they are shapes of the moment (`train.face.units`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from train.face.heads.people import Beard, Person, Rgb, macro_weights
from train.face.units import EXPRESSIONS, UNIT_INDEX, UNIT_NAMES, UnitValues

Change = Callable[[Person, float], tuple[Person, float]]
"""A person and a value to that person changed, and how much of the value could be done."""

_YEARS: Final = 0.6
"""Of the scale of `Person.age`, which is about 65 years."""
_OLDEST: Final = 0.95
_GREY: Final[Rgb] = (0.34, 0.33, 0.32)
_MELANIN: Final = 0.25
_HEAVINESS: Final = 1.1
_FULLEST: Final = 1.6
_BEARD_DENSITY: Final = 0.9
_BEARD_CHEEK: Final = 0.45

_SLIDERS: Final[Mapping[str, Mapping[tuple[str, str], float]]] = MappingProxyType(
    {
        "fullness": {
            ("head-fat-decr", "head-fat-incr"): 0.5,
            ("l-cheek-volume-decr", "l-cheek-volume-incr"): 0.7,
            ("neck-double-decr", "neck-double-incr"): 0.5,
        },
        "nose": {
            ("nose-scale-horiz-decr", "nose-scale-horiz-incr"): 0.75,
            ("nose-scale-vert-decr", "nose-scale-vert-incr"): 0.4,
            ("nose-volume-decr", "nose-volume-incr"): 0.6,
            ("nose-width3-decr", "nose-width3-incr"): 0.5,
        },
        "lips": {
            ("mouth-upperlip-volume-decr", "mouth-upperlip-volume-incr"): 0.8,
            ("mouth-lowerlip-volume-decr", "mouth-lowerlip-volume-incr"): 0.8,
            ("mouth-upperlip-height-decr", "mouth-upperlip-height-incr"): 0.8,
            ("mouth-lowerlip-height-decr", "mouth-lowerlip-height-incr"): 0.8,
        },
        "jaw": {
            ("chin-bones-decr", "chin-bones-incr"): 1.0,
            ("chin-width-decr", "chin-width-incr"): 0.5,
            ("chin-jaw-drop-decr", "chin-jaw-drop-incr"): 0.4,
        },
        "chin": {
            ("chin-height-decr", "chin-height-incr"): 0.65,
            ("chin-prominent-decr", "chin-prominent-incr"): 0.3,
        },
        "eyes": {
            ("l-eye-scale-decr", "l-eye-scale-incr"): 1.5,
            ("l-eye-height2-decr", "l-eye-height2-incr"): 0.4,
        },
    }
)
"""Pairs of opposite targets of the mesh, and how far each goes at 1; what is done left is done right as well."""


def changed(person: Person, values: UnitValues) -> tuple[Person, UnitValues]:
    """``person`` with the features of ``values`` (U,), and what of them could be done (U,); expressions do nothing."""
    done = np.zeros_like(values)
    for index in range(EXPRESSIONS, len(UNIT_NAMES)):
        if values[index]:
            person, done[index] = _CHANGES[UNIT_NAMES[index]](person, float(values[index]))
    return person, done


def sample_features(rng: np.random.Generator) -> UnitValues:
    """A change (U,) of one to three features, from a little to fully, in either direction."""
    values = np.zeros(len(UNIT_NAMES), np.float32)
    count = rng.choice((1, 2, 3), p=(0.6, 0.25, 0.15))
    for index in rng.choice(np.arange(EXPRESSIONS, len(UNIT_NAMES)), count, replace=False):
        values[index] = rng.choice((-1.0, 1.0)) * rng.uniform(0.25, 1.0)
    # Hardly anybody to be rendered has a beard that could be taken off; it is, in the pair's other direction.
    values[UNIT_INDEX["beard"]] = abs(values[UNIT_INDEX["beard"]])
    return values


def _slide(weights: Mapping[str, float], sliders: Mapping[tuple[str, str], float], value: float) -> dict[str, float]:
    out = dict(weights)
    for (low, high), amount in sliders.items():
        _slide_one(out, f"shape/{low}", f"shape/{high}", amount * value)
        if low.startswith("l-"):
            _slide_one(out, f"shape/r-{low[2:]}", f"shape/r-{high[2:]}", amount * value)
    return out


def _slide_one(weights: dict[str, float], low: str, high: str, by: float) -> None:
    """Move a pair of opposite targets, of which a head has at most one, in place."""
    value = weights.pop(high, 0.0) - weights.pop(low, 0.0) + by
    weights[high if value > 0 else low] = abs(value)


def _shaped(name: str) -> Change:
    def change(person: Person, value: float) -> tuple[Person, float]:
        return replace(person, weights=_slide(person.weights, _SLIDERS[name], value)), value

    return change


def _of_body(person: Person, age: float, heaviness: float) -> dict[str, float]:
    """The person's weights with those of the mesh's own grid for another age and body."""
    kept = {name: weight for name, weight in person.weights.items() if not name.startswith("macro/")}
    return kept | macro_weights(person.ancestry, person.maleness, age, heaviness)


def _fuller(person: Person, value: float) -> tuple[Person, float]:
    heaviness = float(np.clip(person.heaviness + _HEAVINESS * value, -_FULLEST, _FULLEST))
    weights = _slide(_of_body(person, person.age, heaviness), _SLIDERS["fullness"], value)
    return replace(person, weights=weights, heaviness=heaviness), value


def _older(person: Person, value: float) -> tuple[Person, float]:
    age = float(np.clip(person.age + _YEARS * value, 0.0, _OLDEST))
    by = age - person.age
    grey = max(0.0, _greyness(age) - _greyness(person.age))
    wrinkles = float(np.clip(person.skin.wrinkles + 1.25 * by, 0.0, 1.0))
    older = replace(
        person,
        age=age,
        weights=_of_body(person, age, person.heaviness),
        skin=replace(person.skin, wrinkles=wrinkles),
        hair=replace(
            person.hair,
            colour=_mixed(person.hair.colour, _GREY, grey),
            brow_colour=_mixed(person.hair.brow_colour, _GREY, grey),
        ),
    )
    return older, by / _YEARS


def _greyness(age: float) -> float:
    return float(np.clip((age - 0.3) / 0.5, 0.0, 0.9))


def _mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    red, green, blue = ((1.0 - share) * a + share * b for a, b in zip(first, second, strict=True))
    return red, green, blue


def _thicker_brows(person: Person, value: float) -> tuple[Person, float]:
    brows = person.brows
    thickness = float(np.clip(brows.thickness * 2.0 ** (0.8 * value), 0.3, 2.4))
    density = float(np.clip(brows.density + 0.35 * value, 0.1, 1.0))
    return replace(person, brows=replace(brows, thickness=thickness, density=density)), value


def _bearded(person: Person, value: float) -> tuple[Person, float]:
    """From a shaved face; so what can be done is asked of one that has no beard (`shaved`)."""
    if value <= 0.0:
        return person, 0.0
    return replace(person, beard=Beard("full", _BEARD_DENSITY * value, _BEARD_CHEEK)), value


def shaved(person: Person) -> Person:
    """``person`` without a beard, from whom one can be grown."""
    return replace(person, beard=replace(person.beard, kind="none"))


def _darker(person: Person, value: float) -> tuple[Person, float]:
    """Towards a darker skin; its redness goes with it, as in `train.face.heads.people`."""
    skin = person.skin
    melanin = float(np.clip(skin.melanin + _MELANIN * value, 0.0, 1.0))
    return replace(person, skin=replace(skin, melanin=melanin)), (melanin - skin.melanin) / _MELANIN


_CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "age": _older,
        "fullness": _fuller,
        **{name: _shaped(name) for name in ("nose", "lips", "jaw", "chin", "eyes")},
        "brows": _thicker_brows,
        "beard": _bearded,
        "skin_tone": _darker,
    }
)
