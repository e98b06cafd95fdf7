"""Photos and videos that a model never saw: a file, or a folder with what is below it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import InputError
from edge_runtime.files import open_input, shown
from edge_runtime.media.image import READ_SUFFIXES as PHOTOS
from edge_runtime.media.video import READ_SUFFIXES as VIDEOS

PHOTO: Final = "photo"
VIDEO: Final = "video"
_MAXIMUM_BYTES: Final = 64_000_000_000


@dataclass(frozen=True)
class Footage:
    """One photo or video, not read yet."""

    name: str
    """Its path inside the folder without the suffix, with ``-`` for ``/``: what results are called."""
    path: Path
    kind: str
    """`PHOTO` or `VIDEO`."""

    def digest(self) -> str:
        """SHA-256 of the file. Raises `InputError`."""
        digest = hashlib.sha256()
        file, _ = open_input(self.path, max_bytes=_MAXIMUM_BYTES)
        with file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()


def list_footage(given: Path) -> list[Footage]:
    """All photos and videos, sorted by name. Raises `InputError` when there are none."""
    if given.is_file():
        paths, root = [given], given.parent
    elif given.is_dir():
        paths, root = sorted(path for path in given.rglob("*") if path.is_file()), given
    else:
        raise InputError(f"{shown(given)} is not there; name a photo, a video or a folder of both")
    found: list[Footage] = []
    taken: dict[str, int] = {}
    for path in paths:
        suffix = path.suffix.lower()
        if suffix not in PHOTOS | VIDEOS:
            continue
        name = re.sub(r"[^\w.-]+", "-", str(path.relative_to(root).with_suffix("")))
        taken[name] = taken.get(name, 0) + 1
        name = name if taken[name] == 1 else f"{name}-{taken[name]}"
        found.append(Footage(name, path, PHOTO if suffix in PHOTOS else VIDEO))
    if not found:
        raise InputError(f"{shown(given)} holds no photo and no video; see changeling evaluate face --help")
    return found
