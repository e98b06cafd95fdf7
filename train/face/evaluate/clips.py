"""Videos: tracked as the device tracks, every so many frames judged, and a run of consecutive ones for jitter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.smoothing import EditFilter
from edge_runtime.face.stream import FaceStream
from edge_runtime.face.track import TrackedFace
from edge_runtime.media.video import Frame, VideoFacts, VideoReader
from train.face.evaluate.edits import CLIP_EDITS, Wish
from train.face.evaluate.footage import PictureJudge, Subject
from train.face.evaluate.inputs import VIDEO, Footage
from train.face.evaluate.movements import jitter_iod
from train.face.evaluate.results import ClipScore, FootageFacts
from train.face.evaluate.side_by_side import SideBySide

Image = NDArray[np.uint8]

_FEWEST_FRAMES: Final = 8


@dataclass(frozen=True)
class VideoPlan:
    """How much of a video is looked at."""

    seconds: float
    """From its beginning; 0 is all of it."""
    judged: int
    """Frames that are judged with every edit, spread over it."""
    clip_frames: int
    """Consecutive frames that are edited one by one, for jitter and for the clip."""


Judged = Callable[[Subject], None]
"""Called with every frame that is to be judged."""


def walk(
    footage: Footage,
    converter: FaceConverter,
    plan: VideoPlan,
    judged: Judged,
    clip: Clip | None,
    told: Callable[[float], None],
) -> FootageFacts:
    """One pass through a video. ``told`` hears the share that is done. Raises `InputError` for a damaged file."""
    stream = converter.stream()
    count, distances, shape = 0, [], (0, 0)
    with VideoReader(footage.path) as reader:
        total = frames_in(reader.facts, plan)
        every = max(1, total // plan.judged)
        chosen: int | None = None
        for number, frame in enumerate(reader.frames()):
            if number >= total:
                break
            shape = frame.pixels.shape[:2]
            tracked = _next(stream, frame, float(frame.tick * reader.facts.time_base), chosen)
            told(number / total)
            if tracked is None:
                continue
            chosen = tracked.number
            subject = _subject(footage, number, frame, tracked)
            if number % every == 0 and tracked.opacity == 1.0:
                judged(subject)
                count += 1
                distances.append(tracked.face.eye_distance_px)
            if clip is not None:
                clip.add(subject, frame, reader.facts)
    middle = float(np.median(distances)) if distances else 0.0
    return FootageFacts(footage.name, VIDEO, shape[1], shape[0], count, round(middle, 1))


def frames_in(facts: VideoFacts, plan: VideoPlan) -> int:
    """Frames that are looked at."""
    longest = facts.frames or 1_000_000
    return max(1, longest if plan.seconds <= 0.0 else min(longest, round(plan.seconds * facts.rate)))


def _next(stream: FaceStream, frame: Frame, time_s: float, chosen: int | None) -> TrackedFace | None:
    """The face to change in the next frame: the one of before, else the largest."""
    stream.look(frame.pixels, time_s)
    same = [tracked for tracked in stream.faces if tracked.number == chosen]
    return max(same or stream.faces, key=lambda tracked: tracked.face.eye_distance_px, default=None)


def _subject(footage: Footage, number: int, frame: Frame, tracked: TrackedFace) -> Subject:
    return Subject(footage.name, VIDEO, number, frame.pixels, tracked.steady, tracked.measures, tracked.opacity)


@dataclass
class Clip:
    """Consecutive frames with some edits, written beside each other, and how much their meshes tremble."""

    judge: PictureJudge
    wishes: Sequence[Wish]
    video: SideBySide
    most: int
    _source: list[FloatArray] = field(default_factory=list)
    _edited: dict[str, list[FloatArray | None]] = field(default_factory=dict)
    _filters: dict[str, EditFilter] = field(default_factory=dict)
    _next: int = -1
    _done: bool = False

    def __post_init__(self) -> None:
        self.wishes = [wish for wish in self.wishes if wish.name in CLIP_EDITS]
        self._filters = {wish.name: EditFilter(self.judge.track.edit_cutoff_hz) for wish in self.wishes}

    def add(self, subject: Subject, frame: Frame, facts: VideoFacts) -> None:
        """The next frame with a face; one that does not follow the last one ends the clip."""
        if self._done or not self.wishes:
            return
        if self._source and subject.frame != self._next:
            self._done = True
            return
        time_s = float(frame.tick * facts.time_base)
        pictures = [
            self.judge.edited(subject, wish, partial(self._filters[wish.name], time_s=time_s)) for wish in self.wishes
        ]
        meshes = [self.judge.mesh(picture, subject) for picture in (subject.image, *pictures)]
        if meshes[0] is None:
            self._done = True
            return
        self._source.append(meshes[0].points)
        for wish, mesh in zip(self.wishes, meshes[1:], strict=True):
            # An edit that spoils the face so far that no mesh is found has no jitter to tell.
            self._edited.setdefault(wish.name, []).append(None if mesh is None else mesh.points)
        self.video.add([subject.image, *pictures], frame, facts)
        self._next = subject.frame + 1
        self._done = len(self._source) >= self.most

    def scores(self, item: str) -> tuple[ClipScore, ...]:
        """What was found; nothing where too few frames followed each other."""
        if len(self._source) < _FEWEST_FRAMES:
            return ()
        source = jitter_iod(self._source)
        return tuple(
            ClipScore(item, name, len(meshes), round(source, 6), _jitter(meshes))
            for name, meshes in self._edited.items()
        )


def _jitter(meshes: Sequence[FloatArray | None]) -> float | None:
    found = [mesh for mesh in meshes if mesh is not None]
    return round(jitter_iod(found), 6) if len(found) == len(meshes) else None
