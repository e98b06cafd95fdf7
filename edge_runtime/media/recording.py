"""Recordings of a live conversion: exactly what came in and what went out, beside each other in one folder.

Sound is kept as 16-bit WAV, pictures as H.264 (which is not exact, and as close as a video file is).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ChangelingError
from edge_runtime.files import make_folder
from edge_runtime.media.background import BackgroundFile
from edge_runtime.media.pcm import Samples, encode_pcm16
from edge_runtime.media.wav import wav_header
from edge_runtime.provenance import info_entries

_WAITING_BLOCKS = 3_000
"""Half a minute of blocks of 10 ms."""
_WAITING_FRAMES = 60
"""Two seconds, and 55 MB at 640 x 480."""
_MAXIMUM_FRAMES = 2_000_000_000
"""What a WAV's four bytes of length hold, nearly."""
_TICKS_A_SECOND = 1_000
_NOMINAL_RATE = 30


class WavRecorder:
    """One sound file that grows."""

    def __init__(self, path: Path, *, comment: str | None) -> None:
        """``comment`` marks a converted sound (see `edge_runtime.provenance`). Raises `OutputError`."""
        self._info = info_entries(comment) if comment else {}
        self._rate_hz = 0
        self._file: BackgroundFile[Samples] = BackgroundFile(path, self._fill, waiting=_WAITING_BLOCKS)

    @property
    def failure(self) -> ChangelingError | None:
        """See `BackgroundFile.failure`."""
        return self._file.failure

    def add(self, samples: Samples, rate_hz: int) -> None:
        """The next samples (n,)."""
        self._rate_hz = self._rate_hz or rate_hz
        if rate_hz != self._rate_hz:
            self._file.end_with("the device came back with another sample rate")
        self._file.add(samples.copy())

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _fill(self, name: str, blocks: Iterator[Samples]) -> None:
        with open(name, "xb") as file:
            file.write(wav_header(0, 1, self._rate_hz, self._info))
            frames = 0
            for samples in blocks:
                if frames + len(samples) > _MAXIMUM_FRAMES:
                    self._file.end_with("a WAV holds no more")
                    break
                file.write(encode_pcm16(samples))
                frames += len(samples)
            file.seek(0)
            file.write(wav_header(frames, 1, self._rate_hz, self._info))
            file.flush()
            os.fsync(file.fileno())


class VideoRecorder:
    """One video file that grows, each frame at its own time."""

    def __init__(self, path: Path, *, comment: str) -> None:
        """An empty ``comment`` marks nothing. Raises `OutputError`, and `MissingDependencyError` without PyAV."""
        from edge_runtime.media.video import find_encoder

        find_encoder()
        self._comment = comment
        self._file: BackgroundFile[tuple[NDArray[np.uint8], float]] = BackgroundFile(
            path, self._fill, waiting=_WAITING_FRAMES
        )

    @property
    def failure(self) -> ChangelingError | None:
        """See `BackgroundFile.failure`."""
        return self._file.failure

    def add(self, pixels: NDArray[np.uint8], time_s: float) -> None:
        """The next frame (H, W, 3), which nobody changes any more."""
        self._file.add((pixels, time_s))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _fill(self, name: str, frames: Iterator[tuple[NDArray[np.uint8], float]]) -> None:
        from edge_runtime.media.video import Frame, PieceWriter, VideoFacts

        facts = VideoFacts(0, 0.0, Fraction(1, _TICKS_A_SECOND), Fraction(_NOMINAL_RATE))
        pixels, start_s = next(frames)
        tick = 0
        with PieceWriter(name, facts, Frame(pixels, 0, 0), comment=self._comment) as writer:
            writer.write(pixels, 0)
            for pixels, time_s in frames:
                tick = max(tick + 1, round((time_s - start_s) * _TICKS_A_SECOND))
                writer.write(pixels, tick)


R = TypeVar("R", WavRecorder, VideoRecorder)


@dataclass(frozen=True)
class Recording(Generic[R]):
    """Two files that grow together."""

    came: R
    went: R

    def failures(self) -> list[ChangelingError]:
        """What went wrong with them."""
        return [failure for failure in (self.came.failure, self.went.failure) if failure is not None]


SoundRecording = Recording[WavRecorder]
VideoRecording = Recording[VideoRecorder]


@contextlib.contextmanager
def record_sound(folder: Path | None, comment: str) -> Iterator[SoundRecording | None]:
    """``in.wav`` and ``out.wav`` for the time of a block, or None without a folder; finished however the block ends.

    Raises `OutputError` when the folder cannot be made or holds such files already.
    """
    if folder is None:
        yield None
        return
    make_folder(folder)
    recording = Recording(
        WavRecorder(folder / "in.wav", comment=None), WavRecorder(folder / "out.wav", comment=comment)
    )
    with contextlib.closing(recording.came), contextlib.closing(recording.went):
        yield recording


@contextlib.contextmanager
def record_video(folder: Path | None, comment: str) -> Iterator[VideoRecording | None]:
    """``in.mp4`` and ``out.mp4``, as `record_sound` does."""
    if folder is None:
        yield None
        return
    make_folder(folder)
    came, went = VideoRecorder(folder / "in.mp4", comment=""), VideoRecorder(folder / "out.mp4", comment=comment)
    with contextlib.closing(came), contextlib.closing(went):
        yield Recording(came, went)
