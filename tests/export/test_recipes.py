"""The recipes are data that the gates and the command line rely on."""

from __future__ import annotations

import pytest

from edge_runtime.errors import WorkstationError
from export.recipes import FORMATS, PRECISIONS, RECIPES, OutputBound, Recipe, select


def test_everything_is_made_when_nothing_is_said() -> None:
    assert select(PRECISIONS, FORMATS) == RECIPES


def test_selection_is_by_both_names() -> None:
    assert [recipe.label for recipe in select(("int8", "fp32"), ("tflite",))] == ["fp32.tflite", "int8.tflite"]


@pytest.mark.parametrize(
    ("precisions", "formats", "named"),
    [
        (("int4",), ("tflite",), "int4"),
        (("fp32",), ("pb",), "pb"),
        (("int8",), ("onnx",), "int8"),
        ((), (), "possible"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(
    precisions: tuple[str, ...], formats: tuple[str, ...], named: str
) -> None:
    with pytest.raises(WorkstationError, match=named) as caught:
        select(precisions, formats)
    assert "\n" not in str(caught.value)


def test_an_output_may_have_its_own_floor_but_must_say_why() -> None:
    recipe = Recipe("int8", "tflite", 1.0, None, 25.0, (OutputBound("residual", 20.0, "measured"),))
    assert recipe.floor_db("residual") == 20.0
    assert recipe.floor_db("harmonic") == 25.0
    assert all(bound.reason for known in RECIPES for bound in known.bounds)
