"""Before and after, side by side: a file for every edit that is kept, and sheets of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import Box, align, crop_box
from edge_runtime.face.landmarks import Face
from edge_runtime.face_path_contract import CropSpec
from edge_runtime.files import make_folder
from edge_runtime.media.image import Photo, read_photo, write_photo

Image = NDArray[np.uint8]

TILE_PX: Final = 300
SHEET_TILE_PX: Final = 150
_GAP_PX: Final = 4
_LABEL_PX: Final = 20
_ROWS: Final = 12


def face_box(face: Face, crop: CropSpec, shape: tuple[int, ...]) -> Box:
    """The part of a picture to show: all that may have changed."""
    return crop_box(align(face.five, crop), crop.size_px).within(shape)


def pair_of(before: Image, after: Image, box: Box) -> Image:
    """(`TILE_PX`, 2 `TILE_PX` and a gap, 3)."""
    gap = np.full((TILE_PX, _GAP_PX, 3), 255, np.uint8)
    return np.concatenate([_tile(before[box.slices], TILE_PX), gap, _tile(after[box.slices], TILE_PX)], axis=1)


def write_picture(path: Path, image: Image, comment: str) -> None:
    """A marked JPEG or PNG. Raises `OutputError`."""
    make_folder(path.parent)
    write_photo(path, Photo(np.ascontiguousarray(image), None, b"", b""), comment=comment)


def write_sheets(folder: Path, rows: Sequence[Sequence[tuple[str, Path]]], comment: str) -> list[str]:
    """Contact sheets: a row for each picture, its tile before and then one for each edit, of (label, file of a pair).

    Gives the names of the files.
    """
    names = []
    for number, start in enumerate(range(0, len(rows), _ROWS), 1):
        chosen = rows[start : start + _ROWS]
        width = 1 + max(len(row) for row in chosen)
        sheet = np.concatenate([_sheet_row(row, width) for row in chosen], axis=0)
        names.append(f"sheet-{number}.png")
        write_picture(folder / names[-1], sheet, comment)
    return names


def feature_tiles(
    image: Image, box: Box, edited: Callable[[str, float], Image], ends: Mapping[str, tuple[float, float]]
) -> Image:
    """One row: a picture's face before, and with each feature at its two ends."""
    tiles = [_labelled("before", image[box.slices])]
    for feature, values in ends.items():
        tiles += [_labelled(f"{feature} {v:+.0f}", edited(feature, v)[box.slices]) for v in values]
    return np.concatenate(tiles, axis=1)


def write_strips(path: Path, strips: Sequence[tuple[str, Image]], comment: str) -> None:
    """Strips (S, W, 3) of one size below each other, each under its name."""
    rows = [np.concatenate([_label(name, strip.shape[1]), strip], axis=0) for name, strip in strips]
    write_picture(path, np.concatenate(rows, axis=0), comment)


def _sheet_row(row: Sequence[tuple[str, Path]], width: int) -> Image:
    tiles = []
    for position, (label, path) in enumerate(row):
        pair = read_photo(path).pixels
        if position == 0:
            tiles.append(_labelled("before", pair[:, :TILE_PX]))
        tiles.append(_labelled(label, pair[:, -TILE_PX:]))
    tiles += [np.full_like(tiles[0], 255)] * (width - len(tiles))
    return np.concatenate(tiles, axis=1)


def _labelled(label: str, tile: Image) -> Image:
    return np.concatenate([_label(label, SHEET_TILE_PX), _tile(tile, SHEET_TILE_PX)], axis=0)


def _label(text: str, width: int) -> Image:
    bar = np.full((_LABEL_PX, width, 3), 255, np.uint8)
    cv2.putText(bar, text, (3, _LABEL_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return bar


def _tile(image: Image, size: int) -> Image:
    """The picture in a square, its shape kept, on white."""
    scale = size / max(image.shape[:2])
    shape = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    scaled = cv2.resize(image, shape, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC)
    tile = np.full((size, size, 3), 255, np.uint8)
    top, left = (size - shape[1]) // 2, (size - shape[0]) // 2
    tile[top : top + shape[1], left : left + shape[0]] = scaled
    return tile
