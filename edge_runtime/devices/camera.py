"""Cameras by name, and what stands in for one: a video file at its own pace, or raw frames through a pipe.

Names: a number or ``/dev/videoN`` is a camera (OpenCV), ``-`` raw RGB frames on stdin, anything else a video file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DeviceError, InputError, MissingDependencyError
from edge_runtime.face.remap import opencv

Image = NDArray[np.uint8]

PIPE = "-"


@dataclass(frozen=True)
class Picture:
    """One frame of a camera."""

    pixels: Image
    """(H, W, 3) RGB, upright."""
    time_s: float
    """When it was taken, by a monotonic clock."""


@dataclass(frozen=True)
class CameraWish:
    """What is asked of a camera; it may give something else."""

    name: str
    width: int
    height: int
    rate_hz: float


class Camera(Protocol):
    """An open source of pictures."""

    @property
    def waits(self) -> bool:
        """Whether it waits to be read, as a pipe does, instead of dropping pictures."""

    def read(self) -> Picture | None:
        """The next picture, once it is there; None when the source has ended. Raises `DeviceError`."""

    def close(self) -> None:
        """Give the device back; may be called twice."""


def open_camera(wish: CameraWish) -> Camera:
    """Open it. Raises `DeviceError`, `InputError` for a file that is no video, or `MissingDependencyError`."""
    if wish.name == PIPE:
        return PipeCamera(wish.width, wish.height)
    if wish.name.isdigit() or wish.name.startswith("/dev/"):
        return OpenCvCamera(wish)
    return FileCamera(Path(wish.name))


class OpenCvCamera:
    """A camera of the system, through OpenCV."""

    waits = False

    def __init__(self, wish: CameraWish, *, clock: Callable[[], float] = time.monotonic) -> None:
        library = opencv()
        if library is None:
            raise MissingDependencyError('a camera needs the package OpenCV: pip install "changeling[face]"')
        self._library, self._clock, self._name = library, clock, wish.name
        number = wish.name.removeprefix("/dev/video")
        logging = library.utils.logging
        level = logging.getLogLevel()
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # it would warn in many lines of what the error below says in one
        try:
            self._capture: Any = library.VideoCapture(int(number) if number.isdigit() else wish.name)
        finally:
            logging.setLogLevel(level)
        if not self._capture.isOpened():
            self._capture.release()
            raise DeviceError(f"camera {wish.name} cannot be opened; `changeling doctor` lists what there is")
        self._capture.set(library.CAP_PROP_FRAME_WIDTH, wish.width)
        self._capture.set(library.CAP_PROP_FRAME_HEIGHT, wish.height)
        self._capture.set(library.CAP_PROP_FPS, wish.rate_hz)
        self._capture.set(library.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> Picture | None:
        """See `Camera.read`."""
        if self._capture is None:
            raise DeviceError(f"camera {self._name} is closed")
        there, pixels = self._capture.read()
        if not there:
            raise DeviceError(f"camera {self._name} went away; plug it in again")
        return Picture(np.asarray(self._library.cvtColor(pixels, self._library.COLOR_BGR2RGB), np.uint8), self._clock())

    def close(self) -> None:
        """See `Camera.close`."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class FileCamera:
    """A video file that plays at its own pace, as if a camera saw it; who reads late misses pictures."""

    waits = False

    def __init__(
        self, path: Path, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        from edge_runtime.media.video import VideoReader

        self._reader = VideoReader(path)
        self._frames = self._timed()
        self._clock, self._sleep = clock, sleep
        self._start_s: float | None = None

    def _timed(self) -> Iterator[tuple[Image, float]]:
        base = float(self._reader.facts.time_base)
        for frame in self._reader.frames():
            yield frame.pixels, frame.tick * base

    def read(self) -> Picture | None:
        """See `Camera.read`."""
        found = next(self._frames, None)
        if found is None:
            return None
        pixels, seconds = found
        now_s = self._clock()
        self._start_s = now_s - seconds if self._start_s is None else self._start_s
        due_s = self._start_s + seconds
        if due_s > now_s:
            self._sleep(due_s - now_s)
        return Picture(pixels, max(due_s, now_s))

    def close(self) -> None:
        """See `Camera.close`."""
        self._reader.close()


class PipeCamera:
    """Raw 8-bit RGB frames of one size through stdin, as ``ffmpeg -f rawvideo -pix_fmt rgb24 -`` writes them."""

    waits = True

    def __init__(
        self,
        width: int,
        height: int,
        source: BinaryIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if source is None and sys.stdin.isatty():
            raise InputError("`-` reads raw RGB frames from a pipe, and stdin is a terminal")
        self._shape = (height, width, 3)
        self._source = sys.stdin.buffer if source is None else source
        self._clock = clock

    def read(self) -> Picture | None:
        """See `Camera.read`; a frame that is cut off is left out."""
        count = int(np.prod(self._shape))
        data = self._source.read(count)
        if len(data) < count:
            return None
        return Picture(np.frombuffer(data, np.uint8).reshape(self._shape), self._clock())

    def close(self) -> None:
        """Nothing is held; stdin belongs to the process."""
