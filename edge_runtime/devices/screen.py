"""Where changed pictures go, by name.

``window`` (OpenCV with windows), ``http:PORT`` (a browser on this machine), ``/dev/videoN`` (a virtual camera of
v4l2loopback), a video file, ``-`` (raw RGB frames on stdout), ``none``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ControlError, DeviceError, MissingDependencyError
from edge_runtime.face.remap import opencv
from edge_runtime.media.recording import VideoRecorder

Image = NDArray[np.uint8]

WINDOW, PIPE, NOWHERE = "window", "-", "none"
_HTTP = "http:"
_TITLE = "Changeling"


class Screen(Protocol):
    """An open sink of pictures."""

    @property
    def in_main_thread(self) -> bool:
        """Whether `show` and `idle` must be called there, as windows demand."""

    def show(self, pixels: Image, time_s: float) -> None:
        """Show a picture (H, W, 3) that was taken at ``time_s``. Raises `DeviceError` when it cannot any more."""

    def idle(self) -> None:
        """Let it do its own work for a moment."""

    def close(self) -> None:
        """Finish; may be called twice."""


def open_screen(name: str, comment: str) -> Screen:
    """Open it; ``comment`` marks a file. Raises `DeviceError`, `OutputError`, `MissingDependencyError`."""
    if name == WINDOW:
        return Window()
    if name == PIPE:
        return PipeScreen()
    if name == NOWHERE:
        return Nowhere()
    if name.startswith(_HTTP):
        from edge_runtime.devices.mjpeg import MjpegScreen

        return MjpegScreen(_port(name.removeprefix(_HTTP)))
    if name.startswith("/dev/"):
        from edge_runtime.devices.v4l2 import LoopbackCamera

        return LoopbackCamera(name)
    return FileScreen(VideoRecorder(_video_path(name), comment=comment))


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ControlError(f"http:{text} is not http:PORT, for instance http:8080")
    return int(text)


def _video_path(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() not in (".mp4", ".m4v"):
        raise ControlError(f"{name} is no output; say window, http:PORT, /dev/videoN, a file named .mp4, - or none")
    return path


class Nowhere:
    """For measuring."""

    in_main_thread = False

    def show(self, pixels: Image, time_s: float) -> None:
        """Nothing."""

    def idle(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class FileScreen(Nowhere):
    """A video file."""

    def __init__(self, recorder: VideoRecorder) -> None:
        self._recorder = recorder

    def show(self, pixels: Image, time_s: float) -> None:
        """See `Screen.show`."""
        self._recorder.add(pixels, time_s)
        if self._recorder.failure is not None:
            raise self._recorder.failure

    def close(self) -> None:
        """See `Screen.close`."""
        self._recorder.close()


class PipeScreen(Nowhere):
    """Raw RGB frames through stdout."""

    def __init__(self, sink: BinaryIO | None = None) -> None:
        self._sink = sys.stdout.buffer if sink is None else sink

    def show(self, pixels: Image, time_s: float) -> None:
        """See `Screen.show`. A reader that went away is a `BrokenPipeError`."""
        self._sink.write(np.ascontiguousarray(pixels).data)
        self._sink.flush()


class Window(Nowhere):
    """A window of OpenCV."""

    in_main_thread = True

    def __init__(self) -> None:
        library = opencv()
        if library is None:
            raise MissingDependencyError("a window needs OpenCV: pip install opencv-python; or use --output http:8080")
        self._library = library
        self._open = False
        try:
            library.namedWindow(_TITLE, library.WINDOW_NORMAL)
        except library.error:
            raise MissingDependencyError(
                "this OpenCV shows no windows: pip uninstall opencv-python-headless and pip install opencv-python, "
                "on a screen; or use --output http:8080"
            ) from None
        self._open = True

    def show(self, pixels: Image, time_s: float) -> None:
        """See `Screen.show`."""
        self._library.imshow(_TITLE, self._library.cvtColor(pixels, self._library.COLOR_RGB2BGR))

    def idle(self) -> None:
        """See `Screen.idle`."""
        self._library.waitKey(1)
        if self._open and self._library.getWindowProperty(_TITLE, self._library.WND_PROP_VISIBLE) < 0:
            raise DeviceError("the window was closed")

    def close(self) -> None:
        """See `Screen.close`."""
        if self._open:
            self._open = False
            self._library.destroyWindow(_TITLE)
