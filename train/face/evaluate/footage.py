"""One real picture with one edit: what moved, what was invented, who it still is, and what should not have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.controls import wanted_change
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import FloatArray, align, crop_box
from edge_runtime.face.landmarks import Face
from edge_runtime.face_path_contract import TrackSpec
from train.face.evaluate.edits import Wish
from train.face.evaluate.eyes import Eyes
from train.face.evaluate.identity import Likeness
from train.face.evaluate.mouth import CLOSED_GAP_IOD, interior
from train.face.evaluate.movements import BLINK, Look, Reference, moved_iod
from train.face.evaluate.results import EditScore

Image = NDArray[np.uint8]

_LEAST_SHARE: Final = 0.3
"""Of the whole movement: a face that shows most of it already is asked for too little to tell."""
_OPEN_EYES_IOD: Final = 0.05
"""Smallest gap between the lids from which on a blink has something to close."""
_BESIDE_IOD: Final = 0.25
"""The face's outline is widened by this before what lies beside it is called background."""
_LEVELS: Final = 4


@dataclass(frozen=True, eq=False)
class Subject:
    """A face in a picture, as the device would change it."""

    item: str
    kind: str
    frame: int
    image: Image
    face: Face
    """What is changed: with smoothed points in a video."""
    measures: Mapping[str, float]
    opacity: float = 1.0


class PictureJudge:
    """Edits pictures with one file and scores them."""

    def __init__(
        self, converter: FaceConverter, eyes: Eyes, reference: Reference | None = None, likeness: Likeness | None = None
    ) -> None:
        self._converter = converter
        self._eyes = eyes
        self._reference = reference
        self._likeness = likeness

    @property
    def track(self) -> TrackSpec:
        """How the file follows a face through a video."""
        return self._converter.manifest.track

    def edited(self, subject: Subject, wish: Wish, steady: Callable[[Edit], Edit] | None = None) -> Image:
        """The whole picture with the edit, exactly as the device makes it; ``steady`` for a face of a video."""
        out = subject.image.copy()
        self._converter.edit_face(out, subject.face, subject.measures, wish.controls, subject.opacity, steady)
        return out

    def mesh(self, image: Image, subject: Subject) -> Face | None:
        """The mesh of a picture of the subject, looked for where the face was, so that both are seen alike."""
        return self._converter.finder.landmarker.follow(image, subject.face)

    def score(self, subject: Subject, wish: Wish, edited: Image, picture: str = "") -> EditScore:
        """Everything about one edit; ``edited`` is what `edited` gave."""
        before, after = self.mesh(subject.image, subject), self.mesh(edited, subject)
        change = wanted_change(wish.controls, subject.measures, self._converter.manifest)[0]
        pair = None if before is None or after is None else (before, after)
        looks = self._looks(subject.image, edited, *pair) if pair and wish.movement else None
        moved = moved_iod(looks[0], looks[1], wish.movement) if looks and wish.movement else None
        opened, darkness, smear = self._mouth(subject, wish, edited, after)
        outside, background = self._elsewhere(subject, edited, pair)
        distance = None
        if self._likeness is not None and before is not None:
            distance = round(self._likeness.distance(subject.image, edited, before), 4)
        return EditScore(
            item=subject.item,
            kind=subject.kind,
            frame=subject.frame,
            edit=wish.name,
            asked=round(float(np.abs(change).max(initial=0.0)), 4),
            found=after is not None,
            moved_iod=None if moved is None else round(moved, 5),
            expected_iod=self._expected(wish, change),
            aperture=_aperture(wish, looks),
            opened=opened,
            darkness=darkness,
            smear=smear,
            identity=distance,
            outside_pixels=outside,
            background_share=round(background, 5),
            picture=picture,
        )

    def _looks(self, image: Image, edited: Image, before: Face, after: Face) -> tuple[Look, Look]:
        """Both pictures; the lids are looked for at the same place, so that only what they do tells."""
        gaps = [self._eyes.gap_iod(one, before) for one in (image, edited)]
        return Look(before, gaps[0]), Look(after, gaps[1])

    def _expected(self, wish: Wish, change: FloatArray) -> float | None:
        if self._reference is None or wish.movement is None:
            return None
        whole = self._reference.expected_iod(wish.movement.name, np.asarray(wish.controls.changes, np.float32))
        expected = self._reference.expected_iod(wish.movement.name, change)
        return round(expected, 5) if expected > max(_LEAST_SHARE * whole, 0.0) else None

    def _mouth(
        self, subject: Subject, wish: Wish, edited: Image, after: Face | None
    ) -> tuple[bool | None, float | None, float | None]:
        """Of a closed mouth that is asked to open: whether it did, and what is in it."""
        if wish.name != "jaw_open" or subject.measures["lip_gap"] > CLOSED_GAP_IOD:
            return None, None, None
        inside = None if after is None else interior(edited, after)
        if inside is None:
            return False, None, None
        return True, round(inside.darkness, 4), round(inside.smear, 4)

    def _elsewhere(self, subject: Subject, edited: Image, pair: tuple[Face, Face] | None) -> tuple[int, float]:
        """Changed pixels outside the pasted region, and the share of changed ones beside the face inside it."""
        crop = self._converter.manifest.crop
        box = crop_box(align(subject.face.five, crop), crop.size_px).within(subject.image.shape)
        change = np.abs(edited.astype(np.int16) - subject.image).max(axis=-1)
        outside = int(np.count_nonzero(change)) - int(np.count_nonzero(change[box.slices]))
        if pair is None or box.empty:
            return outside, 0.0
        beside = _beside(pair, subject, edited.shape[:2])[box.slices]
        share = float((change[box.slices][beside] > _LEVELS).mean()) if beside.any() else 0.0
        return outside, share


def _aperture(wish: Wish, looks: tuple[Look, Look] | None) -> float | None:
    if wish.name != BLINK or looks is None or looks[0].gap_iod < _OPEN_EYES_IOD:
        return None
    return round(looks[1].gap_iod / looks[0].gap_iod, 4)


def _beside(pair: tuple[Face, Face], subject: Subject, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) what is no part of the face, before or after."""
    area = np.zeros(shape, np.uint8)
    for face in pair:
        hull = cv2.convexHull(np.rint(face.points[:, :2]).astype(np.int32))
        cv2.fillConvexPoly(area, hull, 1)
    width = 2 * round(_BESIDE_IOD * subject.face.eye_distance_px) + 1
    return np.asarray(cv2.dilate(area, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))) == 0)
