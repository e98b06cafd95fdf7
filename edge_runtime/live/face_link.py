"""Live faces between an open camera and an open screen: capture, convert and show, each a step that a thread repeats.

Only the newest picture is ever worked on, so that what is seen is never late. Where converting takes longer than the
time between two pictures, leaving out every other one evenly looks calmer than dropping whichever comes at a bad
moment: that is what the governor does, before pictures drop by themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.devices.camera import Camera, Picture
from edge_runtime.devices.screen import Screen
from edge_runtime.live.commands import BYPASS, MUTE
from edge_runtime.live.crew import Crew
from edge_runtime.live.face_stats import FaceStats
from edge_runtime.live.governor import Governor, GovernorSpec
from edge_runtime.live.latest import Latest
from edge_runtime.media.recording import VideoRecording
from edge_runtime.system import resident_memory_mb

Image = NDArray[np.uint8]

_WAIT_S = 0.1
_SMOOTH = 0.1
_LONGEST_PERIOD_S = 1.0
_SPEC = GovernorSpec(high_load=0.9, low_load=0.4, down_after_s=0.5, smooth_s=0.5)
"""A picture more or less is less of a fault than a torn word, so there is less to be held back."""


class LiveFaces(Protocol):
    """What a link needs of `edge_runtime.face.stream.FaceStream`."""

    @property
    def faces(self) -> Sequence[object]:
        """Those of the last picture."""

    def process(self, frame: Image, time_s: float, /) -> Image:
        """The next picture (H, W, 3), changed."""

    def reset(self) -> None:
        """Begin another video."""


@dataclass(frozen=True)
class FaceRung:
    """A way to convert, at its cost."""

    name: str
    stream: LiveFaces
    every: int
    """Takes each ``every``-th picture of the camera."""


@dataclass
class FaceTotals:
    """What is counted over all connections of a session."""

    started_s: float
    left_out: int = 0
    dropped: int = 0
    connections: int = 0
    bypass: bool = False
    black: bool = False


def face_ladder(models: Sequence[tuple[str, LiveFaces]]) -> list[FaceRung]:
    """From the best to the cheapest: every other picture, then the smaller models, then ever fewer pictures."""
    rungs = [FaceRung(models[0][0], models[0][1], 1), FaceRung(f"{models[0][0]} 1/2", models[0][1], 2)]
    rungs += [FaceRung(f"{name} 1/2", stream, 2) for name, stream in models[1:]]
    name, stream = models[-1]
    return [*rungs, FaceRung(f"{name} 1/3", stream, 3), FaceRung(f"{name} 1/4", stream, 4)]


class FaceLink:
    """See `edge_runtime.live.supervisor.Link`."""

    def __init__(
        self,
        camera: Camera,
        screen: Screen,
        models: Sequence[tuple[str, LiveFaces]],
        totals: FaceTotals,
        recording: VideoRecording | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The screen outlives the link: a window need not vanish with a camera."""
        self.crew = Crew()
        self._camera, self._screen, self._totals, self._recording = camera, screen, totals, recording
        self._clock = clock
        self._rungs = face_ladder(models)
        self.governor = Governor(len(self._rungs), _SPEC)
        self.came: Latest[Picture] = Latest()
        self.made: Latest[Picture] = Latest()
        self._period_s = 1.0 / 30.0  # between two pictures of the camera
        self._last_s: float | None = None
        self._number = 0
        self._progress = 0
        self._looks = _Looks(clock())
        for _, stream in models:
            stream.reset()
        totals.connections += 1

    def start(self) -> None:
        """Begin to capture, convert and show."""
        self.crew.start("capture", self.capture)
        self.crew.start("convert", self.convert)
        if not self._screen.in_main_thread:
            self.crew.start("show", lambda: self.show(_WAIT_S))

    @property
    def progress(self) -> int:
        """Pictures converted."""
        return self._progress

    @property
    def may_pause(self) -> bool:
        """See `Link.may_pause`."""
        return self._camera.waits

    @property
    def rung(self) -> FaceRung:
        """The rung in use."""
        return self._rungs[self.governor.rung]

    def capture(self) -> bool:
        """Take one picture of the camera; False when it ended. Raises `DeviceError`."""
        if self._camera.waits and not self.came.wait_until_taken(_WAIT_S):
            return True
        picture = self._camera.read()
        if picture is None:
            self._drain()
            return False
        if self._last_s is not None:
            elapsed_s = min(picture.time_s - self._last_s, _LONGEST_PERIOD_S)
            self._period_s += _SMOOTH * (elapsed_s - self._period_s)
        self._last_s = picture.time_s
        self._looks.came += 1
        if self._recording is not None:
            self._recording.came.add(picture.pixels, picture.time_s)
        self._number += 1
        if self._number % self.rung.every == 0 or self._camera.waits:
            self.came.put(picture)
        else:
            self._totals.left_out += 1
        return True

    def convert(self) -> bool:
        """Convert the newest picture, if there is one."""
        picture = self.came.take(_WAIT_S)
        if picture is None:
            return True
        started_s = self._clock()
        pixels = self._changed(picture)
        now_s = self._clock()
        if self._camera.waits:
            self.made.wait_until_taken(_LONGEST_PERIOD_S)
        elif not self._totals.bypass and not self._totals.black:
            before = self.rung.stream
            self.governor.observe((now_s - started_s) / (self._period_s * self.rung.every), now_s)
            if self.rung.stream is not before:
                self.rung.stream.reset()
        self.made.put(Picture(pixels, picture.time_s))
        self._progress += 1
        return True

    def show(self, timeout_s: float) -> bool:
        """Show what was made, if there is something. Raises `DeviceError`."""
        picture = self.made.take(timeout_s)
        if picture is not None:
            if self._recording is not None:
                self._recording.went.add(picture.pixels, picture.time_s)
            self._screen.show(picture.pixels, picture.time_s)
            self._looks.shown(self._clock() - picture.time_s)
        return True

    def command(self, name: str) -> None:
        """Switch bypass or a black picture; it stays so over connections."""
        if name == BYPASS:
            self._totals.bypass = not self._totals.bypass
        elif name == MUTE:
            self._totals.black = not self._totals.black

    def idle(self, seconds: float) -> None:
        """Wait for the threads, or draw the window."""
        if not self._screen.in_main_thread:
            self.crew.stopping.wait(seconds)
            return
        until_s = self._clock() + seconds
        while self._clock() < until_s and not self.crew.stopping.is_set():
            self.show(0.01)
            self._screen.idle()

    def stats(self) -> FaceStats:
        """The figures of now."""
        totals = self._totals
        camera_hz, shown_hz, age_s = self._looks.take(self._clock())
        return FaceStats(
            time_s=round(self._clock() - totals.started_s, 2),
            mode="black" if totals.black else "bypass" if totals.bypass else "converting",
            rung=self.rung.name,
            load=round(self.governor.load, 3),
            camera_hz=round(camera_hz, 1),
            shown_hz=round(shown_hz, 1),
            age_ms=round(1000.0 * age_s, 1),
            faces=len(self.rung.stream.faces),
            left_out=totals.left_out,
            dropped=totals.dropped + self.came.dropped + self.made.dropped,
            steps_down=self.governor.steps_down,
            reconnects=totals.connections - 1,
            memory_mb=resident_memory_mb(),
        )

    def close(self) -> None:
        """Give the camera back."""
        self._totals.dropped += self.came.dropped + self.made.dropped
        self._camera.close()

    def _changed(self, picture: Picture) -> Image:
        if self._totals.black:
            return np.zeros_like(picture.pixels)
        if self._totals.bypass:
            return picture.pixels
        return self.rung.stream.process(picture.pixels, picture.time_s)

    def _drain(self) -> None:
        """Let the last pictures be shown before the threads are told to stop."""
        for place in (self.came, self.made):
            place.wait_until_taken(_LONGEST_PERIOD_S)
            self.crew.stopping.wait(_WAIT_S)
        self.crew.stopping.set()


class _Looks:
    """Rates and ages since the last look."""

    def __init__(self, now_s: float) -> None:
        self.came = 0
        self._count, self._age_s, self._since_s = 0, 0.0, now_s
        self._lock = threading.Lock()

    def shown(self, age_s: float) -> None:
        """A picture of that age was shown."""
        with self._lock:
            self._count += 1
            self._age_s += age_s

    def take(self, now_s: float) -> tuple[float, float, float]:
        """Pictures a second that came and that were shown, and their mean age."""
        with self._lock:
            elapsed_s = max(1e-3, now_s - self._since_s)
            looks = self.came / elapsed_s, self._count / elapsed_s, self._age_s / max(1, self._count)
            self.came, self._count, self._age_s, self._since_s = 0, 0, 0.0, now_s
        return looks
