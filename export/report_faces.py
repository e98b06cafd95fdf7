"""The part of an export's report that is looked at: faces before and after, by Keras and by every file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from export.report_media import png


@dataclass(frozen=True, eq=False)
class Faces:
    """One row of pictures."""

    label: str
    pictures: tuple[NDArray[np.uint8], ...]
    """(S, S, 3) each."""


def differences(label: str, ours: Sequence[NDArray[np.uint8]], theirs: Sequence[NDArray[np.uint8]]) -> Faces:
    """A row of ten times what pictures by a file differ from those by Keras."""
    off = [
        np.clip(10.0 * np.abs(a.astype(np.float32) - b), 0.0, 255.0).astype(np.uint8)
        for a, b in zip(ours, theirs, strict=False)
    ]
    return Faces(f"{label}: 10 × difference from Keras", tuple(off))


def faces_section(rows: Sequence[Faces], captions: Sequence[str], about: str) -> str:
    """Part of the report's page: one column for each edit, which ``captions`` tell, a row for each maker, and what
    they are ``about``."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(caption)}</th>" for caption in captions)
    body = "".join(_row(row) for row in rows)
    return (
        "<h2>Look and compare</h2>"
        f'<div class="scroll"><table class="faces"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody>'
        f'</table></div><p class="soft">{escape(about)}</p>'
    )


def _row(row: Faces) -> str:
    cells = "".join(
        f'<td><img class="face" alt="{escape(row.label)}" src="{_uri(picture)}"></td>' for picture in row.pictures
    )
    return f"<tr><td>{escape(row.label)}</td>{cells}</tr>"


def _uri(picture: NDArray[np.uint8]) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"
