"""The voice as the command line asks for it: the flags of ``convert`` and ``live voice``, and what they load."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments
from edge_runtime.errors import InputError

if TYPE_CHECKING:
    from edge_runtime.voice.controls import Controls
    from edge_runtime.voice.converter import VoiceConverter

BARE_VALUES = dict.fromkeys(("--auto-pitch", "--robot", "--whisper", "--denoise", "--radio", "--echo"), "1")
"""Flags that may stand without a number."""
_CONTROLS = {
    "--pitch": ("pitch", "ST", "semitones up or down"),
    "--auto-pitch": ("auto_pitch", "0..1", "how far the pitch moves to the voice's own range (bare: 1)"),
    "--formant": ("formant", "R", "ratio by which the formants move; above 1 sounds smaller"),
    "--intonation": ("intonation", "R", "0 flat, 1 natural, 2 doubled"),
    "--robot": ("robot", "0..1", "towards one constant pitch (bare: 1)"),
    "--whisper": ("whisper", "0..1", "towards no voicing (bare: 1)"),
    "--breath": ("breath", "DB", "more or less breath"),
    "--tilt": ("tilt", "DB", "brighter or darker, dB per octave"),
    "--mix": ("mix", "0..1", "share of the converted sound against the original"),
    "--gain": ("gain", "DB", "louder or softer"),
    "--emphasis": ("emphasis", "-1..1", "stressed syllables stand out, or do not"),
    "--presence": ("presence", "DB", "more or less of 2 to 5 kHz"),
    "--clarity": ("clarity", "0..1", "deeper formants than the network draws"),
    "--denoise": ("denoise", "0..1", "takes steady noise out of what is heard (bare: 1)"),
    "--gate": ("gate", "DB", "lets sound this much louder fade to silence too"),
    "--vibrato": ("vibrato", "ST", "a regular wave of the pitch, 5.5 a second"),
    "--tremor": ("tremor", "0..1", "an irregular trembling of pitch and loudness"),
    "--roughness": ("roughness", "0..1", "irregular pulses, up to a growl"),
    "--radio": ("radio", "0..1", "a small, slightly driven speaker (bare: 1)"),
    "--echo": ("echo", "0..1", "repetitions that fade (bare: 1)"),
}
FLAGS = {name: f"--{name}" for name in ("voice", "morph", "style", "emotion")}
"""Every flag of a voice by its option's name."""
FLAGS |= {name: flag for flag, (name, _, _) in _CONTROLS.items()}


def add(parser: arguments.Parser) -> argparse._ArgumentGroup:
    """Add the flags, as a group of their own."""
    voice = parser.add_argument_group("the voice (what is not given is the model's default; `changeling info` lists)")
    voice.add_argument("--voice", metavar="NAME", help="one of the model's voices")
    voice.add_argument("--morph", metavar="NAME:SHARE", help="blend in a second voice, for instance anna:0.3")
    voice.add_argument("--style", metavar="NAME", help="robot, whisper, monster, ...: a set of controls by one name")
    voice.add_argument("--emotion", metavar="NAME[:0..1]", help="happy, sad, angry, ..., as much as the number says")
    for flag, (name, unit, text) in _CONTROLS.items():
        voice.add_argument(flag, dest=name, type=arguments.number, metavar=unit, help=text)
    return voice


def rate(text: str) -> int:
    """A sample rate, 8000 to 192000 Hz."""
    value = int(text)
    if not 8000 <= value <= 192000:
        raise argparse.ArgumentTypeError(f"{text} is not between 8000 and 192000")
    return value


def load(options: argparse.Namespace) -> tuple[VoiceConverter, Controls]:
    """The converter and the controls that ``options`` ask for. Raises what opening the model raises, `ControlError`."""
    import edge_runtime

    path = arguments.model_path(options.model)
    converter = edge_runtime.load(path, kind="voice", backend=options.backend, threads=options.threads)
    morph, amount = _morph(options.morph)
    names = ["style", "emotion", *(name for name, _, _ in _CONTROLS.values())]
    values = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return converter, converter.controls(voice=options.voice, morph=morph, morph_amount=amount, **values)


def _morph(text: str | None) -> tuple[str | None, float | None]:
    if text is None:
        return None, None
    name, colon, share = text.rpartition(":")
    try:
        return (name, arguments.number(share)) if colon and name else (text, None)
    except ValueError:
        raise InputError(f"--morph {text} is not NAME:SHARE, for instance anna:0.3") from None


def voice_text(controls: Controls) -> str:
    """The voice, as marks and messages say it."""
    return f"{controls.voice} with {controls.morph_amount:.2f} {controls.morph}" if controls.morph else controls.voice
