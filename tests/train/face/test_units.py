"""Units: the names sliders carry, and what each does to the mesh."""

from __future__ import annotations

import numpy as np
import pytest

from train.face.units import EXPRESSIONS, UNIT_INDEX, UNIT_NAMES, UNITS, neutral, shape_weights

ARKIT_STEMS = (
    *("browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide"),
    *("jawLeft", "jawOpen", "jawRight", "mouthFrown", "mouthFunnel", "mouthLeft", "mouthLowerDown", "mouthPress"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthSmile", "mouthStretch", "mouthUpperUp"),
    "noseSneer",
)


def test_the_units_are_the_contract_of_the_model_in_its_order() -> None:
    """A trained model's delta is by position: a change here makes every model file wrong."""
    assert (
        *("smile", "frown", "brow_raise", "brow_inner", "brow_lower", "eye_wide", "squint", "cheek_raise"),
        *("blink_left", "blink_right", "sneer", "upper_lip", "lower_lip", "jaw_open", "jaw_left", "mouth_left"),
        *("pucker", "funnel", "stretch", "press", "cheek_puff"),
        *("age", "fullness", "nose", "lips", "jaw", "chin", "eyes", "brows", "beard", "skin_tone"),
    ) == UNIT_NAMES
    assert [UNIT_INDEX[name] for name in UNIT_NAMES] == list(range(31))
    assert [unit.feature for unit in UNITS] == [False] * EXPRESSIONS + [True] * 10


def test_units_are_made_of_arkit_shapes() -> None:
    """A misspelt shape would silently do nothing."""
    known = {f"{stem}{side}" for stem in ARKIT_STEMS for side in ("", "Left", "Right")}
    used = {shape for unit in UNITS for shape in (*unit.shapes, *unit.opposite)}
    assert used <= known


@pytest.mark.parametrize(("value", "shape"), [(0.5, "jawLeft"), (-0.25, "jawRight")])
def test_the_two_sides_of_a_unit_use_different_shapes(value: float, shape: str) -> None:
    """Negative means the other side, never a negative weight."""
    values = neutral()
    values[UNIT_INDEX["jaw_left"]] = value
    assert shape_weights(values) == {shape: pytest.approx(abs(value))}


def test_shapes_that_several_units_share_are_added() -> None:
    """`brow_raise` and `brow_inner` both lift the inner brows."""
    values = neutral()
    values[[UNIT_INDEX["brow_raise"], UNIT_INDEX["brow_inner"]]] = 1.0
    assert shape_weights(values)["browInnerUp"] == pytest.approx(1.7)
    assert shape_weights(neutral()) == {}
    assert np.all(neutral() == 0.0)
