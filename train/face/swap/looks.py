"""What is learnt from: a face as it is seen and as it should become, with all that says where this counts.

Everything of a look lies in one frame, larger than the crop, from which batches are cut (`train.face.swap.batches`).
Rendered pairs give two looks each: the source with the target's face, and the target as itself, which is all that a
person's own photos can give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.landmarks import LEFT_CORNER, LEFT_EYE, RIGHT_CORNER, RIGHT_EYE
from edge_runtime.face.remap import sample
from edge_runtime.face_path_contract import CropSpec
from train.face.photos import PhotoRecord, load_picture
from train.face.preprocess import load_shard_of, shard_paths
from train.face.swap.preprocess import SwapAligned

Image = NDArray[np.uint8]
Plane = NDArray[np.uint8]
"""(F, F) 0..255."""

OWN_SHARE: Final = 0.25
"""Of what is drawn from rendered pairs, the targets as themselves."""
_EYE_REACH: Final = 0.34
"""Of an eye's surroundings, in distances between the eyes."""
_MOUTH_REACH: Final = 0.75
"""Half axes of the mouth's surroundings, in widths of the mouth: across; down it is a little less."""


@dataclass(frozen=True, eq=False)
class Look:
    """One face in a frame of F pixels."""

    image: Image
    """(F, F, 3) what is seen."""
    target: Image
    """(F, F, 3) what must come out."""
    face: Plane
    """Where ``target`` shows the face that is to be painted."""
    shown: Plane
    """Where that face may show in ``image``: a face is there, and nothing covers it."""
    features: Plane
    """Eyes and mouth of ``target``."""
    five: FloatArray
    """(5, 2) of ``image``."""
    identity: int
    """Row of the identity that is painted."""
    own: bool
    """Whether ``target`` is ``image`` itself."""


class Looks(Protocol):
    """Looks to draw from."""

    def __len__(self) -> int:
        """How many there are."""

    def look(self, number: int) -> Look:
        """One of them, always the same for the same number."""

    def draw(self, rng: np.random.Generator) -> Look:
        """One at random."""


class RenderedLooks:
    """Looks of the rendered pairs of one split; number 2 i is pair i as a swap, 2 i + 1 its target as itself."""

    def __init__(self, shards: Sequence[SwapAligned], identities: Sequence[str]) -> None:
        """Only pairs count whose target is one of ``identities``."""
        rows = {name: row for row, name in enumerate(identities)}
        self._pairs = [
            (shard, index, rows[str(shard.heads[index, 1])])
            for shard in shards
            for index in range(len(shard))
            if str(shard.heads[index, 1]) in rows
        ]

    @classmethod
    def of(cls, folders: Sequence[Path], split: str, identities: Sequence[str]) -> RenderedLooks:
        """Of ``folders`` of `train.face.swap.preprocess`. Raises `WorkstationError` when there is none."""
        paths = [path for folder in folders for path in shard_paths(folder, split)]
        shards = [shard for path in paths if (shard := load_shard_of(path, SwapAligned)) is not None]
        found = cls(shards, identities)
        if not len(found):
            where = " or ".join(str(folder) for folder in folders)
            raise WorkstationError(f"there are no {split} pairs of these identities in {where}; collect more pairs")
        return found

    def __len__(self) -> int:
        return 2 * len(self._pairs)

    def heads(self, number: int) -> tuple[str, str]:
        """Names of the source and the target of a look's pair."""
        shard, index, _ = self._pairs[number // 2]
        return str(shard.heads[index, 0]), str(shard.heads[index, 1])

    def draw(self, rng: np.random.Generator) -> Look:
        """See `Looks.draw`; a target as itself with a probability of `OWN_SHARE`."""
        return self.look(2 * int(rng.integers(len(self._pairs))) + int(rng.random() < OWN_SHARE))

    def look(self, number: int) -> Look:
        """See `Looks.look`."""
        shard, index, identity = self._pairs[number // 2]
        target, face = shard.images[index, 1], shard.face[index, 1]
        if number % 2:
            five = shard.five[index, 1]
            return Look(target, target, face, face, shard.features[index, 1], five, identity, True)
        shown = np.minimum(shard.face[index, 0], face)
        return Look(
            shard.images[index, 0], target, face, shown, shard.features[index, 1], shard.five[index, 0], identity, False
        )


class PhotoLooks:
    """A person's own photos, each as itself."""

    def __init__(self, root: Path, records: Sequence[PhotoRecord], crop: CropSpec, mask: Callable[[Image], FloatArray]):
        """``mask`` gives for a crop (S, S, 3) where the face shows, (S, S, 1) 0..1: what the base says to it."""
        self._looks = [_photo_look(load_picture(root, record), record, crop, mask) for record in records]

    def __len__(self) -> int:
        return len(self._looks)

    def look(self, number: int) -> Look:
        """See `Looks.look`."""
        return self._looks[number]

    def draw(self, rng: np.random.Generator) -> Look:
        """See `Looks.draw`."""
        return self._looks[int(rng.integers(len(self._looks)))]


def _photo_look(picture: Image, record: PhotoRecord, crop: CropSpec, mask: Callable[[Image], FloatArray]) -> Look:
    five = np.array(record.five, np.float32)
    to_crop = align(five, crop)
    seen = mask(sample(picture, to_crop.inverse(), (crop.size_px, crop.size_px)))
    shape = (picture.shape[0], picture.shape[1])
    face = _bytes(sample(np.asarray(seen, np.float32), to_crop, shape, black_outside=True)[..., 0])
    return Look(picture, picture, face, face, features_about(five, shape), five, 0, True)


def features_about(five: FloatArray, shape: tuple[int, int]) -> Plane:
    """Ellipses about eyes and mouth of the five points (5, 2): what counts more, where nobody says where it is."""
    plane = np.zeros(shape, np.uint8)
    across = five[LEFT_EYE] - five[RIGHT_EYE]
    angle, apart = float(np.degrees(np.arctan2(across[1], across[0]))), float(np.hypot(*across))
    mouth = (five[RIGHT_CORNER] + five[LEFT_CORNER]) / 2.0
    width = float(np.hypot(*(five[LEFT_CORNER] - five[RIGHT_CORNER])))
    for centre, axes in (
        (five[RIGHT_EYE], (2.0 * _EYE_REACH * apart, 1.3 * _EYE_REACH * apart)),
        (five[LEFT_EYE], (2.0 * _EYE_REACH * apart, 1.3 * _EYE_REACH * apart)),
        (mouth, (2.0 * _MOUTH_REACH * width, 1.2 * _MOUTH_REACH * width)),
    ):
        cv2.ellipse(plane, (centre.tolist(), axes, angle), 255, -1, cv2.LINE_AA)
    return plane


def _bytes(share: FloatArray) -> Plane:
    return np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)


class OwnHalf:
    """Of rendered looks, every other pair's target as itself: all that a person's photos would tell."""

    def __init__(self, looks: RenderedLooks) -> None:
        self._looks = looks

    def __len__(self) -> int:
        return (len(self._looks) + 2) // 4

    def look(self, number: int) -> Look:
        """See `Looks.look`."""
        return self._looks.look(4 * number + 1)

    def draw(self, rng: np.random.Generator) -> Look:
        """See `Looks.draw`."""
        return self.look(int(rng.integers(len(self))))


class SwapHalf:
    """The other pairs as swaps: their truth was never shown."""

    def __init__(self, looks: RenderedLooks) -> None:
        self._looks = looks

    def __len__(self) -> int:
        return len(self._looks) // 4

    def look(self, number: int) -> Look:
        """See `Looks.look`."""
        return self._looks.look(4 * number + 2)

    def draw(self, rng: np.random.Generator) -> Look:
        """See `Looks.draw`."""
        return self.look(int(rng.integers(len(self))))
