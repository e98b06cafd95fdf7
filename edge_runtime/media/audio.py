"""Recordings from and to files: `read_audio`, `to_mono`, `write_wav`.

What a file is decides its content, not its name. WAV needs NumPy alone; FLAC, OGG and MP3 need the extra ``audio``.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import BinaryIO

import numpy as np

from edge_runtime.errors import InputError, MissingDependencyError, OutputError
from edge_runtime.files import Path, open_input, reason, shown, write_atomic
from edge_runtime.media import pcm
from edge_runtime.media.pcm import Audio, Samples
from edge_runtime.media.wav import read_wav, wav_header
from edge_runtime.provenance import info_entries

__all__ = ["Audio", "read_audio", "to_mono", "write_wav"]

_BLOCK_FRAMES = 65_536

_FRONT, _CENTRE, _SURROUND, _LFE = 0.5**0.5, 1.0, 0.5, 0.0
_MONO_WEIGHTS: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (_FRONT, _FRONT, _CENTRE),
    4: (_FRONT, _FRONT, _SURROUND, _SURROUND),
    5: (_FRONT, _FRONT, _CENTRE, _SURROUND, _SURROUND),
    6: (_FRONT, _FRONT, _CENTRE, _LFE, _SURROUND, _SURROUND),
    7: (_FRONT, _FRONT, _CENTRE, _LFE, _SURROUND, _SURROUND, _SURROUND),
    8: (_FRONT, _FRONT, _CENTRE, _LFE, _SURROUND, _SURROUND, _SURROUND, _SURROUND),
}


def read_audio(path: Path, *, max_seconds: float) -> Audio:
    """Read a whole recording of at most ``max_seconds``.

    Raises `InputError` (in one line, for anything that cannot be read as sound) or `MissingDependencyError`.
    """
    name = shown(path)
    file, size_bytes = open_input(path, max_bytes=pcm.MAXIMUM_BYTES)
    with file:
        try:
            kind = _kind(file.read(12))
            if kind == "WAV":
                return read_wav(file, size_bytes, name, max_seconds=max_seconds)
            if kind:
                file.seek(0)
                return _read_compressed(file, kind, name, max_seconds)
        except OSError as problem:
            raise InputError(f"{name} cannot be read ({reason(problem)}); copy it to another disk first") from None
    raise InputError(f"{name} is not WAV, FLAC, OGG or MP3; convert it first, for example: ffmpeg -i IN OUT.wav")


def to_mono(samples: Samples) -> Samples:
    """Mix (N,) or (N, C) with 1 to 8 channels down to (N,); a single channel is returned as it is.

    Two channels are averaged. More use the weights of ITU-R BS.775 for one loudspeaker (front 0.71, centre 1,
    surround 0.5, LFE left out), divided by their sum so that nothing can clip. Channels come in the order of WAVE; 3 to
    5 are taken as L R C, L R BL BR and L R C BL BR. Raises `InputError` for another number of channels.
    """
    if samples.ndim == 1:
        return samples
    channels = samples.shape[1] if samples.ndim == 2 else 0
    if channels not in _MONO_WEIGHTS:
        raise InputError(f"samples of shape {samples.shape} cannot be mixed to mono; give (n,) or (n, 1 to 8)")
    if channels == 1:
        return samples[:, 0]
    weights = np.array(_MONO_WEIGHTS[channels])
    mono: Samples = samples @ (weights / weights.sum()).astype(np.float32)
    return mono


def write_wav(path: Path, samples: Samples, sample_rate_hz: int, *, comment: str) -> None:
    """Write (N,) or (N, C) as 16-bit PCM: rounded to the nearest without dither, clipped to full scale.

    ``comment`` goes into the file's metadata (`edge_runtime.provenance.conversion_comment` makes it). The file appears
    whole or not at all. Raises `OutputError`.
    """
    name = shown(path)
    block = samples[:, None] if samples.ndim == 1 else samples
    if block.ndim != 2 or not block.size or not np.isfinite(block).all():
        raise OutputError(f"{name} is not written: the result has no samples, or some that are NaN; report this fault")
    try:
        header = wav_header(block.shape[0], block.shape[1], sample_rate_hz, info_entries(comment))
    except ValueError as problem:
        raise OutputError(f"{name} is not written: {problem}; convert shorter pieces") from None

    def parts() -> Iterator[bytes]:
        yield header
        for start in range(0, len(block), _BLOCK_FRAMES):
            yield pcm.encode_pcm16(block[start : start + _BLOCK_FRAMES])

    write_atomic(path, parts())


def _kind(head: bytes) -> str:
    """The format that a file's first bytes show, or nothing."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX", b"FFIR"):
        return "WAV"
    if head[:4] == b"fLaC":
        return "FLAC"
    if head[:4] == b"OggS":
        return "OGG"
    is_mpeg_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return "MP3" if head[:3] == b"ID3" or is_mpeg_frame else ""


def _soundfile(kind: str, name: str) -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the package is there and its C library is not
        raise MissingDependencyError(
            f'{name} is {kind}, which needs the package soundfile: pip install "changeling[audio]"'
        ) from None
    module: ModuleType = soundfile
    return module


def _read_compressed(file: BinaryIO, kind: str, name: str, max_seconds: float) -> Audio:
    library = _soundfile(kind, name)
    try:
        with library.SoundFile(file) as sound:
            rate_hz, channels = int(sound.samplerate), int(sound.channels)
            pcm.check_layout(channels, rate_hz, name)
            blocks: list[Samples] = []
            frames = 0
            # headers lie about the length (variable bit rates, broken streams), so what counts is what comes out
            while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                frames += len(block)
                pcm.check_length(frames, channels, rate_hz, max_seconds, name)
                blocks.append(block)
    except (library.SoundFileError, ValueError, TypeError) as problem:
        raise InputError(f"{name} is damaged or not really {kind} ({reason(problem)}); export it again") from None
    except MemoryError:
        raise InputError(f"{name} does not fit into memory; cut it into shorter pieces") from None
    pcm.check_length(frames, channels, rate_hz, max_seconds, name)
    return pcm.accept(np.concatenate(blocks), rate_hz, name)
