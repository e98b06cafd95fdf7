"""Where people's own pictures come from: photos and videos, found in folders, and read a piece at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from edge_runtime.files import shown
from edge_runtime.media import image as photo_files
from edge_runtime.media import video as video_files

Image = NDArray[np.uint8]

FRAMES_EVERY_S: Final = 0.5
"""Of a video; its neighbours in time show nothing new."""
PIECE_S: Final = 60.0
"""Of a video: what is done at once, and not again when the rest was interrupted."""
_MAXIMUM_PIECES: Final = 1000
"""The last one is as long as it takes: what a file says about its length may be wrong."""


@dataclass(frozen=True)
class Piece:
    """A photo, or a minute of a video."""

    path: Path
    number: int
    """From 0."""
    of: int
    """How many pieces the file has."""

    @property
    def name(self) -> str:
        """Of the file, as it can be shown and stored."""
        return shown(self.path.name)

    @property
    def is_video(self) -> bool:
        """Whether it holds many pictures."""
        return self.path.suffix.lower() in video_files.READ_SUFFIXES

    def fingerprint(self, recipe: str) -> str:
        """Another one for another piece, for a file that has changed, and for another ``recipe``."""
        status = self.path.stat()
        key = (recipe, str(self.path.resolve()), status.st_size, status.st_mtime_ns, self.number, self.of)
        return hashlib.sha256(repr(key).encode()).hexdigest()[:16]

    def pictures(self) -> Iterator[tuple[str, Image]]:
        """The photo, or a video's frames every `FRAMES_EVERY_S`, with names. Raises `InputError`."""
        if not self.is_video:
            yield self.name, photo_files.read_photo(self.path).pixels
            return
        start_s = self.number * PIECE_S
        end_s = start_s + PIECE_S if self.number + 1 < self.of else float("inf")
        with video_files.VideoReader(self.path) as video:
            tick_s = video.facts.time_base
            next_s = start_s
            for frame in video.frames(round(start_s / tick_s) if self.number else None):
                second = float(frame.tick * tick_s)
                if second >= end_s:
                    return
                if second >= next_s:
                    yield f"{self.name}@{second:.2f}s", frame.pixels
                    next_s = second + FRAMES_EVERY_S


def find_files(sources: Sequence[Path]) -> list[Path]:
    """Photos and videos in ``sources``, folders with all below them, sorted. Raises `InputError` for none."""
    suffixes = photo_files.READ_SUFFIXES | video_files.READ_SUFFIXES
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            files += sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
        elif source.exists():
            files.append(source)
        else:
            raise InputError(f"{shown(source)} does not exist; check the path")
    if not files:
        raise InputError("there is no photo and no video there; give JPEG, PNG or MP4 files, or folders of them")
    return list(dict.fromkeys(files))


def find_pieces(path: Path) -> list[Piece]:
    """A photo as it is; a video in pieces of `PIECE_S`, whole when it does not say how long it is.

    Raises `InputError` for a video that cannot be opened.
    """
    piece = Piece(path, 0, 1)
    if not piece.is_video:
        return [piece]
    with video_files.VideoReader(path) as video:
        count = min(max(1, int(video.facts.duration_s // PIECE_S)), _MAXIMUM_PIECES)
    return [Piece(path, number, count) for number in range(count)]
