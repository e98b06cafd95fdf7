"""Real speech through the voices that come with changeling, under any controls, and what is measured of it."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import edge_runtime
from edge_runtime.media.audio import read_audio
from tests.edge_runtime.voice.signals import RATE_HZ
from train.voice.acoustics import Acoustics, formant_ratio, measure
from train.voice.presets import control_specs

SPEECH = Path(__file__).parents[2] / "assets" / "real_male.wav"


class Speaker:
    """Converts the same real recording again and again; what was asked before is remembered."""

    def __init__(self) -> None:
        self.converter = edge_runtime.load()
        # The controls of this version, even where the voices were exported by an earlier one.
        self.converter.manifest = dataclasses.replace(self.converter.manifest, controls=control_specs())
        self.speech = read_audio(SPEECH, max_seconds=60).samples[:, 0]
        self._say = lru_cache(maxsize=None)(self._uncached)
        self._measured = lru_cache(maxsize=None)(lambda items: measure(self._say(items), RATE_HZ))

    def _uncached(self, items: tuple[tuple[str, Any], ...]) -> np.ndarray:
        return self.converter.convert(self.speech, RATE_HZ, self.converter.controls(**dict(items)))

    def say(self, **controls: Any) -> np.ndarray:
        """The recording, converted."""
        return self._say(tuple(sorted(controls.items())))

    def measured(self, **controls: Any) -> Acoustics:
        """Acoustics of the converted recording."""
        return self._measured(tuple(sorted(controls.items())))

    def moved(self, **controls: Any) -> Moved:
        """What the controls changed against none."""
        plain, found = self.measured(), self.measured(**controls)
        return Moved(
            pitch_st=12.0 * float(np.log2(found.f0_median_hz / plain.f0_median_hz)),
            melody=found.f0_range_semitones / plain.f0_range_semitones,
            voiced=found.voiced_share / plain.voiced_share,
            energy_db=found.energy_dbfs - plain.energy_dbfs,
            dynamics_db=found.energy_range_db - plain.energy_range_db,
            tilt_db=found.tilt_db_per_octave - plain.tilt_db_per_octave,
            hnr_db=found.hnr_db - plain.hnr_db,
            presence_db=found.presence_db - plain.presence_db,
        )

    def formants(self, **controls: Any) -> float:
        """Ratio of the formants against those without controls."""
        return formant_ratio(self.say(), self.say(**controls), RATE_HZ)


@dataclasses.dataclass(frozen=True)
class Moved:
    """Changes of a conversion's acoustics; ratios where the name has no unit."""

    pitch_st: float
    melody: float
    """Ratio of the ranges of F0."""
    voiced: float
    """Ratio of the voiced shares."""
    energy_db: float
    dynamics_db: float
    """Change of the range of energy."""
    tilt_db: float
    """Per octave."""
    hnr_db: float
    presence_db: float
