"""Which two expressions make a pair: every unit alike, with both signs and small amounts, and more of what is hard.

What must be invented (the inside of a mouth, a closing eyelid) is a small part of all pixels, so mouths that open and
eyes that close are drawn more often than chance would. People in photos mostly smile and show their teeth, so many
pairs begin there: teeth must stay in their jaw and not stretch with the lips.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from train.face.units import EXPRESSIONS, UNIT_INDEX, UNIT_NAMES, UNITS, UnitValues, neutral

_CHANGES: Final = (1, 2, 3, 4)
_CHANGES_P: Final = (0.35, 0.30, 0.20, 0.15)
_MOUTH_OPENS_P: Final = 0.20
_EYES_CLOSE_P: Final = 0.25
_SMILE_OPENS_P: Final = 0.12
_SMILE_CLOSES_P: Final = 0.07
_HARD_P: Final = _MOUTH_OPENS_P + _EYES_CLOSE_P + _SMILE_OPENS_P + _SMILE_CLOSES_P
_NEUTRAL_P: Final = 0.35
_SMILING_P: Final = 0.25
"""With bared teeth, of those that are not neutral."""
_SMALL_P: Final = 0.25
_SMALL_SIGMA: Final = 0.15
_NOTHING: Final = 1e-3
_MOUTH_SHAPERS: Final = ("smile", "frown", "pucker", "funnel", "stretch", "press", "cheek_puff")
_MOUTH_SHAPERS_SUM: Final = 1.4
"""Lips can do so much at once; beyond, the sum of the shapes tears them."""


def sample_expressions(rng: np.random.Generator) -> tuple[UnitValues, UnitValues]:
    """Two expressions (U,) that differ in one to four units, and in a few more that anatomy couples to them."""
    before, after, ordered = _changed(sample_expression(rng), rng)
    if not ordered and rng.random() < 0.5:
        before, after = after, before
    return plausible(before), plausible(after)


def sample_change(present: UnitValues, rng: np.random.Generator) -> UnitValues:
    """A change (U,) that a face can take which shows ``present`` (U,) already: no unit leaves its range by it."""
    _, after, _ = _changed(present.copy(), rng)
    minimum = np.array([unit.minimum for unit in UNITS], np.float32)
    change = np.clip(plausible(after), minimum, 1.0) - present
    return np.asarray(np.where(np.abs(change) < _NOTHING, 0.0, change), np.float32)


def _changed(before: UnitValues, rng: np.random.Generator) -> tuple[UnitValues, UnitValues, bool]:
    """``before``, and an expression made of it; True when it must be in this order, as the hard ones must."""
    after = before.copy()
    changes = rng.choice(_CHANGES, p=_CHANGES_P)
    for index in rng.choice(EXPRESSIONS, changes, replace=False):
        after[index] = _other_value(int(index), float(before[index]), rng)
    hard = rng.random()
    if hard < _MOUTH_OPENS_P:
        _open_mouth(before, after, rng)
    elif hard < _MOUTH_OPENS_P + _EYES_CLOSE_P:
        _close_eyes(before, after, rng)
    elif hard < _MOUTH_OPENS_P + _EYES_CLOSE_P + _SMILE_OPENS_P:
        _open_smile(before, after, rng)
    elif hard < _HARD_P:
        _close_smile(before, after, rng)
    return before, after, hard < _HARD_P


def sample_expression(rng: np.random.Generator) -> UnitValues:
    """One expression (U,): often neutral, else up to four units."""
    values = neutral()
    if rng.random() < _NEUTRAL_P:
        return values
    if rng.random() < _SMILING_P:
        _bare_teeth(values, rng)
        return plausible(values)
    for index in rng.choice(EXPRESSIONS, rng.choice(_CHANGES, p=_CHANGES_P), replace=False):
        values[index] = rng.uniform(UNITS[index].minimum, 1.0)
    if rng.random() < 0.5:
        # both eyes mostly do the same
        values[UNIT_INDEX["blink_right"]] = values[UNIT_INDEX["blink_left"]]
    return plausible(values)


def plausible(values: UnitValues) -> UnitValues:
    """``values`` with what excludes each other toned down, as a real face would."""
    out = values.copy()
    jaw = float(np.clip(out[UNIT_INDEX["jaw_open"]], 0.0, 1.0))
    for name in ("press", "cheek_puff"):
        out[UNIT_INDEX[name]] *= 1.0 - jaw
    blink = max(float(out[UNIT_INDEX[name]]) for name in ("blink_left", "blink_right"))
    for name in ("eye_wide", "squint"):
        out[UNIT_INDEX[name]] *= 1.0 - blink
    shapers = [UNIT_INDEX[name] for name in _MOUTH_SHAPERS]
    total = float(out[shapers].sum())
    if total > _MOUTH_SHAPERS_SUM:
        out[shapers] *= _MOUTH_SHAPERS_SUM / total
    return out


def changed_units(before: UnitValues, after: UnitValues, *, threshold: float = 0.02) -> tuple[str, ...]:
    """Names of the units that differ by more than ``threshold``."""
    return tuple(name for name, a, b in zip(UNIT_NAMES, before, after, strict=True) if abs(b - a) > threshold)


def _other_value(index: int, value: float, rng: np.random.Generator) -> float:
    minimum = UNITS[index].minimum
    if rng.random() < _SMALL_P:
        return float(np.clip(value + rng.normal(0.0, _SMALL_SIGMA), minimum, 1.0))
    return float(rng.uniform(minimum, 1.0))


def _open_mouth(before: UnitValues, after: UnitValues, rng: np.random.Generator) -> None:
    """From lips that touch to an open jaw or bared teeth, in place."""
    for values in (before, after):
        values[[UNIT_INDEX[name] for name in ("press", "pucker", "cheek_puff")]] *= 0.3
    before[[UNIT_INDEX[name] for name in ("jaw_open", "upper_lip", "lower_lip", "funnel")]] = 0.0
    after[UNIT_INDEX["jaw_open"]] = rng.uniform(0.15, 1.0)
    if rng.random() < 0.4:
        after[UNIT_INDEX["upper_lip"]] = rng.uniform(0.0, 1.0)
        after[UNIT_INDEX["lower_lip"]] = rng.uniform(0.0, 1.0)
    if rng.random() < 0.3:
        after[UNIT_INDEX["smile"]] = rng.uniform(0.3, 1.0)


def _bare_teeth(values: UnitValues, rng: np.random.Generator) -> None:
    """The smile of a photo, in place: corners up, lips off the teeth, often with narrowed eyes."""
    values[[UNIT_INDEX[name] for name in (*_MOUTH_SHAPERS, "mouth_left", "jaw_left")]] = 0.0
    values[UNIT_INDEX["smile"]] = rng.uniform(0.3, 1.0)
    values[UNIT_INDEX["upper_lip"]] = rng.uniform(0.2, 1.0)
    values[UNIT_INDEX["lower_lip"]] = rng.uniform(0.1, 0.9)
    values[UNIT_INDEX["jaw_open"]] = rng.uniform(0.0, 0.25)
    if rng.random() < 0.6:
        values[UNIT_INDEX["cheek_raise"]] = rng.uniform(0.2, 1.0)
        values[UNIT_INDEX["squint"]] = rng.uniform(0.0, 0.5)


def _open_smile(before: UnitValues, after: UnitValues, rng: np.random.Generator) -> None:
    """From bared teeth to a jaw that is open further, in place."""
    _bare_teeth(before, rng)
    after[:] = before
    after[UNIT_INDEX["jaw_open"]] += rng.uniform(0.2, 0.75)


def _close_smile(before: UnitValues, after: UnitValues, rng: np.random.Generator) -> None:
    """From bared teeth to lips that touch, in place; some of the smile may stay."""
    _bare_teeth(before, rng)
    after[:] = before
    after[[UNIT_INDEX[name] for name in ("upper_lip", "lower_lip", "jaw_open")]] = 0.0
    if rng.random() < 0.6:
        after[UNIT_INDEX["smile"]] *= rng.uniform(0.0, 0.7)
        after[UNIT_INDEX["cheek_raise"]] *= rng.uniform(0.0, 0.7)


def _close_eyes(before: UnitValues, after: UnitValues, rng: np.random.Generator) -> None:
    """From open eyes to one or both closed, mostly fully, in place."""
    before[[UNIT_INDEX["blink_left"], UNIT_INDEX["blink_right"]]] = 0.0
    amount = 1.0 if rng.random() < 0.6 else rng.uniform(0.3, 1.0)
    side = rng.random()
    after[UNIT_INDEX["blink_left"]] = amount if side < 0.75 else 0.0
    after[UNIT_INDEX["blink_right"]] = amount if side < 0.5 or side >= 0.75 else 0.0
