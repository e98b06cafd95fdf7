"""XMP packets in JPEG and PNG files, by their own chunk structure: no imaging library is needed to read a mark.

Formats: JPEG APP1 segments (ISO 16684-1, part 3 of Adobe's XMP specification), PNG iTXt chunks (W3C PNG, same part 3).
What is read is hostile: sizes are capped, and nothing is decompressed.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

MAXIMUM_PACKET_BYTES = 60_000
"""A JPEG segment holds little more."""
_MAXIMUM_PARTS = 10_000

_JPEG_START, _JPEG_APP1, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", 0xE1, 0xDA, 0xD9
_JPEG_KEY = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_KEY = b"XML:com.adobe.xmp\0"
_PNG_PLAIN = b"\0\0\0\0"
"""Not compressed, no language, no translated keyword."""


def with_xmp(encoded: bytes, packet: bytes) -> bytes:
    """The bytes of a JPEG or PNG with ``packet`` put in, pixels untouched. Raises `ValueError` for anything else."""
    if len(packet) > MAXIMUM_PACKET_BYTES:
        raise ValueError(f"an XMP packet of {len(packet)} bytes does not fit")
    if encoded[:2] == _JPEG_START:
        body = _JPEG_KEY + packet
        # behind APP0 and EXIF, which readers want first
        place = _after_first_segments(encoded)
        return encoded[:place] + struct.pack(">BBH", 0xFF, _JPEG_APP1, len(body) + 2) + body + encoded[place:]
    if encoded[:8] == _PNG_START:
        body = b"iTXt" + _PNG_KEY + _PNG_PLAIN + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        header_end = 8 + 12 + int.from_bytes(encoded[8:12], "big")
        return encoded[:header_end] + chunk + encoded[header_end:]
    raise ValueError("neither JPEG nor PNG")


def read_xmp(file: BinaryIO) -> bytes:
    """The first XMP packet of a JPEG or PNG file, or nothing. Raises `OSError` when the file cannot be read."""
    head = file.read(8)
    if head[:2] == _JPEG_START:
        file.seek(2)
        return _read_jpeg(file)
    return _read_png(file) if head == _PNG_START else b""


def is_image(head: bytes) -> bool:
    """Whether a file that begins so is a JPEG or PNG."""
    return head[:3] == _JPEG_START + b"\xff" or head[:8] == _PNG_START


def _after_first_segments(encoded: bytes) -> int:
    place = 2
    while encoded[place : place + 1] == b"\xff" and encoded[place + 1] in (0xE0, _JPEG_APP1):
        place += 2 + int.from_bytes(encoded[place + 2 : place + 4], "big")
    return place


def _read_jpeg(file: BinaryIO) -> bytes:
    for _ in range(_MAXIMUM_PARTS):
        marker = file.read(4)
        if len(marker) < 4 or marker[0] != 0xFF or marker[1] in (_JPEG_SCAN, _JPEG_END):
            return b""
        length = int.from_bytes(marker[2:], "big") - 2
        if length < 0:
            return b""
        if marker[1] != _JPEG_APP1:
            file.seek(length, 1)
            continue
        body = file.read(length)
        if body.startswith(_JPEG_KEY):
            return body[len(_JPEG_KEY) :]
    return b""


def _read_png(file: BinaryIO) -> bytes:
    for _ in range(_MAXIMUM_PARTS):
        header = file.read(8)
        if len(header) < 8 or header[4:] == b"IEND":
            return b""
        length = int.from_bytes(header[:4], "big")
        if header[4:] != b"iTXt" or length > MAXIMUM_PACKET_BYTES + 100:
            file.seek(length + 4, 1)
            continue
        body = file.read(length)
        file.seek(4, 1)
        if body.startswith(_PNG_KEY + _PNG_PLAIN):
            return body[len(_PNG_KEY + _PNG_PLAIN) :]
    return b""
