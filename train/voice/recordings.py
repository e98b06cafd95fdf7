"""One recording at a time: read, find speech, cut, level, write, and tell what was kept and what was not.

Work is remembered per recording, under the SHA-256 of its bytes and of the settings: a recording whose little file in
``DATA/sources`` exists is finished, whatever happened to the rest.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import from_dict
from edge_runtime.errors import InputError, ModelFileError, WorkstationError
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.media.resample import resample
from train.records import write_json
from train.voice.clips import (
    Activity,
    CutSpec,
    Samples,
    bandwidth_hz,
    clipped_mask,
    find_activity,
    find_clips,
    level,
)
from train.voice.dataset import HOP_LENGTH, SAMPLE_RATE_HZ, read_json, write_clip

COLLECT_VERSION: Final = 1
"""Bumped on any change of what the same recording and settings give."""
SUFFIXES: Final = (".wav", ".wave", ".flac", ".mp3", ".ogg", ".oga", ".opus")
"""Files looked at in a folder; what they really are is decided by their content."""
_UNREAD_SUFFIXES: Final = (".m4a", ".aac", ".wma", ".aif", ".aiff", ".mp4", ".mkv", ".amr")
_LONGEST_S: Final = 4 * 3600.0
_SOURCES_FOLDER: Final = "sources"


@dataclass(frozen=True)
class ClipFacts:
    """A clip that was kept, and how it sounded before it was levelled."""

    file: str
    """Path relative to the dataset folder."""
    start_s: float
    """Where it begins in its recording."""
    seconds: float
    speech_dbfs: float
    """Level of active speech in the recording."""
    snr_db: float
    clipped: float
    """Share of its 10 ms hops that hold clipped samples, 0 to 1."""
    bandwidth_hz: float


@dataclass(frozen=True)
class LeftOut:
    """Something that was not kept, and why."""

    source: str
    start_s: float
    seconds: float
    """0 where it is not known."""
    reason: str
    """"too short", "silent", "clipped", "too noisy", "duplicate" or "unreadable"."""
    detail: str


@dataclass(frozen=True)
class RecordingResult:
    """What became of one recording."""

    source: str
    sha256: str
    seconds: float
    sample_rate_hz: int
    channels: int
    noise_dbfs: float
    clips: tuple[ClipFacts, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def kept_s(self) -> float:
        """Seconds in clips."""
        return sum(clip.seconds for clip in self.clips)


@dataclass(frozen=True)
class _Source:
    """A decoded recording on its way to clips."""

    name: str
    sha256: str
    mono: Samples
    """(n,) at 16 kHz."""
    clipped: NDArray[np.bool_]
    """(frames,), whether the hop holds clipped samples."""
    activity: Activity


def find_recordings(sources: Sequence[Path], out: Path) -> tuple[list[Path], list[LeftOut]]:
    """The recordings among files and folders (searched recursively), sorted, each once; hidden files do not count.

    Also returns sound files of formats that are not read, so that nobody wonders where they went. The dataset folder
    itself is not searched. Raises `InputError` when a source does not exist or nothing is found.
    """
    found: dict[Path, None] = {}
    unread: list[LeftOut] = []
    for source in sources:
        if not source.exists():
            raise InputError(f"{source} does not exist; name a folder of recordings, or recordings")
        if source.resolve().is_relative_to(out.resolve()):
            raise InputError(f"{source} lies in the dataset folder {out}; choose another folder for the dataset")
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            inside = source.is_dir()
            hidden = inside and any(part.startswith(".") for part in path.relative_to(source).parts)
            if hidden or not path.is_file() or path.resolve().is_relative_to(out.resolve()):
                continue
            suffix = path.suffix.lower()
            if not inside or suffix in SUFFIXES:
                found.setdefault(path.resolve())
            elif suffix in _UNREAD_SUFFIXES:
                unread.append(LeftOut(path.name, 0.0, 0.0, "unreadable", f"{suffix} is not read; convert it to WAV"))
    if not found and not unread:
        raise InputError(f"no WAV, FLAC, MP3 or OGG in {', '.join(map(str, sources))}; name a folder of recordings")
    return list(found), unread


def settings_key(spec: CutSpec) -> str:
    """Short hash of everything but the recording that decides what comes out."""
    settings = {"version": COLLECT_VERSION, **dataclasses.asdict(spec)}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def finished(out: Path, sha256: str, key: str) -> RecordingResult | None:
    """The result of an earlier run, when it is whole: readable, and all its clips there."""
    path = _result_path(out, sha256, key)
    if not path.is_file():
        return None
    try:
        result = from_dict(RecordingResult, read_json(path))
    except (ModelFileError, WorkstationError):
        return None
    return result if all((out / clip.file).is_file() for clip in result.clips) else None


def process(path: Path, sha256: str, out: Path, spec: CutSpec) -> RecordingResult:
    """Cut one recording into clips in ``out/clips`` and write its result, last of all.

    Raises `InputError` when it cannot be read and `OutputError` when ``out`` cannot be written.
    """
    audio = read_audio(path, max_seconds=_LONGEST_S)
    mono = resample(to_mono(audio.samples), audio.sample_rate_hz, SAMPLE_RATE_HZ)
    clipped = _clipped_hops(clipped_mask(audio.samples), audio.sample_rate_hz, len(mono) // HOP_LENGTH)
    source = _Source(path.name, sha256, mono - mono.mean(dtype=np.float32), clipped, find_activity(mono))
    key = settings_key(spec)
    clips, left_out = _cut(source, out, key, spec)
    result = RecordingResult(
        source=path.name,
        sha256=sha256,
        seconds=audio.seconds,
        sample_rate_hz=audio.sample_rate_hz,
        channels=audio.samples.shape[1],
        noise_dbfs=source.activity.noise_dbfs,
        clips=tuple(clips),
        left_out=tuple(left_out),
    )
    write_json(_result_path(out, sha256, key), dataclasses.asdict(result))
    return result


def forget_others(out: Path, keep: Sequence[RecordingResult], key: str) -> None:
    """Delete results and clips of earlier runs that are not part of this dataset; files of anybody else stay."""
    kept_paths = {_result_path(out, result.sha256, key) for result in keep}
    kept_clips = {clip.file for result in keep for clip in result.clips}
    for path in sorted((out / _SOURCES_FOLDER).glob("*.json")):
        if path in kept_paths:
            continue
        try:
            stale = from_dict(RecordingResult, read_json(path))
        except (ModelFileError, WorkstationError):
            continue
        for clip in stale.clips:
            if clip.file not in kept_clips and clip.file.startswith("clips/") and ".." not in clip.file:
                (out / clip.file).unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _result_path(out: Path, sha256: str, key: str) -> Path:
    return out / _SOURCES_FOLDER / f"{sha256[:24]}-{key}.json"


def _clipped_hops(mask: NDArray[np.bool_], rate_hz: int, n_hops: int) -> NDArray[np.bool_]:
    """Clipped samples at the recording's rate -> which 10 ms hops hold any."""
    hops = np.zeros(n_hops, bool)
    at = np.flatnonzero(mask) * SAMPLE_RATE_HZ // (rate_hz * HOP_LENGTH)
    hops[at[at < n_hops]] = True
    return hops


def _cut(source: _Source, out: Path, key: str, spec: CutSpec) -> tuple[list[ClipFacts], list[LeftOut]]:
    clips: list[ClipFacts] = []
    left_out: list[LeftOut] = []
    spans = find_clips(source.activity, spec)
    seconds = len(source.mono) / SAMPLE_RATE_HZ
    if not spans or source.activity.speech_dbfs < spec.silent_dbfs:
        level_dbfs = source.activity.speech_dbfs
        return [], [LeftOut(source.name, 0.0, seconds, "silent", f"nothing above {level_dbfs:.0f} dBFS")]
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in Path(source.name).stem)[:40]
    for start, stop in spans:
        facts = _measure(source, start, stop)
        reason = _objection(facts, spec)
        if reason is not None:
            left_out.append(LeftOut(source.name, facts.start_s, facts.seconds, *reason))
            continue
        file = f"clips/{stem}-{source.sha256[:8]}{key[:4]}-{len(clips):04d}.wav"
        write_clip(out / file, level(source.mono[start:stop], spec)[0])
        clips.append(dataclasses.replace(facts, file=file))
    return clips, left_out


def _measure(source: _Source, start: int, stop: int) -> ClipFacts:
    samples = source.mono[start:stop]
    own = find_activity(samples)
    hops = slice(start // HOP_LENGTH, stop // HOP_LENGTH)
    return ClipFacts(
        file="",
        start_s=start / SAMPLE_RATE_HZ,
        seconds=len(samples) / SAMPLE_RATE_HZ,
        speech_dbfs=own.speech_dbfs,
        snr_db=own.speech_dbfs - source.activity.noise_dbfs,
        clipped=float(source.clipped[hops].mean()) if len(source.clipped[hops]) else 0.0,
        bandwidth_hz=bandwidth_hz(samples, own),
    )


def _objection(facts: ClipFacts, spec: CutSpec) -> tuple[str, str] | None:
    """Why a clip is not kept (reason, detail), or None."""
    if facts.seconds < spec.minimum_s:
        return "too short", f"{facts.seconds:.1f} s, and {spec.minimum_s:g} s are needed"
    if facts.clipped > spec.maximum_clipped:
        return "clipped", f"{100.0 * facts.clipped:.1f} % of its time"
    if facts.snr_db < spec.minimum_snr_db:
        return "too noisy", f"SNR {facts.snr_db:.0f} dB, and {spec.minimum_snr_db:g} dB are needed"
    return None
