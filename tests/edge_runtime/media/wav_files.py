"""WAV files for tests, built byte by byte so that every field can lie."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(identity: bytes, body: bytes, claimed: int | None = None) -> bytes:
    """One RIFF chunk with its padding; ``claimed`` replaces the true size."""
    size = len(body) if claimed is None else claimed
    return identity + struct.pack("<I", size) + body + b"\0" * (len(body) & 1)


def fmt(tag: int, channels: int, rate_hz: int, bits: int, *, extensible: bool = False) -> bytes:
    """A ``fmt `` chunk."""
    frame = channels * ((bits + 7) // 8)
    body = struct.pack(
        "<HHIIHH", EXTENSIBLE if extensible else tag, channels, rate_hz, rate_hz * frame % 2**32, frame % 65536, bits
    )
    if extensible:
        body += struct.pack("<HHIH", 22, bits, 0, tag) + SUBFORMAT_TAIL
    return chunk(b"fmt ", body)


def riff(*chunks: bytes, claimed: int | None = None, container: bytes = b"RIFF") -> bytes:
    """The whole file around ``chunks``."""
    body = b"WAVE" + b"".join(chunks)
    return container + struct.pack("<I", len(body) if claimed is None else claimed) + body


def encode(samples: npt.NDArray[np.float64], tag: int, bits: int) -> bytes:
    """Samples (N, C) in [-1, 1) as the bytes of a data chunk."""
    if tag == FLOAT:
        return samples.astype(f"<f{bits // 8}").tobytes()
    integers = np.round(samples * 2 ** (bits - 1)).astype(np.int64)
    if bits == 8:
        return (integers + 128).astype(np.uint8).tobytes()
    octets = integers.astype("<i8").reshape(-1, 1).view(np.uint8)
    return octets.reshape(-1, 8)[:, : bits // 8].tobytes()


def simple(samples: npt.NDArray[np.float64], rate_hz: int = 16_000, tag: int = PCM, bits: int = 16) -> bytes:
    """An ordinary file of ``samples`` (N, C)."""
    return riff(fmt(tag, samples.shape[1], rate_hz, bits), chunk(b"data", encode(samples, tag, bits)))
