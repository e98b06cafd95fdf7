"""One recording in every voice, style and emotion there is: ``python benchmarks/every_voice.py RECORDING FOLDER``.

Needs what a board has and nothing else. Writes FOLDER/source.wav, voice-NAME.wav for each shipped voice, and
style-NAME.wav and emotion-NAME.wav in the default voice; `make demo` runs it. Exits with the error's own code and one
line when something is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import edge_runtime
from edge_runtime.media.audio import read_audio, to_mono, write_wav
from edge_runtime.provenance import conversion_comment
from edge_runtime.voice.emotions import EMOTIONS
from edge_runtime.voice.styles import STYLES

MAX_SECONDS = 60.0


@dataclass(frozen=True)
class Take:
    """One way to say the recording."""

    name: str
    """Of the file, without its suffix."""
    description: str
    controls: edge_runtime.Controls


def takes(converter: edge_runtime.VoiceConverter) -> Iterator[Take]:
    """Everything the model can be asked for by name, read from the model and the runtime."""
    for voice in converter.manifest.voices:
        yield Take(f"voice-{voice.name}", voice.description, converter.controls(voice=voice.name))
    for style in STYLES.values():
        yield Take(f"style-{style.name}", style.description, converter.controls(style=style.name))
    for emotion in EMOTIONS.values():
        yield Take(f"emotion-{emotion.name}", emotion.description, converter.controls(emotion=emotion.name))


def speak(recording: Path, folder: Path) -> None:
    """Convert ``recording`` in all takes and print a line for each. Raises `edge_runtime.ChangelingError`."""
    audio = read_audio(recording, max_seconds=MAX_SECONDS)
    source, rate_hz = to_mono(audio.samples), audio.sample_rate_hz
    converter = edge_runtime.load()
    write_wav(folder / "source.wav", source, rate_hz, comment="")
    print(f"  {'source.wav':<24}{recording}, {len(source) / rate_hz:.1f} s")
    count, spent_s = 0, 0.0
    for take in takes(converter):
        started = time.perf_counter()
        converted = converter.convert(source, rate_hz, take.controls)
        spent_s += time.perf_counter() - started
        count += 1
        comment = conversion_comment(model=converter.manifest.name, voice=take.controls.voice)
        write_wav(folder / f"{take.name}.wav", converted, rate_hz, comment=comment)
        print(f"  {take.name + '.wav':<24}{take.description}")
    share = spent_s / (count * len(source) / rate_hz)
    print(f"{count} conversions in {spent_s:.1f} s, {share:.3f} of real time, on {converter.backend_name}")


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description="One recording in every voice, style and emotion.")
    parser.add_argument("recording", type=Path, metavar="RECORDING")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="an existing folder")
    options = parser.parse_args()
    try:
        speak(options.recording, options.folder)
    except edge_runtime.ChangelingError as error:
        print(f"every_voice: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
