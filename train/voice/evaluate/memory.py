"""What judges said is remembered by the sound they heard (`train.evaluate.memory`), in ``CACHE/evaluate``.

Sources are shared by all runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from train.evaluate.memory import Memory
from train.voice.evaluate.evaluators import Panel, SoundQuality
from train.voice.evaluate.inputs import sound_digest
from train.voice.evaluate.measures import Samples, Vector

T = TypeVar("T")


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
