"""Recordings of a live conversion: exactly what the microphone gave and what the speaker got, as 16-bit WAV.

A thread of its own writes, so that a slow card delays nobody; a card that cannot keep up ends the recording, and says
so, and never drops from its middle.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edge_runtime.errors import OutputError
from edge_runtime.files import atomic_path, make_folder, reason, shown
from edge_runtime.media.pcm import Samples, encode_pcm16
from edge_runtime.media.wav import wav_header
from edge_runtime.provenance import info_entries

_WAITING_BLOCKS = 3_000
"""Half a minute of blocks of 10 ms."""
_MAXIMUM_FRAMES = 2_000_000_000
"""What a WAV's four bytes of length hold, nearly."""


class WavRecorder:
    """One file that grows; `close` gives it its name. Nothing lies under the name before."""

    def __init__(self, path: Path, *, comment: str | None) -> None:
        """``comment`` marks a converted sound (see `edge_runtime.provenance`). Raises `OutputError`."""
        if path.exists():
            raise OutputError(f"{shown(path)} is there already; choose another folder for the recording")
        self._path = path
        self._info = info_entries(comment) if comment else {}
        self._blocks: queue.Queue[Samples | None] = queue.Queue(_WAITING_BLOCKS)
        self._rate_hz = 0
        self._thread: threading.Thread | None = None
        self.failure: OutputError | None = None

    def add(self, samples: Samples, rate_hz: int) -> None:
        """The next samples (n,); a recording that failed takes no more, and `failure` says why."""
        if self.failure is not None:
            return
        if self._thread is None:
            self._rate_hz = rate_hz
            self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
            self._thread.start()
        try:
            if rate_hz != self._rate_hz:
                raise OutputError(f"{shown(self._path)} ends here: the device came back with another sample rate")
            self._blocks.put_nowait(samples.copy())
        except queue.Full:
            self.failure = OutputError(f"{shown(self._path)} ends here: the disk cannot keep up")
        except OutputError as error:
            self.failure = error

    def close(self) -> None:
        """Write what waits and finish the file."""
        if self._thread is not None:
            self._blocks.put(None)
            self._thread.join()
            self._thread = None

    def _write(self) -> None:
        try:
            with atomic_path(self._path) as temporary, open(temporary, "xb") as file:
                self._fill(file)
        except OutputError as error:
            self.failure = error
            while self._blocks.get() is not None:  # `close` must not wait for a queue that nobody empties
                pass

    def _fill(self, file: BinaryIO) -> None:
        file.write(wav_header(0, 1, self._rate_hz, self._info))
        frames = 0
        failed: OSError | None = None
        while (samples := self._blocks.get()) is not None:
            if failed is not None or frames + len(samples) > _MAXIMUM_FRAMES:
                continue
            try:
                file.write(encode_pcm16(samples))
                frames += len(samples)
            except OSError as problem:  # what is written already is worth keeping
                failed = problem
                self.failure = OutputError(f"{shown(self._path)} ends here ({reason(problem)}); free some space")
        file.flush()
        file.seek(0)
        file.write(wav_header(frames, 1, self._rate_hz, self._info))
        file.flush()
        os.fsync(file.fileno())


class LiveRecording:
    """``in.wav`` and ``out.wav`` in one folder."""

    def __init__(self, folder: Path, comment: str) -> None:
        """Raises `OutputError` when the folder cannot be made or holds such files already."""
        make_folder(folder)
        self.heard = WavRecorder(folder / "in.wav", comment=None)
        self.spoken = WavRecorder(folder / "out.wav", comment=comment)

    def failures(self) -> list[OutputError]:
        """What went wrong so far."""
        return [part.failure for part in (self.heard, self.spoken) if part.failure is not None]

    def close(self) -> None:
        """Finish both files."""
        self.heard.close()
        self.spoken.close()


@contextlib.contextmanager
def recording_to(folder: Path | None, comment: str) -> Iterator[LiveRecording | None]:
    """A recording for the time of a block, or None without a folder; it is finished however the block ends."""
    if folder is None:
        yield None
        return
    recording = LiveRecording(folder, comment)
    try:
        yield recording
    finally:
        recording.close()
