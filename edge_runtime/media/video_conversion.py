"""A whole video through a frame function, in pieces that survive an interruption.

While it runs, a folder ``.OUT.changeling`` beside the output holds what is done: ``state.json`` and pieces of some
seconds each, which appear whole or not at all. The same conversion started again goes on after the last whole piece;
anything else about it (another source, model or wish) starts afresh. At the end the pieces are joined without being
encoded again, the source's sound is put beside them, the output appears in one step, and the folder goes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, ModelFileError, OutputError
from edge_runtime.files import atomic_path, reason, remedy, shown, write_atomic
from edge_runtime.media.video import WRITE_FORMATS, Frame, PieceWriter, VideoReader, find_encoder, join_pieces
from edge_runtime.strict_json import canonical, from_dict

PIECE_S = 8.0
"""Length of a piece; at most this much work is lost."""
WARM_UP_S = 1.0
"""How much before the point of resumption is looked at again, so that the filters have settled."""
_STATE = "state.json"
_HEAD_BYTES = 1_000_000


class FrameStream(Protocol):
    """What turns the frames of a video."""

    @property
    def faces(self) -> Sequence[object]:
        """What was found in the last frame."""

    def process(self, frame: NDArray[np.uint8], time_s: float) -> NDArray[np.uint8]:
        """The next frame (H, W, 3), changed."""


@dataclass(frozen=True)
class Piece:
    """One finished piece."""

    file: str
    first_tick: int
    last_tick: int
    frames: int
    frames_with_faces: int


@dataclass(frozen=True)
class State:
    """Everything of a conversion that is done."""

    key: str
    """SHA-256 of what is converted and how."""
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class VideoResult:
    """What was done."""

    frames: int
    frames_with_faces: int
    resumed_frames: int
    """Of the frames, those that an interrupted conversion had left."""


def convert_video(
    source: Path,
    target: Path,
    stream: FrameStream,
    *,
    recipe: str,
    comment: str,
    progress: Callable[[float], None] | None = None,
) -> VideoResult:
    """Convert ``source`` to ``target``; the sound is copied.

    ``recipe`` says what makes the frames what they become (model and wishes): only a conversion with the same one is
    resumed. Raises `InputError` for what is no whole video or shows no face, `OutputError`.
    """
    file_format = WRITE_FORMATS.get(target.suffix.lower())
    if file_format is None:
        raise OutputError(f"a video is written as {', '.join(WRITE_FORMATS)}: {shown(target)} must end so")
    folder = target.with_name(f".{target.name}.changeling")
    key = _key(source, recipe)
    try:
        state = _begin(folder, key)
        resumed = sum(piece.frames for piece in state.pieces)
        with VideoReader(source) as reader:
            facts = reader.facts
            state = _make_pieces(reader, folder, state, stream, progress)
        if not state.pieces:
            raise InputError(f"{shown(source)} has no frames; export it again")
        result = VideoResult(
            sum(piece.frames for piece in state.pieces),
            sum(piece.frames_with_faces for piece in state.pieces),
            resumed,
        )
        if not result.frames_with_faces:
            raise InputError(f"{shown(source)} shows no face that can be found; nothing was written")
        with atomic_path(target) as temporary:
            pieces = [(str(folder / piece.file), piece.first_tick) for piece in state.pieces]
            join_pieces(temporary, file_format, pieces, source, facts, comment)
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)  # it will not go better next time
        raise
    except OSError as problem:
        raise OutputError(f"{shown(target)} cannot be written ({reason(problem)}); {remedy(problem)}") from None
    shutil.rmtree(folder, ignore_errors=True)
    return result


def _key(source: Path, recipe: str) -> str:
    try:
        status = source.stat()
        with source.open("rb") as file:
            head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
    except OSError as problem:
        raise InputError(f"{shown(source)} cannot be read ({reason(problem)}); check the path") from None
    text = canonical([recipe, find_encoder(), status.st_size, status.st_mtime_ns, head])
    return hashlib.sha256(text.encode()).hexdigest()


def _begin(folder: Path, key: str) -> State:
    """What an earlier run with the same key has left, or an empty folder."""
    with contextlib.suppress(OSError, ValueError, ModelFileError):
        state = from_dict(State, json.loads((folder / _STATE).read_text()))
        if state.key == key and all((folder / Path(piece.file).name).is_file() for piece in state.pieces):
            return state
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return State(key, ())


def _make_pieces(
    reader: VideoReader,
    folder: Path,
    state: State,
    stream: FrameStream,
    progress: Callable[[float], None] | None,
) -> State:
    """Encode what is not done yet, piece by piece."""
    facts = reader.facts
    resumed = done = sum(piece.frames for piece in state.pieces)
    last_tick = state.pieces[-1].last_tick if state.pieces else None
    warm_up = round(WARM_UP_S / facts.time_base)
    frames = reader.frames(None if last_tick is None else last_tick - warm_up)
    batch = _Batch(folder, state, reader)
    try:
        for frame in frames:
            changed = stream.process(frame.pixels, float(frame.tick * facts.time_base))
            if last_tick is not None and frame.tick <= last_tick:
                continue
            batch.add(frame, changed, bool(stream.faces))
            done += 1
            if progress is not None and facts.frames > resumed:  # of what is left, or the estimate would be too bright
                progress(min((done - resumed) / (facts.frames - resumed), 1.0))
        batch.finish()
    finally:
        batch.abandon()
    return batch.state


class _Batch:
    """The piece that is being written, and the state with all whole ones."""

    def __init__(self, folder: Path, state: State, reader: VideoReader) -> None:
        self.state = state
        self._folder = folder
        self._facts = reader.facts
        self._writer: PieceWriter | None = None
        self._piece = Piece("", 0, 0, 0, 0)

    def add(self, frame: Frame, pixels: NDArray[np.uint8], with_face: bool) -> None:
        """Write a frame, into a new piece when the old one is long enough."""
        long = (frame.tick - self._piece.first_tick) * self._facts.time_base >= PIECE_S
        if self._writer is not None and long:
            self.finish()
        if self._writer is None:
            self._piece = Piece(f"{len(self.state.pieces):05d}.mp4", frame.tick, frame.tick, 0, 0)
            self._writer = PieceWriter(str(self._unfinished), self._facts, frame)
        self._writer.write(pixels, frame.tick)
        self._piece = dataclasses.replace(
            self._piece,
            last_tick=frame.tick,
            frames=self._piece.frames + 1,
            frames_with_faces=self._piece.frames_with_faces + with_face,
        )

    def finish(self) -> None:
        """Close the piece and note it."""
        if self._writer is None:
            return
        with self._writer:
            self._writer = None
        os.replace(self._unfinished, self._folder / self._piece.file)
        self.state = State(self.state.key, (*self.state.pieces, self._piece))
        write_atomic(self._folder / _STATE, [canonical(dataclasses.asdict(self.state)).encode()])

    def abandon(self) -> None:
        """Close a piece that was not finished; the next run makes it again."""
        if self._writer is not None:
            with contextlib.suppress(Exception), self._writer:
                self._writer = None
            with contextlib.suppress(OSError):
                os.remove(self._unfinished)

    @property
    def _unfinished(self) -> Path:
        return self._folder / "unfinished.mp4"
