"""RIFF/WAVE in NumPy alone: a reader that trusts no header, and the header of what is written.

Read: PCM of 8 to 32 bits, float of 32 and 64 bits, plain or WAVE_FORMAT_EXTENSIBLE, RIFF, RF64 and BW64 (EBU Tech 3306,
ITU-R BS.2088), with any other chunks around, and streams whose lengths were never filled in. A file that ends early
gives the whole frames it has. Memory is allocated by what the file holds, never by what it claims.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from edge_runtime.errors import InputError
from edge_runtime.media import pcm

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN_LENGTH = 0xFFFFFFFF
_MAXIMUM_CHUNKS = 1_000
_MAXIMUM_INFO_BYTES = 65_536
_BLOCK_VALUES = 2**18
_TO_PCM = "convert it first, for example: ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"


@dataclass(frozen=True)
class WavFormat:
    """What the ``fmt `` chunk says, checked."""

    is_float: bool
    width_bytes: int
    """Bytes of one sample of one channel."""
    channels: int
    sample_rate_hz: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.width_bytes * self.channels


@dataclass(frozen=True)
class _Chunk:
    identity: bytes
    start: int
    """Where its body begins, in bytes from the start of the file."""
    claimed: int
    present: int
    """Bytes of the body that the file has, at most ``claimed``."""


def read_wav(file: BinaryIO, size_bytes: int, name: str, *, max_seconds: float) -> pcm.Audio:
    """Read the WAV in ``file`` (seekable, ``size_bytes`` long); ``name`` is what messages call it.

    Raises `InputError`, in one line, for anything that is not a sound of a supported format.
    """
    layout: WavFormat | None = None
    for chunk in _chunks(file, size_bytes, name):
        if chunk.identity == b"fmt ":
            if layout is not None:
                raise InputError(f"{name} describes its format twice; export it again")
            layout = _parse_format(_read_at(file, chunk.start, min(chunk.present, 40)), name)
        elif chunk.identity == b"data":
            if layout is None:
                raise InputError(f"{name} has its data before its format; export it again")
            return _read_data(file, chunk, layout, name, max_seconds)
    missing = "format" if layout is None else "data"
    raise InputError(f"{name} is cut short or damaged: it has no {missing} chunk; record or copy it again")


def read_info(file: BinaryIO, size_bytes: int, name: str) -> dict[str, str]:
    """The entries of the LIST/INFO chunks, such as ``ICMT``; control characters are dropped.

    Raises `InputError` when ``file`` is not a WAV.
    """
    info: dict[str, str] = {}
    for chunk in _chunks(file, size_bytes, name):
        if chunk.identity == b"LIST":
            body = _read_at(file, chunk.start, min(chunk.present, _MAXIMUM_INFO_BYTES))
            if body[:4] == b"INFO":
                info.update(_parse_info(body))
    return info


def wav_header(frames: int, channels: int, sample_rate_hz: int, info: Mapping[str, str]) -> bytes:
    """All that stands before the samples of a 16-bit PCM WAV, INFO chunk included.

    The INFO chunk comes first so that a file cut short keeps it. Raises `ValueError` when it would exceed 4 GiB.
    """
    frame_bytes = 2 * channels
    form = struct.pack("<HHIIHH", _PCM, channels, sample_rate_hz, sample_rate_hz * frame_bytes, frame_bytes, 16)
    head = b"WAVE" + _pack_chunk(b"fmt ", form)
    if info:
        entries = (_pack_chunk(key.encode("ascii"), text.encode() + b"\0") for key, text in info.items())
        head += _pack_chunk(b"LIST", b"INFO" + b"".join(entries))
    data_bytes = frames * frame_bytes
    if len(head) + 8 + data_bytes > _UNKNOWN_LENGTH:
        raise ValueError("a WAV file holds at most 4 GiB")
    return b"RIFF" + struct.pack("<I", len(head) + 8 + data_bytes) + head + b"data" + struct.pack("<I", data_bytes)


def _pack_chunk(identity: bytes, body: bytes) -> bytes:
    return identity + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def _read_at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _chunks(file: BinaryIO, size_bytes: int, name: str) -> Iterator[_Chunk]:
    """Walk the chunks that begin within the file."""
    container, riff_bytes, form = struct.unpack("<4sI4s", _read_at(file, 0, 12).ljust(12, b"\0"))
    if container in (b"RIFX", b"FFIR"):
        raise InputError(f"{name} is a big-endian RIFX file, which is not read; {_TO_PCM}")
    if container not in (b"RIFF", b"RF64", b"BW64") or form != b"WAVE":
        raise InputError(f"{name} is not a WAV file; {_TO_PCM}")
    long_data_bytes = _UNKNOWN_LENGTH
    position = 12
    for _ in range(_MAXIMUM_CHUNKS):
        head = _read_at(file, position, 8) if position + 8 <= size_bytes else b""
        if len(head) < 8:
            return
        identity, claimed = struct.unpack("<4sI", head)
        start = position + 8
        if identity == b"ds64" and container != b"RIFF" and claimed >= 16:
            sizes = _read_at(file, start, 16)
            long_data_bytes = struct.unpack("<8xQ", sizes)[0] if len(sizes) == 16 else _UNKNOWN_LENGTH
        if identity == b"data":
            if claimed == _UNKNOWN_LENGTH and container != b"RIFF":
                claimed = long_data_bytes
            if claimed == 0 and abs(riff_bytes + 8 - size_bytes) > 1:
                # a stream whose writer could not go back; a finished file of no sounds agrees with its own length
                claimed = size_bytes - start
        yield _Chunk(identity, start, claimed, max(0, min(claimed, size_bytes - start)))
        position = start + claimed + (claimed & 1)
    raise InputError(f"{name} is made of more than {_MAXIMUM_CHUNKS} chunks and looks damaged; export it again")


def _parse_format(body: bytes, name: str) -> WavFormat:
    if len(body) < 16:
        raise InputError(f"{name} has a damaged format chunk; export it again")
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE:
        if len(body) < 40 or body[26:40] != _SUBFORMAT_TAIL:
            raise InputError(f"{name} is in a format that is not read (extensible, unknown kind); {_TO_PCM}")
        tag = struct.unpack("<H", body[24:26])[0]
    if tag not in (_PCM, _FLOAT):
        raise InputError(f"{name} is compressed (WAV format {tag:#06x}), which is not read; {_TO_PCM}")
    pcm.check_layout(channels, rate_hz, name)
    width = (bits + 7) // 8
    if frame_bytes != width * channels or width not in ((4, 8) if tag == _FLOAT else (1, 2, 3, 4)):
        kind = "float" if tag == _FLOAT else "PCM"
        raise InputError(
            f"{name} claims {bits}-bit {kind} in {frame_bytes} bytes for {channels} channels, which is not read; "
            f"{_TO_PCM}"
        )
    return WavFormat(tag == _FLOAT, width, channels, rate_hz)


def _read_data(file: BinaryIO, chunk: _Chunk, layout: WavFormat, name: str, max_seconds: float) -> pcm.Audio:
    frames = chunk.present // layout.frame_bytes
    pcm.check_length(frames, layout.channels, layout.sample_rate_hz, max_seconds, name)
    try:
        samples = np.empty((frames, layout.channels), np.float32)
    except MemoryError:
        raise InputError(f"{name} does not fit into memory; cut it into shorter pieces") from None
    file.seek(chunk.start)
    block_frames = max(1, _BLOCK_VALUES // layout.channels)
    filled = 0
    while filled < frames:
        wanted = min(block_frames, frames - filled)
        raw = file.read(wanted * layout.frame_bytes)
        got = len(raw) // layout.frame_bytes
        block = pcm.decode(raw[: got * layout.frame_bytes], is_float=layout.is_float, width=layout.width_bytes)
        samples[filled : filled + got] = block.reshape(got, layout.channels)
        filled += got
        if got < wanted:  # the file shrank while it was read
            break
    pcm.check_length(filled, layout.channels, layout.sample_rate_hz, max_seconds, name)
    return pcm.accept(samples[:filled], layout.sample_rate_hz, name)


def _parse_info(body: bytes) -> Iterator[tuple[str, str]]:
    position = 4
    while position + 8 <= len(body):
        identity, claimed = struct.unpack_from("<4sI", body, position)
        start = position + 8
        raw = body[start : start + claimed].split(b"\0", 1)[0]
        text = "".join(character for character in raw.decode("utf-8", "replace") if character.isprintable())
        if identity.isalnum():
            yield identity.decode("ascii"), text
        position = start + claimed + (claimed & 1)
