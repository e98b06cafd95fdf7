"""The recordings to be judged: a folder of sound files, what is said in them and who says it.

``transcripts.tsv`` in the folder may tell, one line a recording under a header with the columns ``file``, ``language``,
``speaker``, ``sex`` (m or f), ``kind`` (such as real, telephone or synthetic) and ``text``; all but ``file`` are
optional. ``NAME.txt`` beside ``NAME.wav`` gives the text too, and wins.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.errors import ChangelingError, InputError
from edge_runtime.files import open_input, shown
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.media.resample import resample
from train.evaluate.results import SkippedFile
from train.voice.evaluate.evaluators import RATE_HZ
from train.voice.evaluate.measures import Samples

SUFFIXES: Final = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"})
TABLE: Final = "transcripts.tsv"
_COLUMNS: Final = ("language", "speaker", "sex", "kind", "text")
_TEXT_BYTES: Final = 4_000_000
_LONGEST_S: Final = 120.0
_SHORTEST_S: Final = 0.5
_QUIETEST_PEAK: Final = 1e-3


@dataclass(frozen=True)
class Recording:
    """One utterance, ready to be converted."""

    name: str
    """Its path inside the folder without the suffix, with ``-`` for ``/``: what outputs are called."""
    samples: Samples
    """Mono (N,) at 16 kHz."""
    language: str
    """Two-letter code."""
    speaker: str
    """Empty when unknown."""
    sex: str
    """m, f or empty."""
    kind: str
    """What the recording is; "recording" when nothing says."""
    text: str
    """What is said, or empty."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / RATE_HZ


def read_recordings(
    folder: Path, *, language: str = "en", limit: int | None = None
) -> tuple[list[Recording], list[SkippedFile]]:
    """Everything readable in ``folder`` (and below), at most ``limit`` of it, spread over the speakers.

    ``language`` holds for what the table does not tell. What cannot be used is listed, not fatal. Raises `InputError`
    for a folder without any usable recording, or a table that makes no sense.
    """
    if not folder.is_dir():
        raise InputError(f"{shown(folder)} is not a folder; name the folder of the recordings")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise InputError(f"{shown(folder)} holds no recordings (wav, flac, ogg, mp3); record something first")
    table = _read_table(folder / TABLE)
    if strangers := sorted(table.keys() - {path.relative_to(folder).as_posix() for path in files}):
        raise InputError(f"{TABLE} names {strangers[0]!r:.60}, which is not in {shown(folder)}; correct the table")
    chosen = files if limit is None else _spread(files, [_speaker(table, folder, path) for path in files], limit)
    recordings: list[Recording] = []
    skipped: list[SkippedFile] = []
    names: list[str] = []
    for path in chosen:
        inside = path.relative_to(folder).as_posix()
        try:
            recording = _read_one(path, inside, table.get(inside, {}), language)
            taken = sum(_output_name(other) == _output_name(inside) for other in names)
            names.append(inside)
            recordings.append(recording if not taken else replace(recording, name=f"{recording.name}-{taken + 1}"))
        except ChangelingError as error:
            skipped.append(SkippedFile(inside, str(error)))
    if not recordings:
        raise InputError(f"no recording in {shown(folder)} can be used; the first: {skipped[0].reason}")
    return recordings, skipped


def sound_digest(samples: Samples) -> str:
    """SHA-256 of samples as 16-bit PCM: the same before and after a WAV."""
    return hashlib.sha256(np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()).hexdigest()


def _read_one(path: Path, inside: str, row: dict[str, str], language: str) -> Recording:
    audio = read_audio(path, max_seconds=_LONGEST_S)
    samples = resample(to_mono(audio.samples), audio.sample_rate_hz, RATE_HZ)
    if len(samples) < _SHORTEST_S * RATE_HZ:
        raise InputError(f"{inside} is shorter than half a second")
    if float(np.abs(samples).max()) < _QUIETEST_PEAK:
        raise InputError(f"{inside} is silent")
    beside = path.with_suffix(".txt")
    text = " ".join(_read_text(beside).split()) if beside.is_file() else row.get("text", "")
    spoken = (row.get("language") or language).lower()
    if not re.fullmatch(r"[a-z]{2,3}", spoken):
        raise InputError(f"{inside} has the language {spoken!r:.20}; give a code such as en or fr")
    who, sex, kind = row.get("speaker", ""), row.get("sex", "").lower(), row.get("kind") or "recording"
    return Recording(_output_name(inside), samples, spoken, who, sex, kind, text)


def _output_name(inside: str) -> str:
    return re.sub(r"[^\w.-]+", "-", str(Path(inside).with_suffix("")))


def _read_table(path: Path) -> dict[str, dict[str, str]]:
    """{file: {column: text}}; empty without a table."""
    if not path.is_file():
        return {}
    lines = [line for line in _read_text(path).splitlines() if line.strip()]
    header = [cell.strip().lower() for cell in lines[0].split("\t")] if lines else []
    if "file" not in header:
        raise InputError(f"{shown(path)} needs a first line that names its columns: file, {', '.join(_COLUMNS)}")
    table: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) > len(header):
            raise InputError(f"line {number} of {shown(path)} has more cells than the header has columns; correct it")
        row = dict(zip(header, cells, strict=False))
        table[row["file"]] = row
    return table


def _read_text(path: Path) -> str:
    file, _ = open_input(path, max_bytes=_TEXT_BYTES)
    with file:
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{shown(path)} is not UTF-8 text; save it as UTF-8") from None


def _speaker(table: dict[str, dict[str, str]], folder: Path, path: Path) -> str:
    row = table.get(path.relative_to(folder).as_posix(), {})
    return f"{row.get('language', '')} {row.get('speaker', '')}"


def _spread(files: Sequence[Path], speakers: Sequence[str], limit: int) -> list[Path]:
    """At most ``limit`` files: one of each speaker, then another of each, the last round evenly over the speakers."""
    rounds: dict[int, list[int]] = {}
    heard: dict[str, int] = {}
    for position, speaker in enumerate(speakers):
        rounds.setdefault(heard.get(speaker, 0), []).append(position)
        heard[speaker] = heard.get(speaker, 0) + 1
    chosen: list[int] = []
    for positions in rounds.values():
        left = min(limit - len(chosen), len(positions))
        chosen += [positions[i * len(positions) // left] for i in range(left)]
    return [files[position] for position in sorted(chosen)]
