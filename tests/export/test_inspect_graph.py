"""The gates that need no run: what no board can load must be refused, and a sound graph must not be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_runtime.contract import TensorSpec
from export.inspect_graph import GraphFacts, refusals
from export.recipes import COMPAT_TFLITE_2_14, select

_FP32 = select(("fp32",), ("tflite",))[0]
_INT8 = select(("int8",), ("tflite",))[0]
_PARAMETERS = 1000
_SOUND = GraphFacts(
    ops={"FULLY_CONNECTED": 3, "ADD": 1},
    versions={"FULLY_CONNECTED": 11, "ADD": 2},
    custom=(),
    dynamic=(),
    constant_bytes=4100,
    inputs=(TensorSpec("mel", "float32", (2, 80), 0.0, 0),),
    outputs=(TensorSpec("harmonic", "float32", (2, 80), 0.0, 0),),
)


def test_a_sound_graph_passes() -> None:
    assert refusals(_SOUND, _FP32, _PARAMETERS, None) == []
    assert refusals(_SOUND, _FP32, _PARAMETERS, COMPAT_TFLITE_2_14) == []


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        (replace(_SOUND, custom=("FlexErf",)), "FlexErf"),
        (replace(_SOUND, ops={"READ_VARIABLE": 2}), "not frozen: the graph has READ_VARIABLE"),
        (replace(_SOUND, dynamic=("mel",)), "without a fixed shape: mel"),
        (replace(_SOUND, constant_bytes=3500), "weights were left out"),
        (replace(_SOUND, inputs=(TensorSpec("mel", "int8", (2, 80), 0.1, 3),)), "tensor mel is int8"),
    ],
)
def test_each_fault_is_named(facts: GraphFacts, named: str) -> None:
    (found,) = refusals(facts, _FP32, _PARAMETERS, None)
    assert named in found


def test_old_interpreters_get_no_newer_operators() -> None:
    """Per-channel dense weights are FULLY_CONNECTED 12, which tflite-runtime 2.14 answers with an error at load."""
    facts = replace(_SOUND, versions={"FULLY_CONNECTED": 12, "ADD": 2, "GELU": 1})
    found = refusals(facts, _INT8, _PARAMETERS, COMPAT_TFLITE_2_14)
    assert len(found) == 2
    assert "FULLY_CONNECTED version 12" in found[0]
    assert "GELU" in found[1]
    assert refusals(facts, _INT8, _PARAMETERS, None) == []
