"""``changeling convert IN OUT``: a recording, a photo, a video, a folder of them, or raw sound from stdin to stdout.

What IN is decides which model and which flags apply; this file has the voices, `convert_faces` the faces.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments, convert_swaps, face_flags, folders, voice_flags
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

_LIST_STYLES = "--list-styles"


def run(argv: list[str]) -> int:
    """Convert; 0 when all went well, the first failure's code when files of a folder failed."""
    if _LIST_STYLES in argv:
        from edge_runtime.cli.style_list import style_lines

        print("\n".join(style_lines()))
        return 0
    parser = _parser()
    rest, units = arguments.take_units(arguments.with_bare_values(argv, voice_flags.BARE_VALUES), parser)
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
    voice = voice_flags.add(parser)
    voice.add_argument(_LIST_STYLES, action="store_true", help="show all styles and emotions, and convert nothing")
    face_flags.add(parser)
    convert_swaps.add_arguments(parser)
    parser.add_argument("--rate", type=voice_flags.rate, metavar="HZ", help="sample rate on stdin and stdout (16000)")
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
    for name, flag in voice_flags.FLAGS.items():
        if getattr(options, name) is not None:
            raise InputError(f"{flag} is for sound, and IN is a {kind}")


def _convert_one(source: Path, target: Path, options: argparse.Namespace) -> int:
    if target.is_dir():
        target = target / f"{source.stem}.wav"
    if target.suffix.lower() not in (".wav", ".wave"):
        raise OutputError(f"the result is a WAV file: {target} must end in .wav")
    folders.refuse_same(source, target)
    folders.check_writable(target.parent)
    converter, controls = voice_flags.load(options)
    seconds = _convert_file(source, target, converter, controls)
    print(f"{target}: {seconds:.1f} s as {voice_flags.voice_text(controls)}", file=sys.stderr)
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
    comment = conversion_comment(model=converter.manifest.name, voice=voice_flags.voice_text(controls))
    write_wav(target, converted, audio.sample_rate_hz, comment=comment)
    return len(converted) / audio.sample_rate_hz


def _convert_folder(source: Path, folder: Path, options: argparse.Namespace) -> int:
    pairs = folders.plan(source, folder, SUFFIXES, lambda path: ".wav")
    folders.prepare(source, folder, pairs, f"recording ({', '.join(sorted(SUFFIXES))})")
    todo = folders.pending(pairs, overwrite=options.overwrite)
    loaded = voice_flags.load(options) if todo else None  # the first wrong word is told before the first file

    def convert(path: Path, target: Path) -> None:
        assert loaded is not None
        _convert_file(path, target, *loaded)

    return folders.convert_each(todo, convert, there=len(pairs) - len(todo))


def _convert_stdin(options: argparse.Namespace) -> int:
    from edge_runtime.cli.raw import PcmConverter

    if sys.stdin.isatty():
        raise InputError("`-` reads raw 16-bit mono PCM from a pipe, and stdin is a terminal")
    converter, controls = voice_flags.load(options)
    pcm = PcmConverter(converter.stream(controls), converter.manifest.front_end.sample_rate_hz, options.rate)
    pcm.run(sys.stdin.buffer, sys.stdout.buffer)
    return 0
