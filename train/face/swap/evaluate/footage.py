"""Real photos and videos: is it the target's face now, does it do what the source's does, and does it tremble more?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from edge_runtime.face.follow import expression_of
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.landmarks import Face
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.media.image import read_photo
from edge_runtime.media.video import VideoReader
from train.face.evaluate.identity import Recogniser
from train.face.evaluate.inputs import PHOTO, Footage
from train.face.evaluate.movements import jitter_iod
from train.face.evaluate.pictures import face_box, pair_of
from train.face.evaluate.side_by_side import SideBySide
from train.face.preprocess import find_largest
from train.face.swap.evaluate.measures import Following, following, mean_of_known

Image = NDArray[np.uint8]
Vector = NDArray[np.float64]

_FEWEST_FRAMES: Final = 8
"""Below, a video's jitter and what follows its expression are not measured."""
_CLIP_S: Final = 6.0
"""Of a video that are shown, before and after."""


@dataclass(frozen=True)
class FootageScore:
    """One photo or video; what could not be measured is None."""

    name: str
    frames: int
    """Of a video that were judged."""
    following: Following | None
    """How the expression follows that of a video; None for photos."""
    shape: float
    """Mean distance of the expressive points from the source's, in distances between the eyes: two people's own
    shapes, and what an expression lacks."""
    source_distance: float | None
    target_distance: float | None
    closer: float | None
    """Share of frames that are closer to the target than to the source."""
    jitter: float | None
    """Of the mesh, over that of the source video."""


class FootageJudge:
    """Swaps footage as ``convert`` does, and scores every so many frames."""

    def __init__(
        self,
        converter: SwapConverter,
        recogniser: Recogniser | None,
        target: Sequence[Vector],
        every: int,
        most: int,
        follow: float | None = None,
    ) -> None:
        """``target`` are the recogniser's numbers of photos of the target, where there are any; of a video every
        ``every``-th frame is judged, and at most ``most`` frames are read; ``follow`` as in `SwapConverter.controls`.
        """
        self._converter, self._recogniser, self._every, self._most = converter, recogniser, every, most
        self._controls = converter.controls(follow=follow)
        self._target = np.mean(target, axis=0) if len(target) else None

    def score(
        self, footage: Footage, told: Callable[[float], None], clip: SideBySide
    ) -> tuple[FootageScore, list[Image]]:
        """The score, and some pictures before and after; the beginning of a video goes into ``clip``.

        Raises `InputError` when no face is found.
        """
        rows: list[tuple[float | None, float | None]] = []
        shown: list[Image] = []
        expressions: list[tuple[FloatArray, FloatArray]] = []
        before_meshes: list[FloatArray] = []
        after_meshes: list[FloatArray] = []
        for number, before, after in self._frames(footage, told, clip):
            faces = find_largest(self._converter.finder, before), find_largest(self._converter.finder, after)
            if faces[0] is None or faces[1] is None:
                continue
            before_meshes.append(faces[0].points)
            after_meshes.append(faces[1].points)
            expressions.append((expression_of(faces[0]), expression_of(faces[1])))
            if number % self._every == 0:
                rows.append(self._distances(before, after, faces[0], faces[1]))
                box = face_box(faces[0], self._converter.manifest.crop, before.shape)
                shown.append(pair_of(before, after, box))
        if not rows:
            raise InputError(f"{footage.path.name} shows no face that can be found before and after")
        jitter = follows = None
        if len(before_meshes) >= _FEWEST_FRAMES:
            jitter = jitter_iod(after_meshes) / max(jitter_iod(before_meshes), 1e-9)
            follows = following(*zip(*expressions, strict=True))
        known = [(source, target) for source, target in rows if source is not None and target is not None]
        return FootageScore(
            footage.name,
            len(rows),
            follows,
            float(np.mean([np.linalg.norm(after - before, axis=-1).mean() for before, after in expressions])),
            mean_of_known([row[0] for row in rows]),
            mean_of_known([row[1] for row in rows]),
            float(np.mean([target < source for source, target in known])) if known else None,
            jitter,
        ), shown

    def _frames(
        self, footage: Footage, told: Callable[[float], None], clip: SideBySide
    ) -> Iterator[tuple[int, Image, Image]]:
        if footage.kind == PHOTO:
            pixels = read_photo(footage.path).pixels
            yield 0, pixels, self._converter.convert(pixels, self._controls)
            return
        stream = self._converter.stream(self._controls)
        with VideoReader(footage.path) as reader:
            for number, frame in enumerate(reader.frames()):
                if number >= self._most:
                    break
                told(number / self._most)
                after = stream.process(frame.pixels, float(frame.tick * reader.facts.time_base))
                if number < _CLIP_S * reader.facts.rate:
                    clip.add((frame.pixels, after), frame, reader.facts)
                yield number, frame.pixels, after

    def _distances(self, before: Image, after: Image, first: Face, second: Face) -> tuple[float | None, float | None]:
        if self._recogniser is None:
            return None, None
        look = self._recogniser
        source, now = look.describe(look.chip(before, first)), look.describe(look.chip(after, second))
        target = None if self._target is None else float(np.linalg.norm(now - self._target))
        return float(np.linalg.norm(now - source)), target


def describe_photos(converter: SwapConverter, recogniser: Recogniser, photos: Sequence[Path]) -> list[Vector]:
    """The recogniser's numbers of the largest face of every photo that shows one."""
    found = []
    for path in photos:
        pixels = read_photo(path).pixels
        face = find_largest(converter.finder, pixels)
        if face is not None:
            found.append(recogniser.describe(recogniser.chip(pixels, face)))
    return found
