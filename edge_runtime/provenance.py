"""The mark that every converted sound carries in its metadata, and what reads it back.

The mark is plain text in the INFO chunk of a WAV (``ISFT`` names the software, ``ICMT`` the conversion) and uses the
IPTC digital source type for media changed by a trained model (cv.iptc.org/newscodes/digitalsourcetype).
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.errors import InputError
from edge_runtime.files import Path, open_input, shown
from edge_runtime.media.pcm import MAXIMUM_BYTES
from edge_runtime.media.wav import read_info

SOFTWARE = "Changeling"
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

_MAXIMUM_FIELD = 200
_MAXIMUM_COMMENT = 2_000


@dataclass(frozen=True)
class Mark:
    """What a marked file says about itself; a field it does not name is empty."""

    software: str
    comment: str
    model: str
    voice: str


def conversion_comment(*, model: str, voice: str) -> str:
    """The comment that marks a sound as converted, for `edge_runtime.media.audio.write_wav`."""
    return (
        f"voice converted by {SOFTWARE}; model={_field(model)}; voice={_field(voice)}; "
        f"digitalSourceType={DIGITAL_SOURCE_TYPE}"
    )


def info_entries(comment: str) -> dict[str, str]:
    """INFO entries of a WAV that carries ``comment``; control characters are dropped and the length is capped."""
    return {"ISFT": SOFTWARE, "ICMT": _printable(comment)[:_MAXIMUM_COMMENT]}


def read_mark(path: Path) -> Mark | None:
    """The mark of a WAV file, or None when it has none.

    Raises `InputError` when the file cannot be read or is not a WAV.
    """
    file, size_bytes = open_input(path, max_bytes=MAXIMUM_BYTES)
    with file:
        try:
            info = read_info(file, size_bytes, shown(path))
        except OSError:
            raise InputError(f"{shown(path)} cannot be read to its end; copy it to another disk first") from None
    comment = info.get("ICMT", "")
    if info.get("ISFT") != SOFTWARE and DIGITAL_SOURCE_TYPE not in comment:
        return None
    fields = dict(part.split("=", 1) for part in comment.split("; ") if "=" in part)
    return Mark(info.get("ISFT", ""), comment, fields.get("model", ""), fields.get("voice", ""))


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _field(text: str) -> str:
    return _printable(text).replace(";", ",").replace("=", "-")[:_MAXIMUM_FIELD]
