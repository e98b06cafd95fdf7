"""The faces of a video, frame by frame, each change following its face without a tremble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.choice import Chooser, first_choice
from edge_runtime.face.controls import FaceControls
from edge_runtime.face.generator import Edit
from edge_runtime.face.landmarks import Face
from edge_runtime.face.smoothing import EditFilter
from edge_runtime.face.track import TrackedFace, Tracker

Image = NDArray[np.uint8]


class FaceEditor(Protocol):
    """What a stream needs of a converter."""

    def edit_face(
        self,
        image: Image,
        face: Face,
        measures: Mapping[str, float],
        controls: FaceControls,
        opacity: float = 1.0,
        steady: Callable[[Edit], Edit] | None = None,
    ) -> None:
        """Change one face of ``image`` in place; ``steady`` filters what the graph answers."""


class FaceStream:
    """Converts the frames of one video in their order."""

    def __init__(self, editor: FaceEditor, tracker: Tracker, controls: FaceControls) -> None:
        self._editor = editor
        self._tracker = tracker
        self._controls = controls
        self._chooser = Chooser()
        self._filters: dict[int, EditFilter] = {}
        self.faces: list[TrackedFace] = []
        """The faces of the last frame, all of them."""

    def reset(self) -> None:
        """Begin another video."""
        self._tracker.reset()
        self._chooser = Chooser()
        self._filters = {}
        self.faces = []

    def look(self, frame: Image, time_s: float) -> None:
        """Find and follow the faces of the next frame, into `faces`, and change nothing."""
        self.faces = self._tracker.update(frame, time_s)

    def process(self, frame: Image, time_s: float) -> Image:
        """The next frame (H, W, 3), uint8 RGB, changed; a new array of the same shape.

        A face that is lost keeps its change for a moment, fading, and then shows as it is.
        """
        self.look(frame, time_s)
        out = frame.copy()
        if not self._controls.neutral:
            meant = self._meant()
            self._filters = {tracked.number: self._filter_of(tracked) for tracked in meant}
            for tracked in meant:
                steady = partial(self._filters[tracked.number], time_s=time_s)
                self._editor.edit_face(out, tracked.steady, tracked.measures, self._controls, tracked.opacity, steady)
        return out

    def _filter_of(self, tracked: TrackedFace) -> EditFilter:
        return self._filters.get(tracked.number) or EditFilter(self._tracker.spec.edit_cutoff_hz)

    def _meant(self) -> list[TrackedFace]:
        """The faces to change."""
        if self._controls.faces == "all":
            return self.faces
        return self._chooser.meant(self.faces, lambda faces: first_choice(faces, self._controls.faces))
