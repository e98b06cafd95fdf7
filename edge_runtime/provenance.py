"""The mark that every converted sound, photo and video carries in its metadata, and what reads it back.

It uses the IPTC digital source type for media changed by a trained model (cv.iptc.org/newscodes/digitalsourcetype), as
plain text in the INFO chunk of a WAV (``ISFT`` names the software, ``ICMT`` the conversion), as the XMP property that
IPTC defines for it in a JPEG or PNG, and as the comment of a video file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from edge_runtime.errors import InputError
from edge_runtime.files import Path, open_input, shown
from edge_runtime.media.pcm import MAXIMUM_BYTES
from edge_runtime.media.wav import read_info
from edge_runtime.media.xmp import is_image, read_xmp

SOFTWARE = "Changeling"
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

_MAXIMUM_FIELD = 200
_MAXIMUM_COMMENT = 2_000
_MAXIMUM_MARKED_BYTES = 64_000_000_000
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:changeling="urn:changeling:1" xmp:CreatorTool="{software}" '
    'Iptc4xmpExt:DigitalSourceType="{source_type}" changeling:Comment="{comment}"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Mark:
    """What a marked file says about itself; a field it does not name is empty."""

    software: str
    comment: str
    model: str
    voice: str
    edit: str = ""
    """What was changed in a face."""


def conversion_comment(*, model: str, voice: str) -> str:
    """The comment that marks a sound as converted, for `edge_runtime.media.audio.write_wav`."""
    return (
        f"voice converted by {SOFTWARE}; model={_field(model)}; voice={_field(voice)}; "
        f"digitalSourceType={DIGITAL_SOURCE_TYPE}"
    )


def edit_comment(*, model: str, edit: str) -> str:
    """The comment that marks a photo or video as edited, for `edge_runtime.media.image` and ``video``."""
    return (
        f"face edited by {SOFTWARE}; model={_field(model)}; edit={_field(edit)}; "
        f"digitalSourceType={DIGITAL_SOURCE_TYPE}"
    )


def xmp_packet(comment: str) -> bytes:
    """An XMP packet that carries ``comment``: its digital source type, the software, and the comment itself."""
    return _XMP.format(
        source_type=DIGITAL_SOURCE_TYPE, software=SOFTWARE, comment=_escaped(_printable(comment)[:_MAXIMUM_COMMENT])
    ).encode()


def info_entries(comment: str) -> dict[str, str]:
    """INFO entries of a WAV that carries ``comment``; control characters are dropped and the length is capped."""
    return {"ISFT": SOFTWARE, "ICMT": _printable(comment)[:_MAXIMUM_COMMENT]}


def read_mark(path: Path) -> Mark | None:
    """The mark of a WAV, JPEG, PNG or video file, or None when it has none.

    Raises `InputError` when the file cannot be read or is none of these, and `MissingDependencyError` for a video where
    PyAV is missing.
    """
    file, size_bytes = open_input(path, max_bytes=_MAXIMUM_MARKED_BYTES)
    with file:
        try:
            head = file.read(12)
            file.seek(0)
            if is_image(head):
                return _xmp_mark(read_xmp(file))
            if not is_video(head):
                return _wav_mark(file, size_bytes, shown(path))
        except OSError:
            raise InputError(f"{shown(path)} cannot be read to its end; copy it to another disk first") from None
    from edge_runtime.media.video import read_comment

    comment = read_comment(path)
    return _mark(SOFTWARE, comment) if DIGITAL_SOURCE_TYPE in comment else None


def is_video(head: bytes) -> bool:
    """Whether a file whose first 12 bytes these are is an MP4, MOV, Matroska, WebM or AVI."""
    return head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def _wav_mark(file: BinaryIO, size_bytes: int, name: str) -> Mark | None:
    if size_bytes > MAXIMUM_BYTES:
        raise InputError(f"{name} has {size_bytes / 1e6:.0f} MB and at most {MAXIMUM_BYTES / 1e6:.0f} MB are read")
    info = read_info(file, size_bytes, name)
    comment = info.get("ICMT", "")
    if info.get("ISFT") != SOFTWARE and DIGITAL_SOURCE_TYPE not in comment:
        return None
    return _mark(info.get("ISFT", ""), comment)


def _xmp_mark(packet: bytes) -> Mark | None:
    text = packet.decode("utf-8", "replace")
    found = re.search(r'changeling:Comment="([^"]{0,4000})"', text)
    if DIGITAL_SOURCE_TYPE not in text:
        return None
    comment = _unescaped(found.group(1)) if found else ""
    return _mark(SOFTWARE if found else "", comment)


def _mark(software: str, comment: str) -> Mark:
    fields = dict(part.split("=", 1) for part in comment.split("; ") if "=" in part)
    return Mark(software, comment, fields.get("model", ""), fields.get("voice", ""), fields.get("edit", ""))


_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


def _escaped(text: str) -> str:
    for plain, escape in _ESCAPES:
        text = text.replace(plain, escape)
    return text


def _unescaped(text: str) -> str:
    for plain, escape in reversed(_ESCAPES):
        text = text.replace(escape, plain)
    return text


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _field(text: str) -> str:
    return _printable(text).replace(";", ",").replace("=", "-")[:_MAXIMUM_FIELD]
