"""What judges said is remembered by the sound they heard, so that nothing is ever judged twice.

One file of JSON lines for every judge, in ``CACHE/evaluate``: sources are shared by all runs, and one that was
stopped goes on where it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from edge_runtime.errors import OutputError
from train.voice.evaluate.evaluators import Panel, SoundQuality
from train.voice.evaluate.inputs import sound_digest
from train.voice.evaluate.measures import Samples, Vector

T = TypeVar("T")


class Memory:
    """Answers of judges by the key of their question; read once, appended to."""

    def __init__(self, folder: Path) -> None:
        """Raises `OutputError` when the folder cannot be made."""
        self._folder = folder
        self._known: dict[str, dict[str, Any]] = {}
        make_folder(folder)

    def recall(self, judge: str, key: str) -> Any:
        """The answer, or None when it was never given."""
        if judge not in self._known:
            self._known[judge] = _read_lines(self._path(judge))
        return self._known[judge].get(key)

    def remember(self, judge: str, key: str, answer: Any) -> None:
        """Keep an answer of plain JSON values. Raises `OutputError`."""
        self._known.setdefault(judge, {})[key] = answer
        # The line break comes first: what was cut short by a crash must not spoil the line after it.
        try:
            with self._path(judge).open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps([key, answer], ensure_ascii=False))
        except OSError as error:
            raise OutputError(
                f"{self._folder} cannot be written ({error.strerror}); set CHANGELING_CACHE elsewhere"
            ) from None

    def _path(self, judge: str) -> Path:
        return self._folder / f"{re.sub(r'[^a-z0-9.-]+', '-', judge.lower())}.jsonl"


def _read_lines(path: Path) -> dict[str, Any]:
    """Pairs of key and answer; lines that are damaged are as if they were not there."""
    known: dict[str, Any] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return known
    for line in lines:
        try:
            key, answer = json.loads(line)
        except (ValueError, TypeError):
            continue
        known[str(key)] = answer
    return known


class Hearing:
    """The panel behind the memory."""

    def __init__(self, panel: Panel, memory: Memory) -> None:
        self._panel = panel
        self._memory = memory
        self.judges: set[str] = set()
        """Names of those whose answers were used."""

    def embedding(self, samples: Samples) -> Vector:
        """Who speaks; unit vector (D,)."""

        def ask() -> list[float]:
            return [round(float(value), 6) for value in self._panel.speaker.embed(samples)]

        return np.asarray(self._answer("speaker", samples, ask), np.float64)

    def text(self, samples: Samples, language: str) -> str:
        """What is said."""

        def ask() -> str:
            return self._panel.recogniser(language).transcribe(samples, language)

        return str(self._answer(f"words {language}", samples, ask))

    def quality(self, samples: Samples) -> SoundQuality:
        """How clean it sounds."""

        def ask() -> list[float]:
            rated = self._panel.rater.rate(samples)
            return [rated.overall, rated.speech, rated.background]

        return SoundQuality(*(float(value) for value in self._answer("sound", samples, ask)))

    def f0_hz(self, samples: Samples) -> Vector:
        """The melody (F,), 0 where unvoiced."""

        def ask() -> list[float]:
            return [round(float(value), 2) for value in self._panel.tracker.track(samples)]

        return np.asarray(self._answer("melody", samples, ask), np.float64)

    def _answer(self, what: str, samples: Samples, ask: Callable[[], T]) -> T:
        judge = self._panel.name(what)
        self.judges.add(judge)
        key = f"{what} {sound_digest(samples)}"
        answer: T | None = self._memory.recall(judge, key)
        if answer is None:
            answer = ask()
            self._memory.remember(judge, key, answer)
        return answer


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. Raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another place") from None
