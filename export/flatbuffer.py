"""Reads a TFLite flatbuffer as data, through the schema that comes with the interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge_runtime.contract import TensorSpec


@dataclass(frozen=True)
class Operator:
    """One operator of a graph."""

    name: str
    """Builtin operator, or CUSTOM."""
    version: int
    custom: str
    """Name of a custom (or Flex) operator, else empty."""


def parse(graph: bytes) -> Any:
    """The schema's object tree (ModelT)."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph, 0))


def operators(model: Any) -> Iterator[Operator]:
    """All operators of all subgraphs, in order."""
    from ai_edge_litert import schema_py_generated as schema

    names = _names(schema.BuiltinOperator)
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            custom = _text(code.customCode) if name == "CUSTOM" else ""
            yield Operator(name, int(code.version), custom)


def dynamic_tensors(model: Any) -> tuple[str, ...]:
    """Names of tensors whose shape is known only when they are fed."""
    return tuple(
        _text(tensor.name)
        for subgraph in model.subgraphs
        for tensor in subgraph.tensors
        if tensor.shapeSignature is not None and any(size < 0 for size in tensor.shapeSignature)
    )


def constant_bytes(model: Any) -> int:
    """Bytes of all constants."""
    return sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)


def signature(model: Any) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of the only signature, by their names in it, sorted by name."""
    from ai_edge_litert import schema_py_generated as schema

    types = _names(schema.TensorType)
    (entry,) = model.signatureDefs
    tensors = model.subgraphs[entry.subgraphIndex].tensors

    def specs(entries: Any) -> tuple[TensorSpec, ...]:
        found = [_spec(_text(item.name), tensors[item.tensorIndex], types) for item in entries]
        return tuple(sorted(found, key=lambda spec: spec.name))

    return specs(entry.inputs), specs(entry.outputs)


def _spec(name: str, tensor: Any, types: dict[int, str]) -> TensorSpec:
    quantization = tensor.quantization
    quantized = quantization is not None and quantization.scale is not None and len(quantization.scale) == 1
    return TensorSpec(
        name=name,
        dtype=types[tensor.type].lower(),
        shape=tuple(int(size) for size in tensor.shape),
        scale=float(quantization.scale[0]) if quantized else 0.0,
        zero_point=int(quantization.zeroPoint[0]) if quantized else 0,
    )


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def pack(model: Any) -> bytes:
    """The flatbuffer of an object tree (`parse` undoes it)."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
