"""A panel without any network: judges whose verdicts a test can predict, and that count how often they are asked."""

from __future__ import annotations

from collections import Counter

import numpy as np

from train.voice.evaluate.evaluators import Panel, SoundQuality
from train.voice.evaluate.measures import Samples, Vector

NAMES = {key: f"stub {key}" for key in ("speaker", "words en", "words other", "sound", "melody")}


class Stub:
    """Every judge in one."""

    name = "stub"

    def __init__(self, asked: Counter[str]) -> None:
        self._asked = asked

    def embed(self, samples: Samples) -> Vector:
        """A unit vector of four band energies."""
        self._asked["speaker"] += 1
        power = np.abs(np.fft.rfft(samples, 2048)[:1024]) ** 2
        bands = power.reshape(4, 256).sum(axis=1) + 1e-9
        return bands / np.linalg.norm(bands)

    def transcribe(self, samples: Samples, language: str) -> str:
        """English ears hear a word less than was said."""
        self._asked[f"words {language}"] += 1
        return "one two three" if language == "en" else "uno dos"

    def rate(self, samples: Samples) -> SoundQuality:
        """Always the same."""
        self._asked["sound"] += 1
        return SoundQuality(3.25, 3.5, 4.0)

    def track(self, samples: Samples) -> Vector:
        """The same melody in everything, so that nothing is lost."""
        self._asked["melody"] += 1
        return 120.0 + 20.0 * np.sin(np.arange(100) / 9.0)


def stub_panel(asked: Counter[str]) -> Panel:
    """The panel; ``asked`` counts the questions that reached a judge."""
    stub = Stub(asked)
    return Panel(NAMES, lambda: stub, lambda key: stub, lambda: stub, lambda: stub)
