"""The swapped faces of a video, frame by frame: followed, stilled, and what happens when one is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.choice import Chooser, first_choice
from edge_runtime.face.follow import Follower, Following
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import Box, FloatArray, align, crop_box
from edge_runtime.face.landmarks import Face
from edge_runtime.face.smoothing import EditFilter, LowPassFilter, PictureFilter
from edge_runtime.face.swap_compose import hide
from edge_runtime.face.swap_controls import SwapControls
from edge_runtime.face.track import TrackedFace, Tracker
from edge_runtime.swap_contract import LostSpec, SwapManifest

Image = NDArray[np.uint8]
BLUR = "blur"


class Steady(Protocol):
    """What stills one face of a video at one moment."""

    def painted(
        self, rgb: FloatArray, mask: FloatArray, curves: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Painted face (S, S, 3), mask (S, S, 1) and colour curves, stilled."""

    def change(self, before: FloatArray | None, after: FloatArray | None) -> FloatArray:
        """(U,) what its expression lacks, stilled; see `edge_runtime.face.follow.Following`."""

    def edit(self, edit: Edit) -> Edit:
        """How that is given back, stilled."""


_STILL, _MOVING = 0.02, 0.12
"""Changes of a painted pixel from one frame to the next, 0..1: below, it is the picture's noise; above, the face."""


class FaceSwapper(Protocol):
    """What a stream needs of a converter."""

    def swap_face(
        self,
        image: Image,
        face: Face,
        controls: SwapControls,
        opacity: float = 1.0,
        steady: Steady | None = None,
    ) -> None:
        """Swap one face of ``image`` in place; ``steady`` stills what is painted of it."""

    def choose(self, image: Image, faces: list[Face], controls: SwapControls) -> list[Face]:
        """The faces that are meant."""

    @property
    def follower(self) -> Follower | None:
        """What gives faces the expression that they have lost, where something can."""


class SwapStream:
    """Converts the frames of one video in their order."""

    def __init__(self, swapper: FaceSwapper, tracker: Tracker, controls: SwapControls, manifest: SwapManifest) -> None:
        self._swapper, self._tracker, self._controls, self._manifest = swapper, tracker, controls, manifest
        self.faces: list[TrackedFace] = []
        """The faces of the last frame, all of them."""
        self.reset()

    def reset(self) -> None:
        """Begin another video."""
        self._tracker.reset()
        self._chooser = Chooser()
        self._filters: dict[int, SwapFilter] = {}
        self._seen: dict[int, _Lost] = {}
        self._lost: list[_Lost] = []
        self._known = -1
        self.faces = []

    def process(self, frame: Image, time_s: float) -> Image:
        """The next frame (H, W, 3), uint8 RGB, with its faces swapped; a new array of the same shape.

        A face that is lost is swapped for a moment more where it was. After that it shows as it is (``pass``), or what
        it may have moved to is blurred until a face is found there (``blur``).
        """
        self.faces = self._tracker.update(frame, time_s)
        meant = self._meant(frame)
        self._filters = {one.number: self._filters.get(one.number) or self._filter() for one in meant}
        out = frame.copy()
        hides = self._controls.on_lost == BLUR
        for tracked in meant:
            steady = self._filters[tracked.number].at(time_s)
            # a fading swap would show the very face that is to be hidden
            self._swapper.swap_face(out, tracked.steady, self._controls, 1.0 if hides else tracked.opacity, steady)
        if hides:
            self._hide(out, meant, time_s)
        return out

    def _filter(self) -> SwapFilter:
        follower, manifest = self._swapper.follower, self._manifest
        following = None if follower is None else follower.begin()
        return SwapFilter(manifest.track.edit_cutoff_hz, manifest.colour.cutoff_hz, following)

    def _meant(self, frame: Image) -> list[TrackedFace]:
        if self._controls.faces == "all" and not self._controls.alike:
            return self.faces
        return self._chooser.meant(self.faces, lambda faces: self._first(frame, faces))

    def _first(self, frame: Image, faces: Sequence[TrackedFace]) -> TrackedFace | None:
        if not self._controls.alike:
            return first_choice(faces, self._controls.faces)
        alike = self._swapper.choose(frame, [tracked.face for tracked in faces], self._controls)
        return next((tracked for tracked in faces if alike and tracked.face is alike[0]), None)

    def _hide(self, out: Image, meant: list[TrackedFace], time_s: float) -> None:
        """Blur where faces were lost, until another one is found there."""
        fresh = [tracked for tracked in self.faces if tracked.number > self._known]
        self._known = max((tracked.number for tracked in self.faces), default=self._known)
        numbers = {tracked.number for tracked in meant}
        self._lost += [seen for number, seen in self._seen.items() if number not in numbers]
        self._seen = {
            one.number: self._seen[one.number] if one.opacity < 1.0 and one.number in self._seen
            else _Lost(crop_box(align(one.face.five, self._manifest.crop), self._manifest.crop.size_px), time_s)
            for one in meant
        }  # fmt: skip
        spec = self._manifest.lost
        self._lost = [one for one in self._lost if not any(one.holds(new.face, time_s, spec) for new in fresh)]
        for one in self._lost:
            hide(out, one.box_at(time_s, spec), spec.cells)


class SwapFilter:
    """Stills one face of a video: what is painted, in the face's own crop, and what is lacking of its expression."""

    def __init__(self, cutoff_hz: float, colour_cutoff_hz: float, following: Following | None) -> None:
        self._paint = PictureFilter(cutoff_hz, _STILL, _MOVING)
        self._mask = LowPassFilter(cutoff_hz)
        # a flicker of a face's light would be one of the whole face
        self._curves = LowPassFilter(colour_cutoff_hz)
        self._following = following
        self._edit = EditFilter(cutoff_hz)
        self._time_s = 0.0

    def at(self, time_s: float) -> SwapFilter:
        """The same filter, for what is seen at a moment."""
        self._time_s = time_s
        return self

    def painted(
        self, rgb: FloatArray, mask: FloatArray, curves: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """See `Steady.painted`."""
        time_s = self._time_s
        return self._paint(rgb, time_s), self._mask(mask, time_s), self._curves(curves, time_s)

    def change(self, before: FloatArray | None, after: FloatArray | None) -> FloatArray:
        """See `Steady.change`. Only where there is a follower."""
        assert self._following is not None
        return self._following(before, after, self._time_s)

    def edit(self, edit: Edit) -> Edit:
        """See `Steady.edit`."""
        return self._edit(edit, self._time_s)


@dataclass(frozen=True)
class _Lost:
    """Where a face was seen last, and when."""

    box: Box
    time_s: float

    def box_at(self, time_s: float, spec: LostSpec) -> Box:
        """Where it may be by now."""
        height, width = self.box.shape
        more = round(spec.growth_per_s * max(0.0, time_s - self.time_s) * max(height, width) / 2.0)
        box = self.box
        return Box(box.left - more, box.top - more, box.right + more, box.bottom + more)

    def holds(self, face: Face, time_s: float, spec: LostSpec) -> bool:
        """Whether a face that has been found is where this one may be."""
        x, y = face.five.mean(axis=0)
        box = self.box_at(time_s, spec)
        return bool(box.left <= x < box.right and box.top <= y < box.bottom)
