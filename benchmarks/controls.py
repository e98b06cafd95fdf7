"""The tables of README's section on controls: every style and emotion on a real recording, measured against none.

    python benchmarks/controls.py [--model FILE] [--source WAV] [--voice NAME]

Markdown goes to stdout. Runs in the workstation's environment, for `train.voice.acoustics`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import edge_runtime
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.media.resample import resample
from edge_runtime.voice.emotions import EMOTIONS
from edge_runtime.voice.styles import STYLES
from train.voice.acoustics import Acoustics, formant_ratio, measure

SOURCE = Path(__file__).parents[1] / "tests" / "assets" / "real_male.wav"
COLUMNS = (
    "pitch, st",
    "melody, ×",
    "formants, ×",
    "voiced, ×",
    "HNR, dB",
    "level, dB",
    "dynamics, dB",
    "tilt, dB/oct",
    "2–5 kHz, dB",
)
PITCHED = 0.15
"""From this share of voicing on, figures of pitch mean something."""


class Subject:
    """A recording, and what a voice makes of it under styles and emotions."""

    def __init__(self, converter: edge_runtime.VoiceConverter, source: Path, voice: str | None) -> None:
        audio = read_audio(source, max_seconds=120)
        self._converter, self._voice, self._rate_hz = converter, voice, converter.sample_rate_hz
        samples = to_mono(audio.samples)
        if audio.sample_rate_hz != self._rate_hz:
            samples = resample(samples, audio.sample_rate_hz, self._rate_hz)
        self._samples = samples
        self._plain = self._spoken(None, None)
        self._plain_acoustics = measure(self._plain, self._rate_hz)

    def _spoken(self, style: str | None, emotion: str | None) -> np.ndarray:
        controls = self._converter.controls(voice=self._voice, style=style, emotion=emotion)
        return self._converter.convert(self._samples, self._rate_hz, controls)

    def row(self, name: str, *, style: str | None = None, emotion: str | None = None) -> str:
        """One line of the table."""
        spoken = self._spoken(style, emotion)
        found = measure(spoken, self._rate_hz)
        cells = changes(self._plain_acoustics, found, formant_ratio(self._plain, spoken, self._rate_hz))
        return f"| `{name}` | {' | '.join(cells)} |"


def changes(plain: Acoustics, found: Acoustics, formants: float) -> list[str]:
    """What moved, in the order of `COLUMNS`."""
    pitched = [
        f"{12 * np.log2(found.f0_median_hz / plain.f0_median_hz):+.1f}",
        f"{found.f0_range_semitones / plain.f0_range_semitones:.2f}",
        f"{formants:.2f}",
    ]
    hnr = f"{found.hnr_db - plain.hnr_db:+.1f}"
    if not found.voiced_share > PITCHED:
        pitched, hnr = ["–"] * len(pitched), "–"
    return [
        *pitched,
        f"{found.voiced_share / plain.voiced_share:.2f}",
        hnr,
        f"{found.energy_dbfs - plain.energy_dbfs:+.1f}",
        f"{found.energy_range_db - plain.energy_range_db:+.1f}",
        f"{found.tilt_db_per_octave - plain.tilt_db_per_octave:+.1f}",
        f"{found.presence_db - plain.presence_db:+.1f}",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="by default the voices that come with changeling")
    parser.add_argument("--source", type=Path, default=SOURCE)
    parser.add_argument("--voice")
    options = parser.parse_args()
    subject = Subject(edge_runtime.load(options.model), options.source, options.voice)
    for title, names in (("style", STYLES), ("emotion", EMOTIONS)):
        print(f"| {title} | {' | '.join(COLUMNS)} |\n|{'---|' * (1 + len(COLUMNS))}")
        for name in names:
            chosen = {title: name}
            print(subject.row(name, style=chosen.get("style"), emotion=chosen.get("emotion")))
        print()


if __name__ == "__main__":
    main()
