"""``changeling evaluate swap [FOOTAGE] --model FILE -o OUT``: reads the words, judges, writes scores and pictures."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.cli import arguments
from edge_runtime.errors import InputError, MissingDependencyError
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.files import make_folder, write_atomic
from edge_runtime.media.image import READ_SUFFIXES
from edge_runtime.provenance import edit_comment
from train.evaluate import flags
from train.evaluate.results import Bar, SkippedFile, make_bars
from train.evaluate.tables import bar_cells, in_columns, markdown_table
from train.face.dataset import load_dataset
from train.face.evaluate.identity import Dlib, Recogniser
from train.face.evaluate.inputs import list_footage
from train.face.evaluate.pictures import write_picture
from train.face.evaluate.rendered import ssim_map
from train.face.evaluate.side_by_side import SideBySide
from train.face.preprocess import find_largest
from train.face.scoring import psnr_db, touched_square_error
from train.face.swap.collect import HELDOUT_PREFIX
from train.face.swap.evaluate.bars import BARS, GALLERY
from train.face.swap.evaluate.footage import FootageJudge, FootageScore, describe_photos
from train.face.swap.evaluate.measures import mean_of_known
from train.face.swap.evaluate.rendered import Gallery, RenderedJudge, RenderedScore, Vector, summary
from train.face.swap.looks import Look, OwnHalf, RenderedLooks, SwapHalf
from train.face.swap.preprocess import preprocess
from train.progress import Progress

Image = NDArray[np.uint8]

_LIMIT: Final = 200
_FRAMES: Final = 250
_EVERY: Final = 10
_SHEET_ROWS: Final = 12
_GALLERY_MOST: Final = 200


@dataclass(frozen=True)
class SwapEvaluation:
    """Everything that was measured."""

    model: str
    identity: str
    precision: str
    rendered: tuple[RenderedScore, ...]
    gallery: int
    """Identities that the target was looked for among; 0 where none were."""
    footage: tuple[FootageScore, ...]
    skipped: tuple[SkippedFile, ...]
    remarks: tuple[str, ...]
    bars: tuple[Bar, ...]


def main(argv: Sequence[str], recogniser: Callable[[], Recogniser] = Dlib) -> int:
    """Run the command. Raises `ChangelingError`."""
    options = _parser().parse_args(list(argv))
    if options.footage is None and options.data is None:
        raise InputError("give footage, or --data with rendered heads, or both; see changeling evaluate swap --help")
    path = arguments.model_path(options.model)
    if path is None:
        raise InputError("name the swap model with --model FILE")
    converter = edge_runtime.load(path, kind="swap", backend=options.backend, threads=options.threads)
    make_folder(options.output)
    remarks = _on_following(converter, options.follow)
    judge_of_people = _recogniser(options, recogniser, remarks)
    values: dict[str, float | None] = {
        "gmac": converter.manifest.macs_per_frame / 1e9,
        "megabytes": path.stat().st_size / 1e6,
    }
    try:
        rendered, gallery = _rendered(options, converter, judge_of_people, remarks) if options.data else ([], 0)
        footage, skipped = _footage(options, converter, judge_of_people, remarks) if options.footage else ([], [])
        values |= summary(rendered) if rendered else {}
        values |= _footage_values(footage)
        values["against_psnr"] = _against(options, converter, rendered)
    finally:
        converter.close()
    manifest = converter.manifest
    result = SwapEvaluation(
        manifest.name, manifest.identity.name, manifest.precision, tuple(rendered), gallery, tuple(footage),
        tuple(skipped), tuple(remarks), make_bars(BARS, values),
    )  # fmt: skip
    _write(result, options.output)
    return 0


def _on_following(converter: SwapConverter, wish: float | None) -> list[str]:
    """What mended expressions, for a reader. Raises `ControlError` for a wish that cannot be done."""
    share = converter.controls(follow=wish).follow
    if converter.follower is None or share == 0.0:
        return ["Expressions are as the network paints them."]
    macs = converter.follower.macs_per_frame / 1e9
    return [f"Expressions follow by {share:g} with {converter.follower.name}, {macs:.3f} GMAC a face more."]


def _recogniser(options: argparse.Namespace, make: Callable[[], Recogniser], remarks: list[str]) -> Recogniser | None:
    if "identity" in options.skip:
        remarks.append("Left out with --skip: identity.")
        return None
    try:
        return make()
    except MissingDependencyError as error:
        remarks.append(f"Identity was not measured: {error}.")
        return None


def _looks(options: argparse.Namespace, converter: SwapConverter) -> tuple[RenderedLooks, RenderedLooks]:
    """The model's identity in DATA, and all pairs that are held out."""
    dataset = load_dataset(options.data)
    name = options.identity or converter.manifest.identity.name
    folder = preprocess(dataset)
    names = tuple(sorted({pair.identities[1] for pair in dataset.split("heldout", "identity")}))
    if name not in names:
        raise InputError(f"{options.data} holds no held-out pairs of {name!r:.40}; name another with --identity")
    return RenderedLooks.of([folder], "heldout", (name,)), RenderedLooks.of([folder], "heldout", names)


def _rendered(
    options: argparse.Namespace, converter: SwapConverter, recogniser: Recogniser | None, remarks: list[str]
) -> tuple[list[RenderedScore], int]:
    mine, everybody = _looks(options, converter)
    # A held-out identity was adapted to by half of its pairs; one of the base was seen in all, with other sources.
    name = options.identity or converter.manifest.identity.name
    judged = SwapHalf(mine) if name.startswith(HELDOUT_PREFIX) else mine
    gallery = None
    if recogniser is not None:
        gallery = make_gallery(converter, recogniser, mine, everybody)
        if len(gallery) < GALLERY:
            remarks.append(f"Only {len(gallery)} identities are held out, of {GALLERY} wanted: collect more pairs.")
    judge = RenderedJudge(converter, gallery, _ssim(options, remarks), options.follow)
    looks = [look for look in (judged.look(i) for i in range(len(judged))) if not look.own][: options.limit]
    scores: list[RenderedScore] = []
    rows: list[Image] = []
    with Progress(len(looks), "rendered heads") as progress:
        for number, look in enumerate(looks):
            progress.update(number)
            score = judge.score(look, number)
            if score is not None:
                scores.append(score)
            if len(rows) < _SHEET_ROWS and (found := judge.swapped(look.image)) is not None:
                rows.append(np.concatenate([look.image, look.target, found[0]], axis=1))
    if rows:
        comment = edit_comment(model=converter.manifest.name, edit="evaluation")
        write_picture(options.output / "rendered.png", np.concatenate(rows, axis=0), comment)
    return scores, 0 if gallery is None else len(gallery)


def make_gallery(
    converter: SwapConverter, recogniser: Recogniser, mine: RenderedLooks, everybody: RenderedLooks
) -> Gallery:
    """The target by pictures that are not judged, and one picture of every other held-out head, source or target."""

    def described(look: Look, image: Image) -> Vector | None:
        face = find_largest(converter.finder, image)
        return None if face is None else recogniser.describe(recogniser.chip(image, face))

    own = OwnHalf(mine)
    target = [v for i in range(min(len(own), 12)) if (v := described(own.look(i), own.look(i).image)) is not None]
    if not target:
        raise InputError("the device finds no face in the target's pictures; collect more pairs")
    others: dict[str, Vector] = {}
    for number in range(0, len(everybody), 2):
        source = everybody.heads(number)[0]
        if source not in others and len(others) < _GALLERY_MOST:
            look = everybody.look(number)
            if (vector := described(look, look.image)) is not None:
                others[source] = vector
    return Gallery(recogniser, target, list(others.values()))


def _ssim(options: argparse.Namespace, remarks: list[str]) -> Callable[[Image, Image], NDArray[np.float32]] | None:
    if "ssim" in options.skip:
        remarks.append("Left out with --skip: ssim.")
        return None
    try:
        ssim_map(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))
    except MissingDependencyError as error:
        remarks.append(f"SSIM was not measured: {error}.")
        return None
    return ssim_map


def _footage(
    options: argparse.Namespace, converter: SwapConverter, recogniser: Recogniser | None, remarks: list[str]
) -> tuple[list[FootageScore], list[SkippedFile]]:
    target: list[Vector] = []
    if options.target is not None and recogniser is not None:
        photos = sorted(path for path in options.target.rglob("*") if path.suffix.lower() in READ_SUFFIXES)
        target = describe_photos(converter, recogniser, photos)
        if not target:
            raise InputError(f"{options.target} is no folder of photos with a face; give some of the target")
    if not target:
        remarks.append("Nobody said with --target how the target looks: the distance to them was not measured.")
    judge = FootageJudge(converter, recogniser, target, _EVERY, options.frames, options.follow)
    scores: list[FootageScore] = []
    skipped: list[SkippedFile] = []
    listed = list_footage(options.footage)
    comment = edit_comment(model=converter.manifest.name, edit="evaluation")
    with Progress(len(listed), "footage") as progress:
        for number, one in enumerate(listed):

            def told(share: float, number: int = number, name: str = one.name) -> None:
                progress.update(number + share, name)

            try:
                with SideBySide(options.output / f"{one.name}.mp4", comment) as clip:
                    score, shown = judge.score(one, told, clip)
            except InputError as error:
                skipped.append(SkippedFile(one.path.name, str(error)))
                continue
            scores.append(score)
            sheet = np.concatenate(shown[:_SHEET_ROWS], axis=0)
            write_picture(options.output / f"{one.name}.jpg", sheet, comment)
    return scores, skipped


def _footage_values(scores: Sequence[FootageScore]) -> dict[str, float | None]:
    """By the keys of `train.face.swap.evaluate.bars`: means, and of jitter the worst."""
    follow = [score.following for score in scores if score.following is not None]
    return {
        "real_closer": mean_of_known([score.closer for score in scores]),
        "real_expression": mean_of_known([one.error for one in follow]),
        "real_carried": mean_of_known([one.carried for one in follow]),
        "real_jitter": max((score.jitter for score in scores if score.jitter is not None), default=None),
    }


def _against(options: argparse.Namespace, converter: SwapConverter, rendered: Sequence[RenderedScore]) -> float | None:
    """PSNR of pictures finished by the model against those by another file of it, over what either changes."""
    if options.against is None or not rendered:
        return None
    other = edge_runtime.load(options.against, kind="swap", backend=options.backend, threads=options.threads)
    looks = _looks(options, converter)[0]
    ours, theirs = (RenderedJudge(one, None, None, options.follow) for one in (converter, other))
    square, count = 0.0, 0
    for number in range(0, len(looks), 2)[: options.limit]:
        image = looks.look(number).image
        pair = ours.swapped(image), theirs.swapped(image)
        if pair[0] is not None and pair[1] is not None:
            added = touched_square_error(image, pair[0][0], pair[1][0])
            square, count = square + added[0], count + added[1]
    other.close()
    return psnr_db(square / max(count, 1))


def _write(result: SwapEvaluation, output: Path) -> None:
    """Files, and the bars on the screen."""
    rows = [bar_cells(bar) for bar in result.bars]
    lines = [f"# {result.model} ({result.precision}): the face of {result.identity}", ""]
    lines += markdown_table(("what", "measured", "bar", "met"), rows)
    lines += ["", f"{len(result.rendered)} rendered heads, {result.gallery} identities to be told apart, "
              f"{len(result.footage)} photos and videos."]  # fmt: skip
    lines += _per_footage(result.footage)
    lines += [f"Left out: {one.file}: {one.reason}" for one in result.skipped] + list(result.remarks)
    text = json.dumps(dataclasses.asdict(result), indent=1, ensure_ascii=False)
    write_atomic(output / "scores.json", [f"{text}\n".encode()])
    write_atomic(output / "scores.md", ["\n".join([*lines, ""]).encode()])
    print("\n".join(in_columns([row for row, bar in zip(rows, result.bars, strict=True) if bar.value is not None])))
    print("\n".join([*result.remarks, f"written: {output / 'scores.md'}, scores.json, pictures and videos"]))


def _per_footage(scores: Sequence[FootageScore]) -> list[str]:
    """A table of the photos and videos."""
    if not scores:
        return []
    head = ("footage", "frames", "expression", "if it stood still", "carried over", "shape", "from source", "to target",
            "jitter")  # fmt: skip
    rows = []
    for one in scores:
        follow = one.following
        numbers = (
            *((None, None, None) if follow is None else (follow.error, follow.standing_still, follow.carried)),
            *(one.shape, one.source_distance, one.target_distance, one.jitter),
        )
        rows.append((one.name, str(one.frames), *("–" if value is None else f"{value:.3g}" for value in numbers)))
    return ["", *markdown_table(head, rows), ""]


def _parser() -> arguments.Parser:
    parser = arguments.Parser(
        "changeling evaluate swap",
        "Score an exported swap model on rendered heads with exact truth, and on real photos and videos.",
    )
    parser.add_argument("footage", type=Path, nargs="?", metavar="FOOTAGE", help="a photo, a video, or a folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder of the scores")
    arguments.add_model(parser)
    parser.add_argument("--data", type=Path, metavar="DATA", help="rendered pairs of `train face swap collect`")
    parser.add_argument("--identity", metavar="NAME", help="whose face in DATA the model has (the model's own name)")
    parser.add_argument("--target", type=Path, metavar="PHOTOS", help="photos of the target, for FOOTAGE")
    parser.add_argument("--against", type=Path, metavar="FILE", help="another file of the model: how near they are")
    parser.add_argument(
        "--follow", type=arguments.number, metavar="0..1", help="see changeling convert (as it does: 1 where it can)"
    )
    parser.add_argument("--limit", type=flags.count, default=_LIMIT, metavar="N", help=f"rendered heads ({_LIMIT})")
    parser.add_argument(
        "--frames", type=flags.count, default=_FRAMES, metavar="N", help=f"of a video from its beginning ({_FRAMES})"
    )
    parser.add_argument(
        "--skip",
        type=flags.some_of(("identity", "ssim")),
        default=frozenset(),
        metavar="LIST",
        help="identity and ssim need packages of `make evaluate`",
    )
    return parser
