"""What an evaluation found out, as data: ``scores.json`` is an `Evaluation` and nothing else."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from edge_runtime.contract import from_dict
from edge_runtime.errors import InputError, ModelFileError
from train.evaluate.intervals import Interval
from train.evaluate.results import Bar, SkippedFile
from train.voice.evaluate.evaluators import SoundQuality
from train.voice.evaluate.measures import Melody, WordCount

ALL_VOICES = "all voices"
EVERYTHING = "all"


@dataclass(frozen=True)
class FileScore:
    """One sound: a recording by one system for one voice. None is what was skipped or cannot be said."""

    system: str
    """unconverted, world, converted, copy (the target's own recording converted to its own voice) or target."""
    voice: str
    recording: str
    audio: str
    """Path of the sound inside the output folder."""
    seconds: float
    to_target: float | None
    """Cosine to the centroid of the target's held-out recordings."""
    to_source: float | None
    """Cosine to the centroid of the source speaker's recordings."""
    words: WordCount | None
    has_transcript: bool
    """Whether words were counted against a transcript; else against what was heard in the source."""
    heard: str
    sound: SoundQuality | None
    melody: Melody | None
    silence_dbfs: float | None
    """RMS of what silence after the utterance became."""


@dataclass(frozen=True)
class SourceFacts:
    """One recording as it came."""

    name: str
    language: str
    speaker: str
    sex: str
    kind: str
    text: str
    seconds: float

    @property
    def groups(self) -> tuple[str, ...]:
        """The kinds of source it is one of."""
        sex = {"m": "men", "f": "women"}.get(self.sex)
        return tuple(group for group in (EVERYTHING, f"kind: {self.kind}", sex, f"language: {self.language}") if group)


@dataclass(frozen=True)
class Summary:
    """Means over the recordings of a group; intervals are 95 % bootstrap over recordings."""

    system: str
    voice: str
    """A name, or "all voices"."""
    group: str
    """A kind of source, or "all"."""
    recordings: int
    to_target: Interval | None
    to_source: Interval | None
    word_errors: Interval | None
    """Share of words, where there are transcripts."""
    word_errors_added: Interval | None
    """Word errors above those of the same sources (for copy: above those of the target) by the same recogniser."""
    words_changed: Interval | None
    """Share of words heard differently than in the source, where there are no transcripts."""
    overall: Interval | None
    speech: Interval | None
    background: Interval | None
    melody: Interval | None
    voicing_error: Interval | None
    silence_dbfs: float | None
    """The loudest."""


@dataclass(frozen=True)
class Evaluation:
    """One model on one set of recordings."""

    model: str
    model_sha256: str
    precision: str
    model_bytes: int
    backend: str
    latency_ms: float
    created: str
    voices: tuple[str, ...]
    targets: tuple[str, ...]
    """Voices with held-out recordings to compare with."""
    judges: tuple[str, ...]
    skipped_measures: tuple[str, ...]
    skipped_files: tuple[SkippedFile, ...]
    sources: tuple[SourceFacts, ...]
    scores: tuple[FileScore, ...]
    summaries: tuple[Summary, ...]
    bars: tuple[Bar, ...]

    def to_json(self) -> str:
        """Everything, indented, ending in a newline."""
        data = dataclasses.asdict(self)
        data["bars"] = [dataclasses.asdict(bar) | {"met": bar.met} for bar in self.bars]
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read ``scores.json`` back. Raises `InputError` when it is something else."""
        try:
            data = json.loads(text)
            for bar in data["bars"]:
                bar.pop("met")
            return from_dict(cls, data)
        except (ValueError, TypeError, KeyError, AttributeError, ModelFileError):
            raise InputError("this is not the scores.json of this version; evaluate that model again") from None

    def summary(self, system: str, voice: str = ALL_VOICES, group: str = EVERYTHING) -> Summary | None:
        """One row, or None when there is nothing to it."""
        rows = (row for row in self.summaries if (row.system, row.voice, row.group) == (system, voice, group))
        return next(rows, None)
