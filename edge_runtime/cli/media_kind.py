"""What a file or folder holds: sound, a photo or a video, told from the first bytes and not from the name."""

from __future__ import annotations

import os
from pathlib import Path

from edge_runtime.errors import InputError
from edge_runtime.media.image import READ_SUFFIXES as PHOTO_SUFFIXES
from edge_runtime.media.video import READ_SUFFIXES as VIDEO_SUFFIXES
from edge_runtime.provenance import is_video

SOUND, PHOTO, VIDEO, FACES = "sound", "photo", "video", "folder of photos and videos"

SOUND_SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"})

_PHOTO_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"BM", b"GIF8")


def kind_of(path: Path, model: Path | None = None) -> str:
    """`SOUND`, `PHOTO` or `VIDEO`; for a folder `SOUND` or `FACES`.

    A folder that holds both is what the named ``model`` is for. Raises `InputError` where none is named. What cannot be
    read is taken for what its name says, and sound at last: who reads it will say what is wrong.
    """
    if path.is_dir():
        return _kind_of_folder(path, model)
    suffix = path.suffix.lower()
    named = PHOTO if suffix in PHOTO_SUFFIXES else VIDEO if suffix in VIDEO_SUFFIXES else SOUND
    try:
        if not path.is_file():
            return named
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return named
    if head.startswith(_PHOTO_HEADS) or (head[:4] == b"RIFF" and head[8:] == b"WEBP"):
        return PHOTO
    if is_video(head):
        return VIDEO
    sounds = head[:4] in (b"RIFF", b"RF64", b"fLaC", b"OggS") or head[:3] == b"ID3"
    return SOUND if sounds else named


def _kind_of_folder(folder: Path, model: Path | None) -> str:
    faces = sounds = False
    for _, _, names in os.walk(folder):
        suffixes = {os.path.splitext(name)[1].lower() for name in names}
        faces = faces or not suffixes.isdisjoint(PHOTO_SUFFIXES | VIDEO_SUFFIXES)
        sounds = sounds or not suffixes.isdisjoint(SOUND_SUFFIXES)
    if faces and sounds:
        if model is None:
            raise InputError(f"{folder} holds both sound and pictures; name the --model that is meant")
        from edge_runtime.manifests import FACE, SWAP
        from edge_runtime.model_file import open_model

        return FACES if open_model(model).manifest.kind in (FACE, SWAP) else SOUND
    return FACES if faces else SOUND
