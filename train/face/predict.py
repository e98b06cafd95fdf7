"""Step 5: change a photo with the Keras model, through the same path as the board.

Only the generator differs: here it is the Keras model. What the exported files give is compared with this.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cli.arguments import Parser, take_units
from edge_runtime.errors import InputError
from edge_runtime.face.choice import choose
from edge_runtime.face.compose import Composer
from edge_runtime.face.controls import FaceControls, make_face_controls, wanted_delta
from edge_runtime.face.generator import Edit, edit_of
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face
from edge_runtime.face_contract import FaceManifest
from edge_runtime.media.image import read_photo, write_photo
from edge_runtime.provenance import edit_comment
from train.face.manifest import draft_manifest
from train.face.parts import FaceParts, load_parts
from train.face.run import TrainedFace, load_run

Image = NDArray[np.uint8]


class KerasGenerator:
    """The Keras model as the face path's generator (`edge_runtime.face.generator.Generator`)."""

    def __init__(self, model: Any) -> None:
        """``model`` takes and gives batches by name."""
        self._model = model

    def run(self, crop: Image, delta: FloatArray) -> Edit:
        """See `edge_runtime.face.generator.Generator.run`."""
        image = crop[None].astype(np.float32) * np.float32(1.0 / 255.0)
        outputs = self._model.predict_on_batch({"image": image, "delta": delta})
        return edit_of(outputs)


class PhotoEditor:
    """Changes the faces of photos with a run's network."""

    def __init__(self, trained: TrainedFace, parts: FaceParts | None = None) -> None:
        found = parts or load_parts()
        self.manifest: FaceManifest = draft_manifest(trained, trained.network)
        self._finder = found.finder()
        self._generator = KerasGenerator(trained.network)
        self._composer = Composer(self.manifest.crop, self.manifest.mask)

    def faces(self, image: Image) -> list[Face]:
        """The faces of a photo (H, W, 3), from the left to the right."""
        return self._finder.find(image)

    def convert(self, image: Image, controls: FaceControls) -> Image:
        """A new photo with the faces that ``controls`` mean changed."""
        out = image.copy()
        for face in choose(self.faces(image), controls.faces):
            delta = wanted_delta(controls, measure_face(face), self.manifest)
            to_crop = align(face.five, self.manifest.crop)
            edit = self._generator.run(self._composer.crop(out, to_crop), delta)
            self._composer.paste(out, edit, to_crop)
        return out


def main(argv: Sequence[str]) -> int:
    """``changeling train face predict RUN IN.jpg OUT.jpg --smile 0.8``."""
    parser = Parser(
        "changeling train face predict",
        "Change a photo with the Keras model of a run; every unit of the face is a flag, such as --smile 0.8.",
    )
    parser.add_argument("run", metavar="RUN", help="folder of the run")
    parser.add_argument("photo", metavar="IN", help="the photo")
    parser.add_argument("output", metavar="OUT", help="the .jpg or .png to write")
    parser.add_argument("--expression", metavar="NAME:0..1", help="a named expression, such as happy:0.6")
    parser.add_argument("--faces", default="all", help="all, largest, left, right, or a number from the left")
    rest, given = take_units(list(argv), parser)
    units: dict[str, Any] = dict(given)
    options = parser.parse_args(rest)
    photo = read_photo(options.photo)
    editor = PhotoEditor(load_run(Path(options.run)))
    controls = make_face_controls(editor.manifest, expression=options.expression, faces=options.faces, **units)
    if not choose(editor.faces(photo.pixels), controls.faces):
        raise InputError(f"{options.photo} shows no such face; give a photo with a face of at least 40 pixels")
    changed = dataclasses.replace(photo, pixels=editor.convert(photo.pixels, controls))
    write_photo(options.output, changed, comment=edit_comment(model=editor.manifest.name, edit=_said(options, units)))
    print(f"{options.output}: {_said(options, units) or 'unchanged'}")
    return 0


def _said(options: Any, units: Mapping[str, float]) -> str:
    """What was asked for, in words."""
    parts = [options.expression] if options.expression else []
    return ", ".join([*parts, *(f"{name} {value:g}" for name, value in units.items())])
