"""The same faces from frame to frame: looked for every so often, followed by their own landmarks in between."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.detect import Detection, Detector, covers, overlap
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.landmarks import Face, Landmarker
from edge_runtime.face.measures import measure_face
from edge_runtime.face.smoothing import OneEuroFilter
from edge_runtime.face_path_contract import TrackSpec

Image = NDArray[np.uint8]

_LOOKS = 3
"""At the whole and at pieces of it, in the time from one search of the whole to the next."""


@dataclass(frozen=True)
class TrackedFace:
    """A face of a video at one moment."""

    number: int
    """Counts from 0 in the order of appearance; a face that was lost for long comes back under a new number."""
    face: Face
    """As found; of the last frame that showed it while it is held."""
    steady: Face
    """With its five points smoothed over time."""
    measures: dict[str, float]
    """`edge_runtime.face.measures.measure_face`, smoothed over time."""
    opacity: float
    """1 while it is seen, falling to 0 while it is held."""


@dataclass
class _Track:
    number: int
    face: Face
    filter: OneEuroFilter
    seen_frame: int
    seen_s: float
    steady: Face
    measures_filter: OneEuroFilter
    measures: dict[str, float]


class Tracker:
    """Follows faces through the frames of one video."""

    def __init__(self, spec: TrackSpec, detector: Detector, landmarker: Landmarker, *, levels: int = 2) -> None:
        self.spec = spec
        self._detector = detector
        self._landmarker = landmarker
        self._levels = levels
        self.reset()

    def reset(self) -> None:
        """Forget all faces; numbers begin again."""
        self._tracks: list[_Track] = []
        self._frame = -1
        self._next_number = 0

    def update(self, image: Image, time_s: float) -> list[TrackedFace]:
        """The faces of the next frame (H, W, 3), in the order of their numbers."""
        lost = False
        self._frame += 1
        for track in self._tracks:
            followed = self._landmarker.follow(image, track.face)
            if followed is None:
                lost = True
                continue
            self._see(track, followed, time_s)
        self._drop_doubles()
        for detection in self._look_about(image, lost):
            self._meet(image, detection, time_s)
        self._tracks = [track for track in self._tracks if self._opacity(track, time_s) > 0.0]
        return [TrackedFace(t.number, t.face, t.steady, t.measures, self._opacity(t, time_s)) for t in self._tracks]

    def _look_about(self, image: Image, lost: bool) -> list[Detection]:
        """Where faces may be now.

        With nobody to follow the whole is searched in every frame, and its pieces every so often. With a face to follow
        the search is spread, so that no frame waits for many runs of the detector: now the whole, and in the time until
        it is due again two of the pieces, which take turns.
        """
        every = self.spec.detect_every_frames
        searches, phase = divmod(self._frame, every)
        if not self._tracks:
            return self._detector.find(image, levels=self._levels if phase == 0 else 1)
        if lost or phase == 0:  # a lost face is looked for at once
            return self._detector.find(image)
        moments = [look * every // _LOOKS for look in range(1, _LOOKS)]
        if self._levels > 1 and phase in moments:
            number = searches * len(moments) + moments.index(phase)
            return self._detector.find(image, levels=self._levels, piece=number)
        return []

    def _meet(self, image: Image, detection: Detection, time_s: float) -> None:
        """A face was found: one that is not followed yet, or was lost, is followed from now on."""
        seen = [track.face for track in self._tracks if self._is_seen(track)]
        if any(self._same(known, detection.box) for known in seen):
            return
        face = self._landmarker.locate(image, detection)
        if face is None or any(self._same(known, face.box) for known in seen):
            return
        held = [track for track in self._tracks if not self._is_seen(track)]
        again = max(held, key=lambda track: overlap(face.box, track.face.box), default=None)
        if again is not None and overlap(face.box, again.face.box) > self.spec.overlap_threshold:
            again.filter.reset()
            again.measures_filter.reset()
            self._see(again, face, time_s)
            return
        filters = OneEuroFilter(self.spec.five), OneEuroFilter(self.spec.measures)
        track = _Track(self._next_number, face, filters[0], self._frame, time_s, face, filters[1], {})
        self._next_number += 1
        self._see(track, face, time_s)
        self._tracks.append(track)

    def _see(self, track: _Track, face: Face, time_s: float) -> None:
        track.face, track.seen_frame, track.seen_s = face, self._frame, time_s
        five = track.filter(face.five, time_s, max(face.eye_distance_px, 1.0))
        track.steady = dataclasses.replace(face, five=five)
        measures = measure_face(face)
        smoothed = track.measures_filter(np.array(list(measures.values())), time_s, 1.0)
        track.measures = dict(zip(measures, smoothed.tolist(), strict=True))

    def _same(self, known: Face, box: FloatArray) -> bool:
        return overlap(box, known.box) > self.spec.overlap_threshold or covers(known.box, box)

    def _is_seen(self, track: _Track) -> bool:
        return track.seen_frame == self._frame

    def _drop_doubles(self) -> None:
        """Of two tracks that slid onto one face the older one stays."""
        kept: list[_Track] = []
        for track in self._tracks:
            limit = self.spec.overlap_threshold
            doubled = self._is_seen(track) and any(
                self._is_seen(other) and overlap(track.face.box, other.face.box) > limit for other in kept
            )
            if not doubled:
                kept.append(track)
        self._tracks = kept

    def _opacity(self, track: _Track, time_s: float) -> float:
        if self._is_seen(track):
            return 1.0
        hold_s = self.spec.hold_s
        return max(0.0, 1.0 - (time_s - track.seen_s) / hold_s) if hold_s > 0.0 else 0.0
