"""``changeling evaluate voice RECORDINGS --model FILE -o OUT``: reads the words, runs the parts, writes the files."""

from __future__ import annotations

import argparse
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import edge_runtime
from edge_runtime.cli import arguments
from edge_runtime.errors import ControlError, InputError
from edge_runtime.files import make_folder, open_input, shown, write_atomic
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.voice.converter import VoiceConverter
from train.evaluate import flags
from train.evaluate.memory import Memory
from train.evaluate.results import SkippedFile
from train.evaluate.tables import in_columns
from train.packages import cache_dir
from train.progress import Progress
from train.voice.evaluate import sounds
from train.voice.evaluate.evaluators import MEASURES, RATE_HZ, Panel, real_panel
from train.voice.evaluate.inputs import Recording, read_recordings
from train.voice.evaluate.memory import Hearing
from train.voice.evaluate.page import render
from train.voice.evaluate.results import Evaluation
from train.voice.evaluate.run import Plan, evaluate
from train.voice.evaluate.sounds import Maker
from train.voice.evaluate.summarise import bars_against
from train.voice.evaluate.table import bar_cells, markdown
from train.voice.picture import draw_spectrograms

_PICTURES: Final = 8
_COLOURS: Final = 96
_SCORES_BYTES: Final = 200_000_000
_QUICK_RECORDINGS: Final = 8
_HELD_OUT_LIMIT: Final = 12
"""Held-out recordings of a target that are used; more make the centre hardly better and the copies slow."""


def main(argv: Sequence[str], panel: Panel | None = None) -> int:
    """Run the command. Raises `ChangelingError`."""
    options = _parser().parse_args(list(argv))
    if options.quick:
        _make_quick(options)
    path = arguments.model_path(options.model)
    converter = edge_runtime.load(path, kind="voice", backend=options.backend, threads=options.threads)
    try:
        plan = _plan(options, converter)
        output: Path = options.output
        make_folder(output)
        hearing = Hearing(panel or real_panel(), Memory(cache_dir() / "evaluate"))
        with Progress(plan.seconds, "evaluating") as progress:
            result = evaluate(plan, Maker(converter, output), hearing, progress.update)
    finally:
        converter.close()
    if options.against is not None:
        result = _compared(result, options.against)
    _write(result, output, options.pictures)
    print(_summary_text(result, output))
    return 0


def _parser() -> arguments.Parser:
    parser = arguments.Parser(
        "changeling evaluate voice", "Score an exported model on recordings, through the runtime."
    )
    parser.add_argument(
        "recordings",
        type=Path,
        metavar="RECORDINGS",
        help="a folder of recordings; what is said in NAME.txt beside each, or in transcripts.tsv "
        "(columns file, language, speaker, sex, kind, text)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder of the page and sounds")
    arguments.add_model(parser)
    parser.add_argument(
        "--voices", type=flags.names, metavar="A,B", help="voices to convert to; by default all of the model"
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        type=_target,
        metavar="VOICE=FOLDER",
        help="recordings of a voice that were not trained on; without them there is no likeness to the target",
    )
    parser.add_argument(
        "--language", default="en", metavar="XX", help="of recordings whose language nothing tells (en)"
    )
    parser.add_argument("--limit", type=flags.count, metavar="N", help="use N recordings, spread over the speakers")
    parser.add_argument("--baselines", choices=("none", "all"), default="all", help="judge WORLD and the targets too")
    parser.add_argument(
        "--skip", type=flags.some_of(MEASURES), default=frozenset(), metavar="A,B", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument(
        "--pictures", type=int, default=_PICTURES, metavar="N", help="recordings shown as spectrograms (8)"
    )
    parser.add_argument(
        "--against", type=Path, metavar="JSON", help="scores.json of another file of the model: what this one loses"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_RECORDINGS} recordings, no baselines, no DNSMOS, no pictures: a first look in seconds",
    )
    return parser


def _make_quick(options: argparse.Namespace) -> None:
    options.limit = options.limit or _QUICK_RECORDINGS
    options.baselines = "none"
    options.skip = options.skip | {"sound"}
    options.pictures = 0


def _plan(options: argparse.Namespace, converter: VoiceConverter) -> Plan:
    known = [voice.name for voice in converter.manifest.voices]
    voices = options.voices or known
    folders = dict(options.target)
    for name in (*voices, *folders):
        if name not in known:
            raise ControlError(f"the model has no voice {name!r:.60}; it has: {', '.join(known)}")
    if converter.sample_rate_hz != RATE_HZ:
        raise InputError(f"the model works at {converter.sample_rate_hz} Hz; models at {RATE_HZ} Hz can be evaluated")
    recordings, skipped = read_recordings(options.recordings, language=options.language, limit=options.limit)
    if options.output.resolve() in (options.recordings.resolve(), *options.recordings.resolve().parents):
        raise InputError(f"{shown(options.output)} holds the recordings themselves; choose another folder for -o")
    targets: dict[str, tuple[Recording, ...]] = {}
    for voice in voices:
        if voice in folders:
            held_out, left = read_recordings(folders[voice], language=options.language, limit=_HELD_OUT_LIMIT)
            targets[voice] = tuple(held_out)
            skipped += [SkippedFile(f"{voice}: {file.file}", file.reason) for file in left]
    baselines = options.baselines == "all"
    return Plan(tuple(recordings), targets, tuple(voices), options.skip, baselines, tuple(skipped))


def _compared(result: Evaluation, path: Path) -> Evaluation:
    """The evaluation with the bars of a smaller file against a larger one."""
    file, _ = open_input(path, max_bytes=_SCORES_BYTES)
    with file:
        other = Evaluation.from_json(file.read().decode("utf-8", "replace"))
    if (other.sources, other.voices) != (result.sources, result.voices):
        raise InputError(f"{shown(path)} is about other recordings or voices; evaluate that model on these")
    return dataclasses.replace(result, bars=result.bars + bars_against(result.summaries, other.summaries))


def _write(result: Evaluation, output: Path, most_pictures: int) -> None:
    pictures = _pictures(result, output, most_pictures)
    write_atomic(output / "scores.json", [result.to_json().encode()])
    write_atomic(output / "scores.md", [markdown(result).encode()])
    write_atomic(output / "report.html", [render(result, pictures).encode()])


def _pictures(result: Evaluation, output: Path, most: int) -> dict[str, bytes]:
    """Spectrograms of some recordings, spread over the list: before, and in every voice."""
    step = max(1, -(-len(result.sources) // max(most, 1)))
    pictures = {}
    for source in result.sources[::step] if most > 0 else ():
        panels = {}
        for score in result.scores:
            if score.recording == source.name and score.system in (sounds.UNCONVERTED, sounds.CONVERTED):
                title = "before" if score.system == sounds.UNCONVERTED else score.voice
                panels[title] = to_mono(read_audio(output / score.audio, max_seconds=300.0).samples)
        path = output / "pictures" / f"{source.name}.png"
        make_folder(path.parent)
        draw_spectrograms(list(panels.items()), RATE_HZ, path)
        pictures[source.name] = _with_few_colours(path.read_bytes())
    return pictures


def _with_few_colours(png: bytes) -> bytes:
    """The same picture from a palette: a quarter of the bytes, so that eight of them fit into a page."""
    from PIL import Image  # matplotlib, which drew it, brings it

    small = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS).save(small, format="PNG", optimize=True)
    return small.getvalue()


def _summary_text(result: Evaluation, output: Path) -> str:
    rows = [bar_cells(bar) for bar in result.bars if bar.value is not None]
    lines = in_columns(rows)
    lines += [f"left out: {file.file}: {file.reason}" for file in result.skipped_files]
    return "\n".join([*lines, f"written: {output / 'report.html'}, scores.json, scores.md and the sounds beside them"])


def _target(text: str) -> tuple[str, Path]:
    voice, separator, folder = text.partition("=")
    if not (voice and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not VOICE=FOLDER")
    return voice, Path(folder)
