"""Step 5: swap the faces of a photo with the Keras model, through the same path as the board."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cli.arguments import Parser
from edge_runtime.errors import InputError
from edge_runtime.face.choice import choose
from edge_runtime.face.controls import check_faces
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.swap_compose import SwapComposer
from edge_runtime.face.swapper import Swapped
from edge_runtime.media.image import read_photo, write_photo
from edge_runtime.provenance import edit_comment
from train.face.parts import FaceParts, load_parts
from train.face.swap.run import TrainedSwap, load_run

Image = NDArray[np.uint8]


class KerasSwapper:
    """The Keras model as the face path's swapper (`edge_runtime.face.swapper.Swapper`), of one identity or any."""

    def __init__(self, model: Any, vectors: FloatArray) -> None:
        """``model`` takes and gives batches by name; ``vectors`` (K, E) are the identities'."""
        self._model, self._vectors = model, vectors

    def run(self, crop: Image, row: int = 0) -> Swapped:
        """See `edge_runtime.face.swapper.Swapper.run`; ``row`` says which identity."""
        image = crop[None].astype(np.float32) * np.float32(1.0 / 255.0)
        outputs = self._model.predict_on_batch({"image": image, "identity": self._vectors[row : row + 1]})
        return Swapped(np.asarray(outputs["rgb"][0]), np.asarray(outputs["mask"][0]))


def swap_photo(trained: TrainedSwap, row: int, image: Image, faces: str | int, parts: FaceParts | None = None) -> Image:
    """A new photo (H, W, 3) with the chosen faces swapped, in their own painted colours.

    Raises `InputError` when there is no such face.
    """
    from train.face.swap.manifest import draft_manifest

    composer = SwapComposer(draft_manifest(trained, trained.folded(row), row))
    swapper = KerasSwapper(trained.network, trained.vectors)
    out = image.copy()
    chosen = choose((parts or load_parts()).finder().find(image), faces)
    if not chosen:
        raise InputError("the photo shows no such face; give one with a face of at least 40 pixels")
    for face in chosen:
        to_crop = align(face.five, trained.config.crop)
        swapped = swapper.run(composer.crop(out, to_crop), row)
        composer.paste(out, swapped.rgb, composer.shown(swapped.mask), to_crop)
    return out


def main(argv: Sequence[str]) -> int:
    """``changeling train face swap predict RUN IN.jpg OUT.jpg``."""
    parser = Parser("changeling train face swap predict", "Swap the faces of a photo with the Keras model of a run.")
    parser.add_argument("run", metavar="RUN", help="folder of the run")
    parser.add_argument("photo", metavar="IN", help="the photo")
    parser.add_argument("output", metavar="OUT", help="the .jpg or .png to write")
    parser.add_argument("--identity", metavar="NAME", help="of a base: which of its rendered identities (the first)")
    parser.add_argument("--faces", default="all", help="all, largest, left, right, or a number from the left")
    options = parser.parse_args(list(argv))
    photo, trained = read_photo(options.photo), load_run(Path(options.run))
    row = trained.row_of(options.identity)
    pixels = swap_photo(trained, row, photo.pixels, check_faces(options.faces))
    text = f"the face of {trained.identity_of(row).name}"
    comment = edit_comment(model=trained.config.name, edit=text)
    write_photo(options.output, dataclasses.replace(photo, pixels=pixels), comment=comment)
    print(f"{options.output}: {text}")
    return 0
