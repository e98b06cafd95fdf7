"""One photo with everything that a face can be asked for: ``python benchmarks/every_face.py PHOTO FOLDER``.

Needs what a board has and nothing else. Writes FOLDER/face-source.jpg, expression-NAME.jpg for each expression and
unit-NAME.jpg for each unit of the shipped face model (unit-NAME-less.jpg for the other side of a feature), and
FOLDER/faces.jpg, where all of them are seen at once; `make demo` runs it. Exits with the error's own code and one line
when something is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.face.geometry import Similarity
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample
from edge_runtime.face_contract import FEATURE
from edge_runtime.media.image import Photo, read_photo, write_photo
from edge_runtime.provenance import edit_comment

COLUMNS = 6
TILE_PX = 224
_HEAD = 4.2
"""Side of a tile in distances between the eyes."""
_INTENSITY = 0.9


@dataclass(frozen=True)
class Take:
    """One way to look."""

    name: str
    """Of the file, without its suffix."""
    description: str
    controls: edge_runtime.FaceControls


def takes(converter: edge_runtime.FaceConverter) -> Iterator[Take]:
    """Everything the model can be asked for by name, and both eyes shut."""
    for expression in converter.manifest.expressions:
        wish = f"{expression.name}:{_INTENSITY}"
        yield Take(f"expression-{expression.name}", expression.description, converter.controls(expression=wish))
    yield Take("blink", "both eyes shut", converter.controls(blink=1.0))
    for unit in converter.manifest.units:
        yield Take(f"unit-{unit.name}", unit.description, converter.controls(**{unit.name: unit.maximum}))
        if unit.kind == FEATURE and unit.minimum < 0.0:
            less = converter.controls(**{unit.name: unit.minimum})
            yield Take(f"unit-{unit.name}-less", unit.description, less)


def change(path: Path, folder: Path) -> None:
    """Change the photo in all takes and print a line for each. Raises `edge_runtime.ChangelingError`."""
    photo = read_photo(path)
    converter = edge_runtime.load(kind="face")
    faces = converter.find_faces(photo.pixels)
    if not faces:
        raise edge_runtime.InputError(f"{path} shows no face that can be found")
    face = max(faces, key=lambda one: one.eye_distance_px)
    write_photo(folder / "face-source.jpg", photo, comment=None)
    print(f"  {'face-source.jpg':<28}{path}, {photo.pixels.shape[1]} x {photo.pixels.shape[0]}")
    tiles, spent_s = [_tile(photo.pixels, face)], 0.0
    for take in takes(converter):
        started = time.process_time()
        pixels = converter.convert_found(photo.pixels, faces, take.controls)
        spent_s += time.process_time() - started
        comment = edit_comment(model=converter.manifest.name, edit=take.name)
        write_photo(folder / f"{take.name}.jpg", Photo(pixels, None, b"", b""), comment=comment)
        print(f"  {take.name + '.jpg':<28}{take.description}")
        tiles.append(_tile(pixels, face))
    comment = edit_comment(model=converter.manifest.name, edit="every expression and unit")
    write_photo(folder / "faces.jpg", Photo(_sheet(tiles), None, b"", b""), comment=comment)
    mean_ms = 1000.0 * spent_s / (len(tiles) - 1)
    print(f"{len(tiles) - 1} changes, {mean_ms:.0f} ms each without the search, on {converter.backend_name}")


def _tile(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    x, y = face.five[:3].mean(axis=0)
    scale = _HEAD * face.eye_distance_px / TILE_PX
    half = scale * TILE_PX / 2.0
    return sample(pixels, Similarity(scale, 0.0, float(x) - half, float(y) - half), (TILE_PX, TILE_PX))


def _sheet(tiles: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    rows = -(-len(tiles) // COLUMNS)
    sheet = np.full((rows * TILE_PX, COLUMNS * TILE_PX, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        sheet[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX] = tile
    return sheet


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description="One photo in every expression.")
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="an existing folder")
    options = parser.parse_args()
    try:
        change(options.photo, options.folder)
    except edge_runtime.ChangelingError as error:
        print(f"every_face: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
