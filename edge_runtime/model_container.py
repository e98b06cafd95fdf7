"""How associated files ride behind a graph: in a ZIP behind a flatbuffer, in metadata properties behind an ONNX model.

Both end in the same 64 bytes: the SHA-256, in lower-case hexadecimal, of every byte before them. Interpreters ignore
the tail, ``zipfile`` lists it (it follows the TFLite metadata convention), and `unpack` needs neither: it accepts only
the layout that `pack` writes, part after part, so that nothing can hide between them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_runtime.errors import ModelFileError

MAXIMUM_FILE_BYTES = 64_000_000
MAXIMUM_FILES = 64
"""Associated files, the manifest not counted."""
MANIFEST = "manifest.json"
MAXIMUM_MANIFEST_BYTES = 1_000_000

_HEX_BYTES = 64
_ZIP_COMMENT = b"changeling-sha256:"
_ZIP_END = struct.Struct("<4s4H2LH")
_ZIP_CENTRAL = struct.Struct("<4s6H3L5H2L")
_ZIP_LOCAL = struct.Struct("<4s5H3L2H")
_UTF8_FLAG = 0x800

_METADATA_PROPS, _KEY, _VALUE = 14, 1, 2  # field numbers of ModelProto and StringStringEntryProto
_BYTES_WIRE = 2
_DIGEST_KEY = "changeling.sha256"
_BINARY_SUFFIX = ".b64"
_MAXIMUM_FIELDS = 10_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_AGAIN = "copy or export the model again"


def graph_format_of(head: bytes) -> str | None:
    """ "tflite" or "onnx" by a file's first 8 bytes, or None."""
    if head[4:8] == b"TFL3":
        return "tflite"
    return "onnx" if head[:1] == b"\x08" else None  # ModelProto.ir_version comes first


def check_digest(data: bytes) -> None:
    """Refuse (`ModelFileError`) ``data`` whose last 64 bytes are not the digest of the rest."""
    digest = hashlib.sha256(memoryview(data)[:-_HEX_BYTES]).hexdigest().encode()
    if data[-_HEX_BYTES:] != digest:
        raise ModelFileError(
            f"the file is truncated, altered, or not a Changeling model (its checksum does not match); {_AGAIN}"
        )


def pack(graph: bytes, graph_format: str, files: Mapping[str, bytes]) -> bytes:
    """Append ``files`` (the manifest among them) and the digest to ``graph``; the same input gives the same bytes.

    Raises `ModelFileError` for names or sizes that `unpack` would refuse, or a graph that is not of ``graph_format``.
    """
    if graph_format_of(graph[:8]) != graph_format:
        raise ModelFileError(f"the graph is not {graph_format}; pass the bytes of the converter")
    if MANIFEST not in files:
        raise ModelFileError(f"{MANIFEST} is missing; a model file cannot do without")
    _check_count(len(files))
    for name, content in files.items():
        _check_file(name, len(content))
    ordered = {MANIFEST: files[MANIFEST]} | {name: files[name] for name in sorted(files.keys() - {MANIFEST})}
    body = _pack_zip(graph, ordered) if graph_format == "tflite" else _pack_properties(graph, ordered)
    return body + hashlib.sha256(body).hexdigest().encode()


def unpack(data: bytes, graph_format: str) -> tuple[int, dict[str, bytes]]:
    """Length of the graph and the associated files by name; the digest is not looked at.

    Raises `ModelFileError`.
    """
    spans = _zip_spans(data) if graph_format == "tflite" else _property_spans(data)
    files: dict[str, bytes] = {}
    for span in spans:
        size = span.end - span.start
        _check_file(span.name, size // 4 * 3 - 2 if span.is_base64 else size)
        if span.name in files:
            raise ModelFileError(f"the file holds {span.name} twice; {_AGAIN}")
        _check_count(len(files) + 1)
        files[span.name] = _content(data, span)
    if not spans or spans[0].name != MANIFEST:
        raise ModelFileError(
            f"the file has no {MANIFEST} inside: it is not a Changeling model; export it with changeling"
        )
    return spans[0].part_start, files


@dataclass(frozen=True)
class _Span:
    """Where one associated file lies, in bytes from the start of the model file."""

    name: str
    part_start: int
    """Where the part begins that holds it, headers included."""
    start: int
    end: int
    is_base64: bool = False


def _content(data: bytes, span: _Span) -> bytes:
    content = data[span.start : span.end]
    if not span.is_base64:
        return content
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        raise ModelFileError(f"the file holds a damaged {span.name}; {_AGAIN}") from None


def _check_count(files: int) -> None:
    if files > MAXIMUM_FILES + 1:
        raise ModelFileError(f"the file holds more than {MAXIMUM_FILES} associated files; {_AGAIN}")


def _check_file(name: str, size_bytes: int) -> None:
    if not _NAME.fullmatch(name) or name.endswith(_BINARY_SUFFIX) or name == _DIGEST_KEY:
        raise ModelFileError(f"the file holds a file named {name[:100]!a}, which is not allowed; {_AGAIN}")
    limit = MAXIMUM_MANIFEST_BYTES if name == MANIFEST else MAXIMUM_FILE_BYTES
    if size_bytes > limit:
        raise ModelFileError(f"the file holds {name} of {size_bytes} bytes and at most {limit} are read; {_AGAIN}")


# --- a ZIP behind a flatbuffer


def _pack_zip(graph: bytes, files: Mapping[str, bytes]) -> bytes:
    import zipfile  # costs a board some ten milliseconds, and only the exporter packs

    stream = io.BytesIO()
    stream.write(graph)  # the archive starts at the stream's position, so its offsets count from the file's start
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # the same bytes on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
        archive.comment = _ZIP_COMMENT + b"0" * _HEX_BYTES
    return stream.getvalue()[:-_HEX_BYTES]


def _zip_spans(data: bytes) -> list[_Span]:
    """The archive's members; it must lie as `_pack_zip` laid it, one part after the other up to the end."""
    damaged = ModelFileError(f"the file has a damaged archive behind its graph, or none; {_AGAIN}")
    comment_start = len(data) - _HEX_BYTES - len(_ZIP_COMMENT)
    end_start = comment_start - _ZIP_END.size
    if end_start < 0 or data[comment_start:-_HEX_BYTES] != _ZIP_COMMENT:
        raise damaged
    signature, disk, first_disk, here, count, size, offset, comment_bytes = _ZIP_END.unpack_from(data, end_start)
    if (signature, disk, first_disk, comment_bytes) != (b"PK\5\6", 0, 0, len(data) - comment_start):
        raise damaged
    if here != count or offset + size != end_start:
        raise damaged
    _check_count(count)
    spans: list[_Span] = []
    position = offset
    for _ in range(count):
        if position + _ZIP_CENTRAL.size > end_start:
            raise damaged
        span, position = _zip_member(data, position, damaged)
        if span.end > offset or (spans and span.part_start != spans[-1].end):
            raise damaged
        spans.append(span)
    if position != end_start or not spans or spans[-1].end != offset:
        raise damaged
    return spans


def _zip_member(data: bytes, position: int, damaged: ModelFileError) -> tuple[_Span, int]:
    """One entry of the central directory and its local header, which must agree; and where the next entry begins."""
    fields = _ZIP_CENTRAL.unpack_from(data, position)
    signature, _, _, flags, method, _, _, _, packed, size, name_bytes, extra, comment, disk, _, _, offset = fields
    # stored, not encrypted, nothing optional: a stored member cannot grow when it is read
    if signature != b"PK\1\2" or flags & ~_UTF8_FLAG or any((method, extra, comment, disk)) or packed != size:
        raise damaged
    name_start = position + _ZIP_CENTRAL.size
    name = data[name_start : name_start + name_bytes]
    if offset + _ZIP_LOCAL.size > len(data):
        raise damaged
    local = _ZIP_LOCAL.unpack_from(data, offset)
    start = offset + _ZIP_LOCAL.size + name_bytes
    same = (local[0], local[2], local[3], local[7], local[8], local[9], local[10])
    if same != (b"PK\3\4", flags, method, packed, size, name_bytes, 0) or data[start - name_bytes : start] != name:
        raise damaged
    return _Span(name.decode("utf-8", "replace"), offset, start, start + size), name_start + name_bytes


# --- metadata properties behind an ONNX model


def _pack_properties(graph: bytes, files: Mapping[str, bytes]) -> bytes:
    parts = [graph]
    for name, content in files.items():
        try:
            content.decode("utf-8")  # what a protobuf string may hold
            parts.append(_property(name, content))
        except UnicodeDecodeError:
            parts.append(_property(name + _BINARY_SUFFIX, base64.b64encode(content)))
    # fields of a repeated message may simply be appended to a serialized model (protobuf encoding guide)
    return b"".join(parts) + _property(_DIGEST_KEY, b"0" * _HEX_BYTES)[:-_HEX_BYTES]


def _property(key: str, value: bytes) -> bytes:
    return _field(_METADATA_PROPS, _field(_KEY, key.encode()) + _field(_VALUE, value))


def _field(number: int, payload: bytes) -> bytes:
    length = len(payload)
    varint = bytearray()
    while length > 0x7F:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    varint.append(length)
    return bytes([number << 3 | _BYTES_WIRE]) + bytes(varint) + payload


@dataclass(frozen=True)
class _Field:
    number: int
    wire: int
    field_start: int
    start: int
    end: int


def _property_spans(data: bytes) -> list[_Span]:
    """Our properties, from the manifest's to the digest's; the model's own come before them and are left alone."""
    damaged = ModelFileError(f"the file has damaged metadata behind its graph, or none; {_AGAIN}")
    spans: list[_Span] = []
    last = ""
    for field in _walk(data, 0, len(data), damaged):
        if field.number != _METADATA_PROPS or field.wire != _BYTES_WIRE:
            if spans:
                raise damaged
            continue
        last, value = _parse_property(data, field, damaged)
        if not spans and last != MANIFEST:
            continue
        is_base64 = last.endswith(_BINARY_SUFFIX)
        name = last.removesuffix(_BINARY_SUFFIX)
        spans.append(_Span(name, field.field_start, value.start, value.end, is_base64))
    if not spans:
        raise ModelFileError(
            f"the file has no {MANIFEST} inside: it is not a Changeling model; export it with changeling"
        )
    if last != _DIGEST_KEY or spans[-1].end - spans[-1].start != _HEX_BYTES or spans[-1].end != len(data):
        raise damaged
    return spans[:-1]


def _parse_property(data: bytes, field: _Field, damaged: ModelFileError) -> tuple[str, _Field]:
    inner = list(_walk(data, field.start, field.end, damaged))
    if [(part.number, part.wire) for part in inner] != [(_KEY, _BYTES_WIRE), (_VALUE, _BYTES_WIRE)]:
        raise damaged
    return data[inner[0].start : min(inner[0].end, inner[0].start + 200)].decode("utf-8", "replace"), inner[1]


def _walk(data: bytes, position: int, end: int, damaged: ModelFileError) -> Iterator[_Field]:
    """The fields of one protobuf message, without going into them."""
    for _ in range(_MAXIMUM_FIELDS):
        if position == end:
            return
        field_start = position
        tag, position = _varint(data, position, end, damaged)
        wire = tag & 7
        if wire == _BYTES_WIRE:
            length, position = _varint(data, position, end, damaged)
        elif wire == 0:
            start = position
            _, position = _varint(data, position, end, damaged)
            yield _Field(tag >> 3, wire, field_start, start, position)
            continue
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise damaged
        if length > end - position:
            raise damaged
        yield _Field(tag >> 3, wire, field_start, position, position + length)
        position += length
    raise damaged


def _varint(data: bytes, position: int, end: int, damaged: ModelFileError) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise damaged
        octet = data[position]
        position += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, position
    raise damaged
