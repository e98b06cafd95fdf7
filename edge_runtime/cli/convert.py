"""``changeling convert IN OUT``: a recording, a photo, a video, a folder of them, or raw sound from stdin to stdout.

What IN is decides which model and which flags apply; this file has the voices, `convert_faces` the faces.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments, convert_swaps, folders
from edge_runtime.cli.media_kind import SOUND, kind_of
from edge_runtime.cli.progress import ProgressLine
from edge_runtime.errors import InputError, OutputError

if TYPE_CHECKING:
    from edge_runtime.voice.controls import Controls
    from edge_runtime.voice.converter import VoiceConverter

MAX_SECONDS = 4 * 3600.0
"""Longest recording taken in one piece; it is held in memory whole."""
SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"})
"""What is taken from a folder; a file that is named itself is judged by its content alone."""

_BARE_VALUES = dict.fromkeys(("--auto-pitch", "--robot", "--whisper", "--denoise", "--radio", "--echo"), "1")
_LIST_STYLES = "--list-styles"
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


def run(argv: list[str]) -> int:
    """Convert; 0 when all went well, the first failure's code when files of a folder failed."""
    if _LIST_STYLES in argv:
        from edge_runtime.cli.style_list import style_lines

        print("\n".join(style_lines()))
        return 0
    parser = _parser()
    rest, units = arguments.take_units(arguments.with_bare_values(argv, _BARE_VALUES), parser)
    options = parser.parse_args(rest)
    if (options.input == "-") != (options.output == "-"):
        raise InputError("raw sound goes from stdin to stdout: give `-` for both IN and OUT")
    if options.input == "-":
        _refuse_face_flags(parser, options, units)
        return _convert_stdin(options)
    if options.rate is not None:
        raise InputError("--rate is for raw sound from stdin; a file tells its own rate")
    source, target = Path(options.input), Path(options.output)
    kind = kind_of(source, arguments.model_path(options.swap or options.model))
    if kind == SOUND:
        _refuse_face_flags(parser, options, units)
    else:
        _refuse_voice_flags(options, kind)
    if not source.exists():
        raise InputError(f"{source} does not exist")
    if kind != SOUND:
        from edge_runtime.cli.convert_faces import convert_faces

        return convert_faces(source, target, kind, options, units)
    return _convert_folder(source, target, options) if source.is_dir() else _convert_one(source, target, options)


def _parser() -> arguments.Parser:
    parser = arguments.Parser(
        "changeling convert",
        "Convert a recording, a photo, a video, a folder of them, or raw sound from stdin.",
        epilog="Every unit of a face model is a flag of its own: --smile 0.8, --brow-raise 0.5, --blink; "
        "`changeling info FILE` lists them.",
    )
    parser.add_argument("input", metavar="IN", help="a file, a folder, or - for 16-bit mono PCM on stdin")
    parser.add_argument("output", metavar="OUT", help="a file, a folder, or - for 16-bit mono PCM on stdout")
    arguments.add_model(parser)
    voice = parser.add_argument_group("the voice (what is not given is the model's default; `changeling info` lists)")
    voice.add_argument("--voice", metavar="NAME", help="one of the model's voices")
    voice.add_argument("--morph", metavar="NAME:SHARE", help="blend in a second voice, for instance anna:0.3")
    voice.add_argument("--style", metavar="NAME", help="robot, whisper, monster, ...: a set of controls by one name")
    voice.add_argument("--emotion", metavar="NAME[:0..1]", help="happy, sad, angry, ..., as much as the number says")
    voice.add_argument(_LIST_STYLES, action="store_true", help="show all styles and emotions, and convert nothing")
    for flag, (name, unit, text) in _CONTROLS.items():
        voice.add_argument(flag, dest=name, type=arguments.number, metavar=unit, help=text)
    face = parser.add_argument_group("the face (photos and video; units such as --smile 0.8 as well)")
    face.add_argument("--expression", metavar="NAME[:0..1]", help="happy, sad, angry, ..., as much as the number says")
    face.add_argument("--faces", metavar="WHICH", help="all (default), largest, left, right, or a number from the left")
    convert_swaps.add_arguments(parser)
    face.add_argument("--uncapped", action="store_true", help="add to a smile that is there already, past the full one")
    parser.add_argument("--rate", type=_rate, metavar="HZ", help="sample rate on stdin and stdout (16000)")
    parser.add_argument("--overwrite", action="store_true", help="in a folder, convert again what is already there")
    return parser


def _refuse_face_flags(parser: arguments.Parser, options: argparse.Namespace, units: dict[str, float]) -> None:
    if units:
        parser.error(f"sound has no {' '.join('--' + name.replace('_', '-') for name in units)}")
    flags = {"expression": "--expression", "faces": "--faces", "swap": "--swap"}
    for name, flag in (flags | convert_swaps.FLAGS).items():
        if getattr(options, name):
            raise InputError(f"{flag} is for photos and video, and IN is sound")


def _refuse_voice_flags(options: argparse.Namespace, kind: str) -> None:
    names = {name: name for name in ("voice", "morph", "style", "emotion")}
    names |= {name: flag[2:] for flag, (name, _, _) in _CONTROLS.items()}
    for name, flag in names.items():
        if getattr(options, name) is not None:
            raise InputError(f"--{flag} is for sound, and IN is a {kind}")


def _rate(text: str) -> int:
    value = int(text)
    if not 8000 <= value <= 192000:
        raise argparse.ArgumentTypeError(f"{text} is not between 8000 and 192000")
    return value


def _load(options: argparse.Namespace) -> tuple[VoiceConverter, Controls]:
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


def _convert_one(source: Path, target: Path, options: argparse.Namespace) -> int:
    if target.is_dir():
        target = target / f"{source.stem}.wav"
    if target.suffix.lower() not in (".wav", ".wave"):
        raise OutputError(f"the result is a WAV file: {target} must end in .wav")
    folders.refuse_same(source, target)
    folders.check_writable(target.parent)
    converter, controls = _load(options)
    seconds = _convert_file(source, target, converter, controls)
    print(f"{target}: {seconds:.1f} s as {_voice_text(controls)}", file=sys.stderr)
    return 0


def _convert_file(source: Path, target: Path, converter: VoiceConverter, controls: Controls) -> float:
    """Convert one recording; gives its length in seconds."""
    from edge_runtime.media.audio import read_audio, to_mono, write_wav
    from edge_runtime.provenance import conversion_comment

    audio = read_audio(source, max_seconds=MAX_SECONDS)
    progress = ProgressLine(source.name)
    try:
        converted = converter.convert(to_mono(audio.samples), audio.sample_rate_hz, controls, progress=progress)
    finally:
        progress.close()
    comment = conversion_comment(model=converter.manifest.name, voice=_voice_text(controls))
    write_wav(target, converted, audio.sample_rate_hz, comment=comment)
    return len(converted) / audio.sample_rate_hz


def _voice_text(controls: Controls) -> str:
    return f"{controls.voice} with {controls.morph_amount:.2f} {controls.morph}" if controls.morph else controls.voice


def _convert_folder(source: Path, folder: Path, options: argparse.Namespace) -> int:
    pairs = folders.plan(source, folder, SUFFIXES, lambda path: ".wav")
    folders.prepare(source, folder, pairs, f"recording ({', '.join(sorted(SUFFIXES))})")
    todo = folders.pending(pairs, overwrite=options.overwrite)
    loaded = _load(options) if todo else None  # the first wrong word is told before the first file

    def convert(path: Path, target: Path) -> None:
        assert loaded is not None
        _convert_file(path, target, *loaded)

    return folders.convert_each(todo, convert, there=len(pairs) - len(todo))


def _convert_stdin(options: argparse.Namespace) -> int:
    from edge_runtime.cli.raw import PcmConverter

    if sys.stdin.isatty():
        raise InputError("`-` reads raw 16-bit mono PCM from a pipe, and stdin is a terminal")
    converter, controls = _load(options)
    pcm = PcmConverter(converter.stream(controls), converter.manifest.front_end.sample_rate_hz, options.rate)
    pcm.run(sys.stdin.buffer, sys.stdout.buffer)
    return 0
