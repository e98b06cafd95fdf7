"""The judges, as protocols, and who sits: each measure has one, and a test can put others in their place.

Samples are float32 (N,) in [-1, 1] at 16 kHz throughout. A judge's ``name`` holds its version: what it said is
remembered under that name (`train.voice.evaluate.memory`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np

from edge_runtime.errors import MissingDependencyError
from train.voice.evaluate.measures import Samples, Vector

RATE_HZ: Final = 16_000
MEASURES: Final = ("speaker", "words", "sound", "melody")
"""What can be left out with ``--skip``; silence and latency cost nothing and are always there."""


@dataclass(frozen=True)
class SoundQuality:
    """Predicted mean opinion scores, 1 bad .. 5 excellent (DNSMOS P.835, Reddy et al. 2022)."""

    overall: float
    speech: float
    background: float


class SpeakerEncoder(Protocol):
    """Hears who speaks."""

    name: str

    def embed(self, samples: Samples) -> Vector:
        """Unit vector (D,) that is close for the same speaker and far for another."""


class Recogniser(Protocol):
    """Hears what is said."""

    name: str

    def transcribe(self, samples: Samples, language: str) -> str:
        """The text; ``language`` is a two-letter code."""


class QualityRater(Protocol):
    """Hears how clean it sounds."""

    name: str

    def rate(self, samples: Samples) -> SoundQuality:
        """Predicted scores."""


class PitchTracker(Protocol):
    """Hears the melody; not the runtime's own tracker, which would judge itself."""

    name: str

    def track(self, samples: Samples) -> Vector:
        """F0 in Hz, one value a frame, 0 where unvoiced."""


@dataclass(frozen=True)
class Panel:
    """Makes each judge when it is first asked for: a measure that is skipped or remembered costs no import."""

    names: Mapping[str, str]
    """Who sits, known before anybody is made: {"speaker", "words en", "words other", "sound", "melody": name}."""
    make_speaker: Callable[[], SpeakerEncoder]
    make_recogniser: Callable[[str], Recogniser]
    """From "en" or "other" to who hears it."""
    make_rater: Callable[[], QualityRater]
    make_tracker: Callable[[], PitchTracker]

    @cached_property
    def speaker(self) -> SpeakerEncoder:
        """The speaker encoder."""
        return self.make_speaker()

    @cached_property
    def rater(self) -> QualityRater:
        """The quality rater."""
        return self.make_rater()

    @cached_property
    def tracker(self) -> PitchTracker:
        """The pitch tracker."""
        return self.make_tracker()

    def name(self, question: str) -> str:
        """Who answers "speaker", "sound", "melody", or "words" with a language."""
        if not question.startswith("words "):
            return self.names[question]
        return self.names["words en" if question == "words en" else "words other"]

    def recogniser(self, language: str) -> Recogniser:
        """Who hears this language; one for English, one for all others."""
        key = "en" if language == "en" else "other"
        if key not in self._recognisers:
            self._recognisers[key] = self.make_recogniser(key)
        return self._recognisers[key]

    @cached_property
    def _recognisers(self) -> dict[str, Recogniser]:
        return {}


def real_panel() -> Panel:
    """The judges of `make evaluate`."""
    from train.voice.evaluate import judges, recognisers

    names = {
        "speaker": judges.Resemblyzer.name,
        "words en": recognisers.Moonshine.name,
        "words other": recognisers.Whisper.name,
        "sound": judges.Dnsmos.name,
        "melody": judges.SwiftF0.name,
    }
    return Panel(
        names=names,
        make_speaker=judges.Resemblyzer,
        make_recogniser=lambda key: recognisers.Moonshine() if key == "en" else recognisers.Whisper(),
        make_rater=judges.Dnsmos,
        make_tracker=judges.SwiftF0,
    )


def missing(package: str) -> MissingDependencyError:
    """The one line that says how to get an evaluator."""
    return MissingDependencyError(
        f"evaluating needs the package {package}; run `make evaluate` in the checkout, then "
        "`.venv-evaluate/bin/changeling evaluate ...`, or leave measures out with --skip"
    )


def peak_normalised(samples: Samples) -> Samples:
    """The same sound with its peak at 0.7, so that level alone does not move a rating."""
    peak = float(np.abs(samples).max(initial=0.0))
    return samples if peak < 1e-6 else (samples * np.float32(0.7 / peak)).astype(np.float32)
