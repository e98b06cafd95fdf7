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


def faces_section(rows: Sequence[Faces], captions: Sequence[str]) -> str:
    """Part of the report's page: one column for each edit, which ``captions`` tell, and a row for each maker."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(caption)}</th>" for caption in captions)
    body = "".join(_row(row) for row in rows)
    return (
        "<h2>Look and compare</h2>"
        f'<div class="scroll"><table class="faces"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody>'
        '</table></div><p class="soft">The aligned crop, as the device composes it: its own pixels moved, and those '
        "that must be invented blended over.</p>"
    )


def _row(row: Faces) -> str:
    cells = "".join(
        f'<td><img class="face" alt="{escape(row.label)}" src="{_uri(picture)}"></td>' for picture in row.pictures
    )
    return f"<tr><td>{escape(row.label)}</td>{cells}</tr>"


def _uri(picture: NDArray[np.uint8]) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"
