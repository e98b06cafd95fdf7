"""A model file: one graph and everything needed to use it, verified before any of it is used.

``packed = pack_model(...)``, ``write_model(path, packed)`` on the workstation; ``open_model(path)`` on the device. The
bytes are described in `edge_runtime.model_container`. Any changed, missing or added byte is refused. The checksum
guards against damage, not against a forger, so everything behind it is parsed as hostile too: sizes are capped, nothing
is decompressed, and nothing is ever extracted to disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge_runtime.errors import ModelFileError
from edge_runtime.files import Path, open_input, reason, shown, write_atomic
from edge_runtime.manifests import Manifest, parse_manifest
from edge_runtime.model_container import MANIFEST, check_digest, graph_format_of, pack, unpack

MAXIMUM_BYTES = 256_000_000


@dataclass(frozen=True)
class ModelFile:
    """A verified model file in memory."""

    path: str
    graph: bytes
    """The bare flatbuffer or ONNX model."""
    graph_format: str
    """tflite or onnx."""
    manifest: Manifest
    files: Mapping[str, bytes]
    """Associated files by name, such as ``voices.npy`` or ``detector.tflite``; the manifest is not among them."""


def open_model(path: Path) -> ModelFile:
    """Read and verify a model file.

    Raises `ModelFileError` (missing, too large, not ours, truncated, altered, unknown version or kind) or its
    `FrontEndError` (a signal front end that this runtime does not implement).
    """
    data, graph_format = _read(path)
    try:
        check_digest(data)
        graph_bytes, files = unpack(data, graph_format)
        manifest = _parse_manifest(files.pop(MANIFEST))
        graph = data[:graph_bytes]
        _check_graph(graph, manifest.graph_bytes, manifest.graph_sha256)
    except ModelFileError as error:
        raise type(error)(f"{shown(path)}: {error}") from None
    return ModelFile(os.fspath(path), graph, graph_format, manifest, MappingProxyType(files))


def pack_model(graph: bytes, graph_format: str, manifest_json: str, files: Mapping[str, bytes]) -> bytes:
    """The bytes of a model file; the same input always gives the same bytes.

    ``files`` are the associated files by plain name. Raises `ModelFileError` when `open_model` would refuse the result
    for its graph, its sizes or its names.
    """
    manifest = json.loads(manifest_json)
    _check_graph(graph, manifest["graph_bytes"], manifest["graph_sha256"])
    if MANIFEST in files:
        raise ModelFileError(f"{MANIFEST} is passed on its own, not among the associated files")
    packed = pack(graph, graph_format, {MANIFEST: manifest_json.encode(), **files})
    if len(packed) > MAXIMUM_BYTES:
        raise ModelFileError(f"the model file would have {len(packed)} bytes and at most {MAXIMUM_BYTES} are read")
    return packed


def write_model(path: Path, packed: bytes) -> None:
    """Write what `pack_model` made to ``path``, whole or not at all. Raises `OutputError`."""
    write_atomic(path, [packed])


def _read(path: Path) -> tuple[bytes, str]:
    name = shown(path)
    file, size_bytes = open_input(path, max_bytes=MAXIMUM_BYTES, error=ModelFileError)
    with file:
        try:
            head = file.read(8)
            graph_format = graph_format_of(head)
            if graph_format is None:
                raise ModelFileError(f"{name} is not a model file; pass one that changeling export wrote")
            return head + file.read(size_bytes - len(head)), graph_format
        except (OSError, MemoryError) as problem:
            raise ModelFileError(f"{name} cannot be read ({reason(problem)}); copy it again") from None


def _parse_manifest(text: bytes) -> Manifest:
    try:
        return parse_manifest(text)
    except OverflowError:  # an integer that no float holds
        raise ModelFileError("the manifest holds a number that is out of range; export the model again") from None


def _check_graph(graph: bytes, graph_bytes: int, graph_sha256: str) -> None:
    if len(graph) != graph_bytes or hashlib.sha256(graph).hexdigest() != graph_sha256:
        raise ModelFileError("the graph is not the one its manifest describes; export the model again")
