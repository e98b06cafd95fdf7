"""Video files: frames out with their own times, frames in, and sound passed through as it is, by PyAV (FFmpeg).

PyAV and not OpenCV, because OpenCV drops the sound and the times of frames; it is imported here and nowhere else.
Frames are upright (the file's rotation is followed) uint8 RGB. Times are whole ticks of the source's own clock, so a
variable frame rate stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType, TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, MissingDependencyError, OutputError
from edge_runtime.files import Path, open_input, reason, shown

Image = NDArray[np.uint8]

MAXIMUM_BYTES = 64_000_000_000
MAXIMUM_PIXELS = 40_000_000
"""Of one frame."""
READ_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"})
"""What is taken from a folder."""
WRITE_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}

_ENCODERS = ("libx264", "libopenh264", "mpeg4")
_ENCODER_OPTIONS = {
    # No frames that refer forward: pieces can then be joined without touching their packets.
    "libx264": {"crf": "18", "preset": "veryfast", "bf": "0"},
    "mpeg4": {"qscale": "2", "bf": "0"},
}
_MISSING_SHARE = 0.05
"""A file whose index promises this share of frames more than come out is cut off."""
_KNOWN_MATRICES = (1, 5, 6)
"""BT.709 and both BT.601, as FFmpeg numbers colour matrices."""


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says about itself."""

    frames: int
    """As the file says or its length suggests; 0 when neither tells."""
    duration_s: float
    time_base: Fraction
    """Seconds of a tick."""
    rate: Fraction
    """Average frames a second."""


@dataclass(frozen=True)
class Frame:
    """One picture of a video."""

    pixels: Image
    """(H, W, 3) RGB, upright."""
    tick: int
    """When it is shown, in ticks of `VideoFacts.time_base`."""
    matrix: int
    """Colour matrix it was stored with, as FFmpeg numbers them; 0 when the file does not say."""


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError:
        raise MissingDependencyError('video needs the package av (PyAV): pip install "changeling[face]"') from None
    module: ModuleType = av
    return module


class VideoReader:
    """An open video file; use it in a ``with`` block."""

    def __init__(self, path: Path) -> None:
        """Raises `InputError` for what is no video or has no picture, `MissingDependencyError` without PyAV."""
        self._name = shown(path)
        self._av = _pyav()
        self._file, _ = open_input(path, max_bytes=MAXIMUM_BYTES)
        try:
            # a file object and not a name: FFmpeg would take some names for protocols
            self._container = self._av.open(self._file, metadata_errors="replace")
        except (self._av.FFmpegError, ValueError, OSError) as problem:
            self._file.close()
            raise InputError(f"{self._name} is no video, or is cut off ({_cause(problem)}); copy it again") from None
        try:
            self.facts = self._read_facts()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def comment(self) -> str:
        """The file's comment."""
        entries = {name.lower(): value for name, value in self._container.metadata.items()}  # Matroska's are capitals
        return str(entries.get("comment", ""))

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def frames(self, start_tick: int | None = None) -> Iterator[Frame]:
        """All frames, or those from ``start_tick`` on, in the order in which they are shown.

        Ticks increase from frame to frame, whatever the file says. Raises `InputError` where the file is damaged.
        """
        stream = self._stream
        last: int | None = None
        count = 0
        try:
            if start_tick is not None:
                self._container.seek(start_tick, stream=stream, backward=True)
            for decoded in self._container.decode(stream):
                tick = decoded.pts if decoded.pts is not None else self._guessed_tick(last)
                if last is not None and tick <= last:
                    tick = last + 1
                last = tick
                count += 1
                if start_tick is None or tick >= start_tick:
                    yield self._upright(decoded, tick)
        except (self._av.FFmpegError, OSError, ValueError) as problem:
            at = f" after {float((last or 0) * self.facts.time_base):.1f} s" if last is not None else ""
            raise InputError(f"{self._name} is damaged{at} ({_cause(problem)}); export it again") from None
        missing = int(stream.frames) - count
        if start_tick is None and missing > _MISSING_SHARE * stream.frames and missing > 2:
            raise InputError(
                f"{self._name} is cut off: {missing} of its {stream.frames} frames are missing; copy it again"
            )

    def _read_facts(self) -> VideoFacts:
        streams = self._container.streams.video
        if not streams:
            raise InputError(f"{self._name} holds no picture, or is cut off; name a whole video or a photo")
        self._stream = stream = streams[0]
        width, height = int(stream.codec_context.width), int(stream.codec_context.height)
        if width * height > MAXIMUM_PIXELS or width * height == 0:
            raise InputError(f"{self._name} has frames of {width} x {height} pixels, which is not read; scale it first")
        stream.thread_type = "AUTO"
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        base = Fraction(stream.time_base or Fraction(1, 90_000))
        ticks = stream.duration
        if ticks is not None:
            duration_s = float(ticks * base)
        else:
            duration_s = float(self._container.duration or 0) / float(self._av.time_base)
        return VideoFacts(int(stream.frames) or round(duration_s * rate), duration_s, base, rate)

    def _guessed_tick(self, last: int | None) -> int:
        step = max(1, round(1 / (self.facts.rate * self.facts.time_base)))
        return 0 if last is None else last + step

    def _upright(self, decoded: Any, tick: int) -> Frame:
        matrix = int(decoded.colorspace)
        options = {"src_colorspace": matrix} if matrix in _KNOWN_MATRICES else {}
        pixels = decoded.reformat(format="rgb24", **options).to_ndarray()
        quarters = round(int(decoded.rotation) / 90) % 4  # counter-clockwise, as np.rot90 turns
        return Frame(np.ascontiguousarray(np.rot90(pixels, quarters)), tick, matrix)


class PieceWriter:
    """Encodes consecutive frames into a piece of video without sound; use it in a ``with`` block."""

    def __init__(self, path: str, facts: VideoFacts, first: Frame, *, comment: str = "") -> None:
        """Frames are counted from the time of ``first``, which is not written by this; ``comment`` marks the file."""
        self._av = _pyav()
        self._facts = facts
        self._start_tick = first.tick
        self._container = self._av.open(path, "w", format="mp4")
        if comment:
            self._container.metadata["comment"] = comment
        self._stream = self._add_stream(first)

    def __enter__(self) -> PieceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()

    def write(self, pixels: Image, tick: int) -> None:
        """The next frame; one of another size than the first is scaled to it."""
        frame = self._av.VideoFrame.from_ndarray(_even(pixels), format="rgb24")
        matrix = self._matrix
        options = {"dst_colorspace": matrix} if matrix in _KNOWN_MATRICES else {}
        context = self._stream.codec_context
        frame = frame.reformat(width=context.width, height=context.height, format="yuv420p", **options)
        frame.pts = tick - self._start_tick
        frame.time_base = self._facts.time_base
        self._container.mux(self._stream.encode(frame))

    def _add_stream(self, first: Frame) -> Any:
        encoder = find_encoder()
        stream = self._container.add_stream(
            encoder, rate=_encodable_rate(self._facts.rate), options=dict(_ENCODER_OPTIONS.get(encoder, {}))
        )
        height, width = _even(first.pixels).shape[:2]
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = self._facts.time_base
        context.thread_type = "AUTO"
        self._matrix = first.matrix
        if first.matrix in _KNOWN_MATRICES:
            context.colorspace = first.matrix
        return stream


def _cause(problem: Exception) -> str:
    """FFmpeg's own words, without its error number."""
    return str(getattr(problem, "strerror", None) or reason(problem)).lower()


def find_encoder() -> str:
    """The best encoder that this PyAV has. Raises `MissingDependencyError`."""
    library = _pyav()
    for name in _ENCODERS:
        if name in library.codecs_available:
            return name
    raise MissingDependencyError("this PyAV can encode no video; install its wheel: pip install --force-reinstall av")


def join_pieces(
    target: str, file_format: str, pieces: list[tuple[str, int]], source: Path, facts: VideoFacts, comment: str
) -> None:
    """Write the pieces (file, tick of its first frame) as one video with the sound of ``source``, nothing re-encoded.

    Raises `OutputError` when the container cannot hold the sound.
    """
    library = _pyav()
    file, _ = open_input(source, max_bytes=MAXIMUM_BYTES)
    options = {"movflags": "+faststart"} if file_format in ("mp4", "mov") else {}
    with (
        file,
        library.open(file, metadata_errors="replace") as original,
        library.open(target, "w", format=file_format, container_options=options) as container,
    ):
        container.metadata["comment"] = comment
        with library.open(pieces[0][0]) as first:
            video = container.add_stream_from_template(first.streams.video[0])
        video.time_base = facts.time_base
        sounds = {}
        for stream in original.streams.audio:
            try:
                sounds[stream.index] = container.add_stream_from_template(stream)
            except (ValueError, library.FFmpegError):
                kind = stream.codec_context.name
                raise OutputError(f"a {file_format} file holds no {kind} sound; name OUT .mkv") from None
        _interleave(library, container, _pictures(library, pieces, facts, video), _sound(original, sounds))


def read_comment(path: Path) -> str:
    """The comment in a video file's metadata. Raises as `VideoReader` does."""
    with VideoReader(path) as reader:
        return reader.comment


def _pictures(library: ModuleType, pieces: list[tuple[str, int]], facts: VideoFacts, video: Any) -> Iterator[Any]:
    for name, start_tick in pieces:
        with library.open(name) as piece:
            stream = piece.streams.video[0]
            for packet in piece.demux(stream):
                if packet.dts is None or packet.pts is None:
                    continue
                ratio = Fraction(packet.time_base) / facts.time_base
                packet.pts = packet.dts = start_tick + round(packet.pts * ratio)
                packet.duration = round((packet.duration or 0) * ratio)
                packet.time_base = facts.time_base
                packet.stream = video
                yield packet


def _sound(original: Any, sounds: dict[int, Any]) -> Iterator[Any]:
    if not sounds:
        return
    for packet in original.demux(*original.streams.audio):
        # what a player drops before the beginning would make containers without edit lists move everything
        if packet.dts is not None and not packet.is_discard:
            packet.stream = sounds[packet.stream.index]
            yield packet


def _interleave(library: ModuleType, container: Any, *packets: Iterator[Any]) -> None:
    """Mux packets of several streams in the order of their times."""
    waiting = [(next(stream, None), stream) for stream in packets]
    while any(packet is not None for packet, _ in waiting):
        times = [math.inf if p is None else float(p.dts * p.time_base) for p, _ in waiting]
        first = times.index(min(times))
        packet, stream = waiting[first]
        container.mux(packet)
        waiting[first] = (next(stream, None), stream)


def _even(pixels: Image) -> Image:
    """One row or column more where their number is odd, which 4:2:0 colour cannot hold."""
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _encodable_rate(rate: Fraction) -> Fraction:
    return rate.limit_denominator(1001) if 1 <= rate <= 1000 else Fraction(25)
