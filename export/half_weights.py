"""The weights of a finished float graph at half their size: stored as half floats, computed in float32 as before.

What TensorFlow's own converter makes of ``supported_types = [float16]``, for a graph whose source is not at hand: every
large constant becomes half floats with a DEQUANTIZE before it, which interpreters fold away when they load the file.
"""

from __future__ import annotations

import copy
from typing import Any, Final

import numpy as np

from export.flatbuffer import pack, parse

_SMALLEST: Final = 512
"""Constants of fewer values stay: biases and slopes are no weight in the file, and count for more."""
_DEQUANTIZE_HALF: Final = 3
"""Version of DEQUANTIZE that takes half floats."""
_HALF_MAXIMUM: Final = 65504.0


def halve_weights(graph: bytes) -> bytes:
    """The same graph, a .tflite, with half floats for its large float32 constants."""
    from ai_edge_litert import schema_py_generated as schema

    model = parse(graph)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _DEQUANTIZE_HALF
    model.operatorCodes.append(code)
    for subgraph in model.subgraphs:
        added = []
        for index in range(len(subgraph.tensors)):
            half = _halved(model, subgraph.tensors[index], schema)
            if half is None:
                continue
            subgraph.tensors.append(half)
            operator = schema.OperatorT()
            operator.opcodeIndex = len(model.operatorCodes) - 1
            operator.inputs, operator.outputs = [len(subgraph.tensors) - 1], [index]
            added.append(operator)
        subgraph.operators = added + list(subgraph.operators)
    _empty_unused(model)
    return pack(model)


def _empty_unused(model: Any) -> None:
    """Take the data out of buffers that nothing refers to any more; their numbers stay."""
    used = {tensor.buffer for subgraph in model.subgraphs for tensor in subgraph.tensors}
    used |= {entry.buffer for entry in model.metadata or ()}
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None


def _halved(model: Any, tensor: Any, schema: Any) -> Any | None:
    """A half-float twin of a large constant, which then holds no data itself; None for any other tensor."""
    data = model.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.FLOAT32 or data is None or len(data) < 4 * _SMALLEST:
        return None
    values = np.frombuffer(bytes(data), np.float32)
    if not np.abs(values).max() < _HALF_MAXIMUM:
        return None
    twin = copy.deepcopy(tensor)
    twin.type, twin.name = schema.TensorType.FLOAT16, bytes(tensor.name) + b"_half"
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.astype(np.float16).tobytes(), np.uint8)
    model.buffers.append(buffer)
    twin.buffer, tensor.buffer = len(model.buffers) - 1, 0
    return twin
