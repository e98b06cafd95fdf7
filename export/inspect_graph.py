"""Reads a converted graph without running it, and refuses what a board cannot run.

TFLite graphs are read with the schema that comes with the interpreter; ONNX graphs with the onnx package.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_runtime.contract import TensorSpec
from export import flatbuffer
from export.recipes import COMPAT_TFLITE_2_14, Recipe

_VARIABLE_OPS = frozenset({"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"})
_LOST_WEIGHTS_BELOW = 0.9

OP_VERSIONS_2_14 = {
    "ADD": 5,
    "CONCATENATION": 4,
    "CONV_2D": 8,
    "DEPTHWISE_CONV_2D": 7,
    "DEPTH_TO_SPACE": 2,
    "DEQUANTIZE": 6,
    "FULLY_CONNECTED": 11,
    "LOGISTIC": 3,
    "MAXIMUM": 4,
    "MINIMUM": 4,
    "MUL": 7,
    "PAD": 4,
    "QUANTIZE": 3,
    "RELU": 3,
    "RELU6": 3,
    "RESHAPE": 1,
    "RESIZE_BILINEAR": 4,
    "SLICE": 6,
    "SPACE_TO_DEPTH": 2,
    "SPLIT": 4,
    "STRIDED_SLICE": 8,
    "SUB": 5,
    "TANH": 3,
}
"""Highest operator versions of tflite-runtime 2.14 (tensorflow/lite/core/kernels/register.cc, release 2.14)."""


@dataclass(frozen=True)
class GraphFacts:
    """What stands in a graph."""

    ops: dict[str, int]
    """How often each operator occurs."""
    versions: dict[str, int]
    """Highest version of each operator (TFLite only)."""
    custom: tuple[str, ...]
    """Operators that are not part of the format's own set."""
    dynamic: tuple[str, ...]
    """Tensors without a fixed shape."""
    constant_bytes: int
    """Bytes of weights and other constants."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def read_graph(graph: bytes, graph_format: str) -> GraphFacts:
    """Facts of a bare graph, ``graph_format`` being tflite or onnx."""
    return _read_tflite(graph) if graph_format == "tflite" else _read_onnx(graph)


def _read_tflite(graph: bytes) -> GraphFacts:
    model = flatbuffer.parse(graph)
    ops = list(flatbuffer.operators(model))
    inputs, outputs = flatbuffer.signature(model)
    versions: dict[str, int] = {}
    for op in ops:
        versions[op.name] = max(versions.get(op.name, 0), op.version)
    return GraphFacts(
        ops=dict(sorted(Counter(op.name for op in ops).items())),
        versions=versions,
        custom=tuple(sorted({op.custom for op in ops if op.custom})),
        dynamic=flatbuffer.dynamic_tensors(model),
        constant_bytes=flatbuffer.constant_bytes(model),
        inputs=inputs,
        outputs=outputs,
    )


def refusals(facts: GraphFacts, recipe: Recipe, parameters: int, compat: str | None) -> list[str]:
    """Why the graph must not be shipped, one line each; empty when nothing speaks against it."""
    found = []
    if facts.custom:
        found.append(f"operators that no board has: {', '.join(facts.custom)}")
    if variables := sorted(_VARIABLE_OPS & facts.ops.keys()):
        found.append(f"the weights are not frozen: the graph has {', '.join(variables)}")
    if facts.dynamic:
        found.append(f"tensors without a fixed shape: {', '.join(facts.dynamic[:5])}")
    expected = _LOST_WEIGHTS_BELOW * parameters * recipe.weight_bytes
    if facts.constant_bytes < expected:
        found.append(
            f"only {facts.constant_bytes} bytes of weights for {parameters} parameters, "
            f"at least {expected:.0f} are expected: weights were left out"
        )
    for spec in (*facts.inputs, *facts.outputs):
        if spec.dtype != "float32":
            found.append(f"tensor {spec.name} is {spec.dtype}; inputs, outputs and states must be float32")
    if compat == COMPAT_TFLITE_2_14 and recipe.graph_format == "tflite":
        found += _too_new(facts)
    return found


def _too_new(facts: GraphFacts) -> list[str]:
    return [
        f"{op} version {version} is newer than tflite-runtime 2.14 (version {OP_VERSIONS_2_14[op]})"
        if op in OP_VERSIONS_2_14
        else f"{op} is not known to run in tflite-runtime 2.14"
        for op, version in sorted(facts.versions.items())
        if version > OP_VERSIONS_2_14.get(op, 0)
    ]


def _read_onnx(graph: bytes) -> GraphFacts:
    import onnx

    model = onnx.load_from_string(graph)
    ops = Counter(node.op_type for node in model.graph.node)
    custom = sorted(
        {f"{node.domain}.{node.op_type}" for node in model.graph.node if node.domain not in ("", "ai.onnx")}
    )
    inputs = tuple(sorted((_onnx_spec(value) for value in model.graph.input), key=lambda spec: spec.name))
    outputs = tuple(sorted((_onnx_spec(value) for value in model.graph.output), key=lambda spec: spec.name))
    dynamic = tuple(spec.name for spec in (*inputs, *outputs) if any(size < 0 for size in spec.shape))
    constants = sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in model.graph.initializer)
    return GraphFacts(dict(sorted(ops.items())), {}, tuple(custom), dynamic, constants, inputs, outputs)


def _onnx_spec(value: Any) -> TensorSpec:
    import onnx

    kind = value.type.tensor_type
    shape = tuple(int(d.dim_value) if d.HasField("dim_value") else -1 for d in kind.shape.dim)
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
    return TensorSpec(value.name, dtype, shape, 0.0, 0)
