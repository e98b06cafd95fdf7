"""What the trials of expressions and of swaps share: held-out faces, finished pictures, and the file they ride in.

A file is tried whole: its own detector and landmark model must find the held-out faces, and the composer of the device
makes the pictures that are compared.
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from edge_runtime.face.geometry import align
from edge_runtime.face.remap import sample
from edge_runtime.face_contract import FaceManifest
from edge_runtime.face_path_contract import CropSpec
from edge_runtime.golden import GOLDEN
from edge_runtime.media.image import READ_SUFFIXES, read_photo
from edge_runtime.swap_contract import SwapManifest
from export import bundle
from export.half_weights import halve_weights
from export.inspect_graph import GraphFacts
from export.recipes import Recipe
from export.report_faces import Faces, differences
from export.subject import FloatArray
from export.trial import Tried
from train.face.parts import LANDMARKS, NOTICE_FILE, FaceParts, load_parts
from train.face.preprocess import find_five
from train.face.run import HeldOut
from train.face.scoring import psnr_db, touched_square_error
from train.face.swap.run import SwapHeldOut

Image = NDArray[np.uint8]
ManifestT = TypeVar("ManifestT", FaceManifest, SwapManifest)

SHOWN = 8
"""Faces that go into the report as pictures."""
PICTURE_PSNR = "picture_psnr_db"
"""Score: finished pictures of a file against Keras', over the part of the crop that Keras changes."""

_FOUND_SHARE = 0.5
_MAXIMUM_PHOTOS = 64


class PictureTrial(ABC, Generic[ManifestT]):
    """The half of `export.trial.Trial` that is the same for every model of faces."""

    _test: HeldOut | SwapHeldOut

    def __init__(self, parts: FaceParts | None) -> None:
        self._parts = with_half_landmarks(parts or load_parts())

    @cached_property
    @abstractmethod
    def draft(self) -> ManifestT:
        """The manifest without the graph."""

    @cached_property
    @abstractmethod
    def _finished(self) -> list[Image]:
        """What Keras makes of the crops."""

    @property
    def _images(self) -> Image:
        """(N, S, S, 3) held-out crops that files are tried on."""
        return self._test.images

    @abstractmethod
    def _golden_inputs(self) -> dict[str, np.ndarray]:
        """What the self-test on a board begins with, by name."""

    @abstractmethod
    def _what(self) -> Sequence[str]:
        """The first lines of the notice: what the model is and does."""

    def _with_landmarks(self, draft: ManifestT) -> ManifestT:
        """``draft`` with the landmark model as it rides in the file."""
        graph = draft.landmarks.graph
        digest = hashlib.sha256(self._parts.files[graph.file]).hexdigest()
        graph = dataclasses.replace(graph, sha256=digest, source=f"{graph.source}, weights as half floats")
        return dataclasses.replace(draft, landmarks=dataclasses.replace(draft.landmarks, graph=graph))

    def pack(
        self,
        recipe: Recipe,
        facts: GraphFacts,
        graph: bytes,
        scores: Mapping[str, float],
        stages: Mapping[str, FloatArray] | None,
    ) -> bytes:
        """See `Trial.pack`; detector, landmark model and their notice ride along."""
        manifest = bundle.finish_manifest(self.draft, recipe, facts, graph, scores)
        files = {**self._parts.files, "NOTICE": self._notice().encode()}
        files["LICENCE"] = f"{manifest.name}: {manifest.licence}\n".encode()
        if stages is not None:
            share = bundle.golden_share(recipe.precision)
            tolerance = [share * max(1.0, float(np.abs(values).max())) for values in stages.values()]
            # A half float is off by 1/4096 at most, far below what any file but the exact one is held to.
            kept = np.float32 if recipe.precision == "fp32" else np.float16
            golden = {name: values.astype(kept) for name, values in stages.items()}
            files[GOLDEN] = bundle.pack_golden(self._golden_inputs(), golden, tolerance)
        return bundle.pack(manifest, recipe, graph, files)

    def _notice(self) -> str:
        lines = [*self._what(), "What it makes is synthetic: say so where it is shown.", "", "Trained on:"]
        lines += [f"- {source.name}, {source.images} images, {source.licence}" for source in self.draft.training]
        return "\n".join(lines) + "\n"

    def scores(self, tried: Tried) -> dict[str, float]:
        """How near the finished pictures are to Keras'."""
        shown = [np.asarray(picture) for picture in tried.shown]
        return {PICTURE_PSNR: pictures_psnr_db(self._images, self._finished, shown)}

    def complaints(self, recipe: Recipe, scores: Mapping[str, float]) -> list[str]:
        """Finished pictures that are too far from Keras'."""
        return recipe.picture_complaints(scores[PICTURE_PSNR])

    def exhibits(self, label: str, tried: Tried) -> list[Any]:
        """By a file, and ten times what is different from Keras."""
        ours = [np.asarray(picture, np.uint8) for picture in tried.shown[:SHOWN]]
        return [Faces(label, tuple(ours)), differences(label, ours, self._finished)]

    @property
    def figures(self) -> dict[str, float]:
        """Arithmetic."""
        return {"macs_per_frame": self.draft.macs_per_frame}


def with_half_landmarks(parts: FaceParts) -> FaceParts:
    """The parts with the landmark model's weights as half floats: it is larger than all the rest of the file, and its
    points move by three hundredths of a pixel of a photo at most."""
    name = LANDMARKS.graph.file
    notice = parts.files[NOTICE_FILE] + f"The weights of {name} are stored as half floats.\n".encode()
    files = {**parts.files, name: halve_weights(parts.files[name]), NOTICE_FILE: notice}
    return FaceParts(MappingProxyType(files))


def photo_crops(parts: FaceParts, crop: CropSpec, folder: Path) -> tuple[Image, tuple[str, ...]]:
    """Aligned crops (N, S, S, 3) of the faces in a folder of photos. Raises `InputError` when there are none."""
    finder = parts.finder()
    crops, names = [], []
    for path in sorted(p for p in folder.glob("**/*") if p.suffix.lower() in READ_SUFFIXES)[:_MAXIMUM_PHOTOS]:
        pixels = read_photo(path).pixels
        five = find_five(finder, pixels)
        if five is not None:
            crops.append(sample(pixels, align(five, crop).inverse(), (crop.size_px, crop.size_px)))
            names.append(path.name)
    if not crops:
        raise InputError(f"{folder} holds no photos with a face to calibrate on")
    return np.stack(crops), tuple(names)


def found_complaint(found: int, of: int) -> str:
    """What is wrong when a file's own detector and landmark model find ``found`` of ``of`` faces, if anything."""
    if found >= _FOUND_SHARE * of:
        return ""
    return f"its detector and landmark model find {found} of {of} held-out faces"


def pictures_psnr_db(before: Image, by_keras: Sequence[Image], by_file: Sequence[Image]) -> float:
    """PSNR over the pixels that Keras changes, with those around them that a file changes; all faces together."""
    error, count = 0.0, 0
    for image, ours, theirs in zip(before, by_keras, by_file, strict=True):
        added = touched_square_error(image, ours, theirs)
        error, count = error + added[0], count + added[1]
    return round(psnr_db(error / max(count, 1)), 2)
