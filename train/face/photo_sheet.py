"""Real photos with some units changed, beside each other: what numbers on rendered heads cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.controls import make_face_controls
from edge_runtime.face.geometry import align as align_five
from edge_runtime.face.geometry import crop_box
from train.face.monitor import write_picture
from train.face.predict import PhotoEditor
from train.face.run import TrainedFace

Image = NDArray[np.uint8]

EDITS: Final[tuple[dict[str, Any], ...]] = (
    {"smile": 1.0},
    {"frown": 1.0},
    {"jaw_open": 0.8},
    {"blink": 1.0},
    {"brow_raise": 1.0},
    {"brow_lower": 1.0},
    {"pucker": 1.0},
)
_TILE_PX: Final = 192


def write_photo_sheet(path: Path, trained: TrainedFace, photos: Sequence[Image]) -> None:
    """A row for each photo's largest face: as it is, and with each of `EDITS`. Photos without a face are left out."""
    editor = PhotoEditor(trained)
    rows = [row for photo in photos if (row := _row(editor, photo)) is not None]
    if rows:
        write_picture(path, np.concatenate(rows, axis=0))


def _row(editor: PhotoEditor, photo: Image) -> Image | None:
    faces = editor.faces(photo)
    if not faces:
        return None
    face = max(faces, key=lambda found: found.eye_distance_px)
    box = crop_box(align_five(face.five, editor.manifest.crop), editor.manifest.crop.size_px).within(photo.shape)
    changed = [photo]
    for units in EDITS:
        controls = make_face_controls(editor.manifest, faces="largest", **units)
        changed.append(editor.convert(photo, controls))
    tiles = [cv2.resize(image[box.slices], (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA) for image in changed]
    return np.asarray(np.concatenate(tiles, axis=1), np.uint8)
