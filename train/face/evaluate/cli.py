"""``changeling evaluate face [FOOTAGE] --model FILE -o OUT``: reads the words, runs the parts, writes the files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.cli import arguments
from edge_runtime.errors import InputError, MissingDependencyError
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.geometry import FloatArray
from edge_runtime.files import make_folder, shown, write_atomic
from edge_runtime.provenance import edit_comment
from train.evaluate import flags
from train.evaluate.memory import Memory
from train.evaluate.results import SkippedFile
from train.evaluate.tables import in_columns
from train.face.basis import fit_basis
from train.face.batches import Sampler
from train.face.dataset import EDITS, FaceDataset, PairRecord, load_dataset
from train.face.evaluate.bars import bar_cells
from train.face.evaluate.clips import VideoPlan
from train.face.evaluate.edits import wishes
from train.face.evaluate.eyes import EyeJudge, Eyes
from train.face.evaluate.features import FeatureJudge, FeatureRow
from train.face.evaluate.identity import Dlib, Likeness, Recogniser
from train.face.evaluate.inputs import list_footage
from train.face.evaluate.page import render
from train.face.evaluate.pictures import write_sheets, write_strips
from train.face.evaluate.rendered import HeadJudge, HeadScore, evaluation_config, ssim_map
from train.face.evaluate.results import Evaluation
from train.face.evaluate.run import Plan, Run
from train.face.evaluate.summarise import reference_of
from train.face.evaluate.table import markdown
from train.face.preprocess import align_pair, find_pair
from train.face.units import FEATURE_NAMES, UNIT_NAMES
from train.packages import cache_dir
from train.progress import Progress

Image = NDArray[np.uint8]

MEASURES: Final = ("identity", "ssim")
"""What can be left out with --skip, because it needs a package of its own."""
_EDITS: Final = 400
_QUICK_EDITS: Final = 64
_BASIS_PAIRS: Final = 320
_PEOPLE: Final = 40
_STRIPS: Final = "rendered-units.png"


def main(argv: Sequence[str], recogniser: Callable[[], Recogniser] = Dlib, eyes: Callable[[], Eyes] = EyeJudge) -> int:
    """Run the command. Raises `ChangelingError`."""
    options = _parser().parse_args(list(argv))
    if options.footage is None and options.data is None:
        raise InputError("give footage, or --data with rendered heads, or both; see changeling evaluate face --help")
    if options.quick:
        _make_quick(options)
    converter = _open(options.model, options)
    other = None if options.against is None else _open(options.against, options)
    try:
        return _evaluate(options, converter, other, eyes(), recogniser)
    finally:
        for one in (converter, other):
            if one is not None:
                one.close()


def _evaluate(
    options: argparse.Namespace,
    converter: FaceConverter,
    other: FaceConverter | None,
    eyes: Eyes,
    recogniser: Callable[[], Recogniser],
) -> int:
    plan = _plan(options)
    output: Path = options.output
    make_folder(output)
    remarks: list[str] = []
    likeness = _likeness(options, recogniser, remarks) if plan.footage else None
    rendered, real, judge = None, None, None
    scores: list[HeadScore] = []
    features: tuple[FeatureRow, ...] = ()
    feature_sheets: list[str] = []
    skipped: tuple[SkippedFile, ...] = ()
    with Progress(plan.work(len(wishes(converter))), "evaluating") as progress:
        run = Run(converter, output, eyes, likeness, progress.update)
        if plan.dataset is not None:
            judge, about = _head_judge(options, converter, other, eyes, plan.dataset, remarks)
            rendered, scores = run.rendered(plan, judge, about)
        features, feature_sheets = _features(run, plan, FeatureJudge(converter, eyes))
        if plan.footage:
            real, skipped = run.real(plan, reference_of(scores))
    result = run.evaluation(rendered, real, features, skipped, remarks)
    strips = "" if judge is None else _strips(output, plan, judge, scores, converter.manifest.name)
    _write(result, output, strips, feature_sheets)
    print(_summary_text(result, output))
    return 0


def _features(run: Run, plan: Plan, judge: FeatureJudge) -> tuple[tuple[FeatureRow, ...], list[str]]:
    """Their rows, and sheets to look at; nothing without rendered pairs that tell what they truly do."""
    if not plan.feature_pairs:
        return (), []
    return run.features(plan, judge), run.feature_sheets(plan, judge)


def _plan(options: argparse.Namespace) -> Plan:
    dataset = None if options.data is None else load_dataset(options.data)
    footage = () if options.footage is None else tuple(list_footage(options.footage))
    given = options.footage
    if given is not None and options.output.resolve() in (given.resolve(), *given.resolve().parents):
        raise InputError(f"{shown(options.output)} holds the footage itself; choose another folder for -o")
    video = VideoPlan(options.seconds, options.frames, options.clip)
    against = "" if options.against is None else options.against.name
    feature_pairs, people = _feature_plan(dataset, options.limit)
    return Plan(dataset, _pairs(dataset, options.limit), footage, video, against, feature_pairs, people)


def _feature_plan(dataset: FaceDataset | None, limit: int) -> tuple[tuple[PairRecord, ...], tuple[PairRecord, ...]]:
    """At most ``limit`` held-out pairs that differ in features alone, and one pair for each of their people."""
    pairs = () if dataset is None else dataset.split("heldout", "feature")
    alone = [pair for pair in pairs if set(pair.changed) <= set(FEATURE_NAMES)][:limit]
    first = {pair.identities: pair for pair in reversed(alone)}
    return tuple(alone), tuple(first.values())[:_PEOPLE]


def _pairs(dataset: FaceDataset | None, limit: int) -> tuple[tuple[PairRecord, bool], ...]:
    """At most ``limit`` held-out pairs spread over the heads, forwards and backwards in turn."""
    if dataset is None:
        return ()
    records = dataset.split("heldout")
    if not records:
        raise InputError(f"{dataset.root} holds no held-out pairs of expressions; collect more pairs")
    chosen = np.unique(np.linspace(0, len(records) - 1, min(limit, len(records))).astype(int))
    return tuple((records[number], bool(i % 2)) for i, number in enumerate(chosen))


def _open(path: str | Path | None, options: argparse.Namespace) -> FaceConverter:
    found = path if isinstance(path, Path) else arguments.model_path(path)
    return edge_runtime.load(found, kind="face", backend=options.backend, threads=options.threads)


def _likeness(options: argparse.Namespace, recogniser: Callable[[], Recogniser], remarks: list[str]) -> Likeness | None:
    if "identity" in options.skip:
        remarks.append("Left out with --skip: identity.")
        return None
    try:
        return Likeness(recogniser, Memory(cache_dir() / "evaluate"))
    except MissingDependencyError as error:
        remarks.append(f"Identity was not measured: {error}.")
        return None


def _head_judge(
    options: argparse.Namespace,
    converter: FaceConverter,
    other: FaceConverter | None,
    eyes: Eyes,
    dataset: FaceDataset,
    remarks: list[str],
) -> tuple[HeadJudge, str]:
    """The judge, and what its scores follow from."""
    ssim: Callable[[Image, Image], FloatArray] | None = ssim_map
    if "ssim" in options.skip:
        ssim = None
        remarks.append("Left out with --skip: ssim.")
    else:
        try:
            ssim_map(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))
        except MissingDependencyError as error:
            ssim = None
            remarks.append(f"SSIM was not measured: {error}.")
    basis = _basis(converter, dataset, options.output)
    if basis is None:
        remarks.append("The linear basis was not judged: DATA holds no training pairs to fit it to.")
    about = f"{ssim is not None} {'' if basis is None else float(np.abs(basis).sum()):} "
    about += "" if other is None else other.manifest.graph_sha256
    return HeadJudge(converter, basis, eyes, other, ssim), about


def _basis(converter: FaceConverter, dataset: FaceDataset, output: Path) -> FloatArray | None:
    """The linear basis of DATA's training pairs, fitted to some of them; kept with the notes of OUT."""
    kept = output / ".notes" / "basis.npy"
    if kept.is_file():
        return np.asarray(np.load(kept, allow_pickle=False), np.float32)
    records = dataset.split("train", *EDITS)
    config = evaluation_config(converter.manifest)
    aligned = []
    with Progress(min(len(records), _BASIS_PAIRS), "fitting the linear basis") as progress:
        for number, record in enumerate(records[:: max(1, len(records) // _BASIS_PAIRS)][:_BASIS_PAIRS]):
            progress.update(number)
            if found := find_pair(dataset.root / record.file, dataset.landmarks, converter.finder):
                aligned.append(align_pair(found[0], (found[1].five, found[2].five), config.crop))
    if not aligned:
        return None
    flows = Sampler(aligned, config).flows(4 * len(aligned), np.random.default_rng(0))
    basis = fit_basis(flows, len(config.units), config.flow_cells)
    make_folder(kept.parent)
    np.save(kept, basis)
    return basis


def _strips(output: Path, plan: Plan, judge: HeadJudge, scores: Sequence[HeadScore], model: str) -> str:
    """Each unit's middle edit as a strip; the name of the file, or empty."""
    assert plan.dataset is not None
    strips = []
    for unit in UNIT_NAMES:
        mine = sorted((s for s in scores if s.unit == unit), key=lambda s: _changed(s))
        if not mine:
            continue
        middle = mine[len(mine) // 2]
        record, reverse = next(pair for pair in plan.pairs if pair[0].file == middle.file)
        strip = judge.strip(plan.dataset, record, reverse=reverse)
        if strip is not None:
            strips.append((f"{unit} {middle.delta[UNIT_NAMES.index(unit)]:+.1f}", strip))
    if not strips:
        return ""
    write_strips(output / _STRIPS, strips, edit_comment(model=model, edit="evaluation"))
    return _STRIPS


def _changed(score: HeadScore) -> float:
    above, below = score.sums["changed_l1/file"]
    return above / max(below, 1e-9)


def _write(result: Evaluation, output: Path, strips: str, feature_sheets: Sequence[str]) -> None:
    comment = edit_comment(model=result.model, edit="evaluation")
    sheets: list[str] = []
    videos: list[str] = []
    if result.real is not None:
        kept = [score for score in result.real.scores if score.picture]
        rows = [
            [(score.edit, output / score.picture) for score in kept if (score.item, score.frame) == place]
            for place in dict.fromkeys((score.item, score.frame) for score in kept)
        ]
        sheets = write_sheets(output, rows, comment)
        names = [f"videos/{item.name}.mp4" for item in result.real.items]
        videos = [name for name in names if (output / name).is_file()]
    write_atomic(output / "scores.json", [result.to_json().encode()])
    write_atomic(output / "scores.md", [markdown(result).encode()])
    write_atomic(output / "report.html", [render(result, [*sheets, *feature_sheets], strips, videos).encode()])


def _summary_text(result: Evaluation, output: Path) -> str:
    lines = in_columns([bar_cells(bar) for bar in result.bars if bar.value is not None])
    lines += [f"left out: {file.file}: {file.reason}" for file in result.skipped_files]
    lines += list(result.remarks)
    return "\n".join([*lines, f"written: {output / 'report.html'}, scores.json, scores.md, pictures and videos"])


def _make_quick(options: argparse.Namespace) -> None:
    options.limit = min(options.limit, _QUICK_EDITS)
    options.skip = options.skip | {"identity"}
    options.seconds, options.frames, options.clip = 4.0, 6, 24


def _parser() -> arguments.Parser:
    parser = arguments.Parser(
        "changeling evaluate face",
        "Score an exported face model on real photos and videos, and on rendered heads with exact truth.",
    )
    parser.add_argument(
        "footage",
        type=Path,
        nargs="?",
        metavar="FOOTAGE",
        help="a photo, a video, or a folder of both, none of it trained on",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder of page and pictures")
    arguments.add_model(parser)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DATA",
        help="rendered pairs of `changeling train face collect`, of which those held out are judged; only read",
    )
    parser.add_argument("--against", type=Path, metavar="FILE", help="another file of the model: how near they are")
    parser.add_argument(
        "--limit", type=flags.count, default=_EDITS, metavar="N", help=f"rendered edits judged ({_EDITS})"
    )
    parser.add_argument(
        "--seconds", type=arguments.number, default=20.0, metavar="S", help="of a video from its beginning (20); 0: all"
    )
    parser.add_argument(
        "--frames", type=flags.count, default=24, metavar="N", help="frames of a video with every edit (24)"
    )
    parser.add_argument(
        "--clip", type=flags.count, default=72, metavar="N", help="consecutive frames for jitter and the clip (72)"
    )
    parser.add_argument(
        "--skip", type=flags.some_of(MEASURES), default=frozenset(), metavar="A,B", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_EDITS} rendered edits, four seconds of a video, no identity: a first look",
    )
    return parser
