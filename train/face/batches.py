"""Batches for training: pairs in either direction, mirrored or not, cut out as another look at the face would.

Step n's batch depends on the seed and on n alone, so a resumed run sees exactly what an uninterrupted one would have.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.face.geometry import FloatArray, Similarity, align
from edge_runtime.face.remap import sample
from train.face.augment import (
    Augmentation,
    degrade,
    draw_occluder,
    jitter_five,
    mirror_five,
    mirror_of,
    recolour,
    soften,
)
from train.face.config import FaceConfig
from train.face.preprocess import FRAME_SCALE, Aligned, load_shard, shard_paths
from train.prefetch import Batch, stream

_SHIFTING_PIXELS = 0.05
"""Change of a picture (0..1) from which on warping alone cannot be all."""
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Example:
    """One edit as the network meets it; S crop size, G flow cells."""

    image: NDArray[np.uint8]
    """(S, S, 3) what the network reads."""
    source: NDArray[np.uint8]
    """(S, S, 3) what is warped: the same without noise."""
    target: NDArray[np.uint8]
    """(S, S, 3) what must come out."""
    delta: FloatArray
    """(U,)"""
    flow: FloatArray
    """(G, G, 2) backward, crop pixels."""
    known: FloatArray
    """(G, G) 0..1"""
    hidden: FloatArray
    """(S, S) 0..1"""


class Sampler:
    """Draws examples from the aligned pairs of one split, all held in memory."""

    def __init__(
        self,
        shards: Sequence[Aligned],
        config: FaceConfig,
        how: Augmentation | None = None,
        *,
        both_ways: bool = True,
        painted: bool = True,
    ) -> None:
        """``both_ways``: pairs are edits in either direction, not from A to B alone. ``painted``: the second picture is
        what must come out, and not just the first one warped."""
        self._config = config
        self._both_ways, self._painted = both_ways, painted
        self._how = how or Augmentation()
        self._mirror = mirror_of(config.units)
        self._shards = list(shards)
        self._starts = np.cumsum([0] + [len(shard) for shard in self._shards])

    @classmethod
    def of(
        cls,
        folders: Sequence[Path],
        config: FaceConfig,
        split: str,
        how: Augmentation | None = None,
        *,
        both_ways: bool = True,
        painted: bool = True,
    ) -> Sampler:
        """A split of ``folders`` of `train.face.preprocess`; all their pairs count alike.

        Raises `WorkstationError` when the split holds no pair that fits the configuration.
        """
        paths = [path for folder in folders for path in shard_paths(folder, split)]
        shards = [shard for path in paths if (shard := load_shard(path)) is not None]
        where = " or ".join(str(folder) for folder in folders)
        if not shards:
            raise WorkstationError(f"there are no {split} pairs in {where}; collect more pairs of expressions")
        if any(shard.units.shape[-1] != len(config.units) for shard in shards):
            raise WorkstationError(f"{where} has other units than this version; collect again")
        return cls(shards, config, how, both_ways=both_ways, painted=painted)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """``size`` augmented examples by name, stacked: float32, images 0..1."""
        return stack([self.draw(rng) for _ in range(size)], painted=self._painted)

    def draw(self, rng: np.random.Generator) -> Example:
        """One pair at random, in one of its directions, augmented."""
        number = int(rng.integers(len(self)))
        return self.draw_pair(number, bool(rng.random() < 0.5) and self._both_ways, rng)[0]

    def draw_pair(self, number: int, reverse: bool, rng: np.random.Generator) -> tuple[Example, FloatArray]:
        """Pair ``number``, augmented, and the units (U,) of what must come out."""
        pairs, index = self._pair(number)
        flip = bool(rng.random() < 0.5)
        five = jitter_five(pairs.five[index, int(reverse)], FRAME_SCALE, self._how, rng)
        example = self._example(pairs, index, reverse, flip, five)
        after = pairs.units[index, int(not reverse)]
        return self._augmented(example, rng), self._mirror.apply(after) if flip else after

    def growing(self, units: Sequence[str], least: float) -> list[tuple[int, bool]]:
        """Numbers and directions of the pairs in which one of ``units`` grows by ``least`` or more."""
        columns = [self._config.units.index(name) for name in units]
        found = []
        for number in range(len(self)):
            pairs, index = self._pair(number)
            change = (pairs.units[index, 1] - pairs.units[index, 0])[columns]
            for reverse, grown in ((False, change), (True, -change))[: 1 + self._both_ways]:
                if float(grown.max()) >= least:
                    found.append((number, reverse))
        return found

    def plain(self, number: int, reverse: bool = False) -> Example:
        """Pair ``number`` as it is, cut out by the device's own five points: what is judged on."""
        pairs, index = self._pair(number)
        return self._example(pairs, index, reverse, False, pairs.five[index, int(reverse)])

    def flows(self, limit: int, rng: np.random.Generator) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Changes, flows and weights of at most ``limit`` edits, for `train.face.basis`: each pair in both directions,
        and each of these mirrored, so that the basis knows no side."""
        chosen = rng.permutation(len(self))[: max(1, limit // 4)]
        for start in range(0, len(chosen), _CHUNK):
            examples = []
            for number in chosen[start : start + _CHUNK]:
                pairs, index = self._pair(int(number))
                examples += [
                    self._example(pairs, index, reverse, flip, pairs.five[index, int(reverse)])
                    for reverse in (False, True)
                    for flip in (False, True)
                ]
            yield (
                np.stack([e.delta for e in examples]),
                np.stack([e.flow for e in examples]),
                np.stack([flow_weight(e.known, e.hidden) for e in examples]),
            )

    def _pair(self, number: int) -> tuple[Aligned, int]:
        shard = int(np.searchsorted(self._starts, number, "right")) - 1
        return self._shards[shard], number - int(self._starts[shard])

    def _example(self, pairs: Aligned, index: int, reverse: bool, flip: bool, five: FloatArray) -> Example:
        """The crop that ``five`` (5, 2) of the source picture gives; flipped after, with all that belongs to it."""
        first, second = (1, 0) if reverse else (0, 1)
        images: tuple[NDArray[np.uint8], ...] = (pairs.images[index, first], pairs.images[index, second])
        field = np.concatenate(
            [
                pairs.flows[index, first].astype(np.float32),
                pairs.known[index, first][..., None].astype(np.float32) * np.float32(1.0 / 255.0),
            ],
            axis=-1,
        )
        hidden = pairs.hidden[index, first][..., None]
        delta = pairs.units[index, second] - pairs.units[index, first]
        if flip:
            images = tuple(np.ascontiguousarray(image[:, ::-1]) for image in images)
            field = np.ascontiguousarray(field[:, ::-1]) * np.array((-1.0, 1.0, 1.0), np.float32)
            hidden = np.ascontiguousarray(hidden[:, ::-1])
            delta = self._mirror.apply(delta)
            five = mirror_five(five, images[0].shape[1])
        return self._cut(images, field, hidden, delta, align(five, self._config.crop))

    def _cut(
        self,
        images: tuple[NDArray[np.uint8], ...],
        field: FloatArray,
        hidden: NDArray[np.uint8],
        delta: FloatArray,
        to_crop: Similarity,
    ) -> Example:
        """Everything of a frame in the crop that ``to_crop`` takes the frame to."""
        size, cells, cell = self._config.crop.size_px, self._config.flow_cells, float(self._config.cell_px)
        back = to_crop.inverse()
        cell_to_crop = Similarity(cell, 0.0, (cell - 1.0) / 2.0, (cell - 1.0) / 2.0)
        frame_to_field = Similarity(0.5, 0.0, -0.25, -0.25)
        found = sample(field, frame_to_field.after(back).after(cell_to_crop), (cells, cells), black_outside=True)
        source, target = (sample(image, back, (size, size)) for image in images)
        gap = sample(hidden, back, (size, size), black_outside=True)[..., 0].astype(np.float32)
        flow = to_crop.turn(np.ascontiguousarray(found[..., :2]))
        return Example(source, source, target, delta, flow, found[..., 2], gap * np.float32(1.0 / 255.0))

    def _augmented(self, example: Example, rng: np.random.Generator) -> Example:
        how = self._how
        source, target = soften(recolour((example.source, example.target), how, rng), how, rng)
        flow, known, hidden = example.flow, example.known, example.hidden
        if rng.random() < how.occluder_share:
            where = draw_occluder((source, target), rng)
            cell = self._config.cell_px
            covered = np.asarray(where.reshape(flow.shape[0], cell, flow.shape[1], cell).any(axis=(1, 3)))
            flow, known = np.where(covered[..., None], np.float32(0.0), flow), np.where(covered, np.float32(1.0), known)
            hidden = np.where(where, np.float32(0.0), hidden)
        return Example(degrade(source, how, rng), source, target, example.delta, flow, known, hidden)


def flow_weight(known: FloatArray, hidden: FloatArray) -> FloatArray:
    """(G, G) how much a cell's flow counts: fully where both pictures show the point, less where it must be invented
    (the skin of a closing lid still moves somewhere), and not at all where nothing is known."""
    cell = hidden.shape[0] // known.shape[0]
    gap = hidden.reshape(known.shape[0], cell, known.shape[1], cell).mean(axis=(1, 3))
    return np.clip(known + HIDDEN_FLOW_WEIGHT * gap, 0.0, 1.0).astype(np.float32)


HIDDEN_FLOW_WEIGHT = 0.3


def stack(examples: list[Example], *, painted: bool = True) -> Batch:
    """Examples as one batch by name; ``painted`` says for all of them what `train.face.losses.head_terms` asks."""
    scale = np.float32(1.0 / 255.0)
    batch = {
        name: np.stack([getattr(e, name) for e in examples]).astype(np.float32) * scale
        for name in ("image", "source", "target")
    }
    batch["delta"] = np.stack([e.delta for e in examples]).astype(np.float32)
    batch["flow"] = np.stack([e.flow for e in examples]).astype(np.float32)
    batch["weight"] = np.stack([flow_weight(e.known, e.hidden) for e in examples])
    batch["hidden"] = np.stack([e.hidden for e in examples]).astype(np.float32)
    batch["painted"] = np.full(len(examples), painted, np.float32)
    return batch


class Batches(Protocol):
    """Whatever draws batches."""

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """See `Sampler.batch`."""


def stream_batches(sampler: Batches, size: int, seed: int, first_step: int) -> Generator[Batch, None, None]:
    """Batches of step first_step, first_step + 1, …, prepared ahead on a thread of its own."""
    return stream(lambda rng: sampler.batch(size, rng), seed, first_step)
