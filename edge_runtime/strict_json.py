"""Frozen dataclasses from JSON and back, strictly: an unknown field, a missing one or a wrong type is refused.

The manifests of model files (`edge_runtime.contract`, `edge_runtime.face_contract`) and what training keeps on disk go
through here.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, TypeVar

from edge_runtime.errors import ModelFileError

T = TypeVar("T")


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same text for the same value. NaN and infinity are a `ValueError`."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parse_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object. Raises `ModelFileError`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError("the manifest inside the model file is not valid JSON; export the model again") from error
    if not isinstance(data, dict):
        raise ModelFileError("the manifest inside the model file is not a JSON object; export the model again")
    return data


def build(cls: type[T], data: Any, where: str) -> T:
    """Build dataclass ``cls`` from parsed JSON, strictly: the same fields, the declared types, finite numbers."""
    if not isinstance(data, dict):
        raise ModelFileError(f"{where} is not an object; export the model again")
    hints = typing.get_type_hints(cls)
    fields = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if missing := sorted(fields - data.keys()):
        raise ModelFileError(f"{where} lacks {', '.join(missing)}; export the model again")
    if unknown := sorted(str(key) for key in data.keys() - fields):
        raise ModelFileError(f"{where} has unknown {', '.join(unknown)}; update changeling")
    return cls(**{name: _convert(hints[name], data[name], f"{where}.{name}") for name in fields})


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _convert(typing.get_args(hint)[0], value, where)
    if origin is tuple and isinstance(value, list):
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, entry, f"{where}[{i}]") for i, entry in enumerate(value))
    if origin is dict and isinstance(value, dict):
        item = typing.get_args(hint)[1]
        return {str(key): _convert(item, entry, f"{where}.{key}") for key, entry in value.items()}
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if abs(value) < 1e300:  # neither NaN, nor infinite, nor an integer too long for a float
            return float(value)
    elif hint in (int, str, bool) and type(value) is hint:
        return value
    raise ModelFileError(f"{where} is not of type {getattr(hint, '__name__', hint)}; export the model again")


def from_dict(cls: type[T], data: Any) -> T:
    """Build any dataclass from parsed JSON, as strictly as the manifests are built. Raises `ModelFileError`."""
    return build(cls, data, cls.__name__)
