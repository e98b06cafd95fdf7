"""How a swap run does on faces it never saw, and pictures of it, by the device's own way of composing a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.compose import blend_over, open_gate
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.swapper import Swapped
from train.face.monitor import write_picture
from train.face.scoring import HERE, psnr_db
from train.face.swap.batches import SwapExample, SwapSampler
from train.face.swap.device import MASK
from train.face.swap.occluders import cover
from train.face.swap.run import SwapHeldOut

Image = NDArray[np.uint8]
Answer = Callable[[Image, int], Swapped]
"""A crop (S, S, 3) and the row of an identity to the network's answer."""

FIELDS: Final = (
    *("step", "seconds", "rate", "loss", "structure", "colour", "edges", "mask", "spread"),
    *("heldout_l1_of_nothing", "heldout_psnr_db", "heldout_psnr_gain_db", "heldout_mask_iou", "heldout_covered_iou"),
)
"""Columns of ``log.csv``."""
CURVES: Final = FIELDS[3:]


def score(answer: Answer, examples: Sequence[SwapExample]) -> dict[str, float]:
    """Scores over held-out faces, named and in the unit of their name.

    ``l1_of_nothing`` is the error where the face shows over that of doing nothing and ``psnr_gain_db`` the same in dB,
    both only where nothing is not right already; ``psnr_db`` is the error itself; ``mask_iou`` and ``covered_iou`` are
    intersection over union of the mask with the true one, without and with something drawn over the face.
    """
    sums = dict.fromkeys(("l1", "nothing_l1", "square", "nothing_square", "pixels"), 0.0)
    overlaps: dict[str, list[float]] = {"mask_iou": [], "covered_iou": []}
    rng = np.random.default_rng(0)
    for example in examples:
        swapped = answer(example.image, example.identity)
        for name, picture in (("", finish(example.image, swapped)), ("nothing_", example.image)):
            error = np.abs(picture.astype(np.float32) - example.target)[example.shown > 0.5]
            sums[f"{name}l1"] += float(error.sum())
            sums[f"{name}square"] += float(np.square(error).sum())
        sums["pixels"] += float(error.size)
        overlaps["mask_iou"].append(overlap(swapped.mask, example.shown))
        covered = example.image.copy()
        free = np.where(cover(covered, rng), np.float32(0.0), example.shown)
        overlaps["covered_iou"].append(overlap(answer(covered, example.identity).mask, free))
    square, nothing = (sums[name] / max(sums["pixels"], 1.0) for name in ("square", "nothing_square"))
    found = {"psnr_db": psnr_db(square)}
    if sums["nothing_l1"] > 0.0:  # a person's own photos are right as they are
        found["l1_of_nothing"] = sums["l1"] / sums["nothing_l1"]
        found["psnr_gain_db"] = psnr_db(square) - psnr_db(nothing)
    found |= {name: float(np.mean(values)) for name, values in overlaps.items()}
    return {name: round(value, 5) for name, value in found.items()}


def finish(image: Image, swapped: Swapped) -> Image:
    """The finished crop as the device makes it without matching colours; (S, S, 3)."""
    return blend_over(image, open_gate(swapped.mask, MASK), swapped.rgb, HERE)


def overlap(mask: FloatArray, true: FloatArray) -> float:
    """Intersection over union of two masks (S, S) or (S, S, 1), each taken from a half up."""
    ours, theirs = mask.reshape(true.shape) > 0.5, true > 0.5
    union = float((ours | theirs).sum())
    return float((ours & theirs).sum()) / union if union else 1.0


def heldout_examples(sampler: SwapSampler, limit: int, step: int = 1) -> list[SwapExample]:
    """At most ``limit`` looks as they are, every ``step``-th, spread over the split."""
    numbers = np.unique(np.linspace(0, (len(sampler) - 1) // step, limit).astype(int)) * step
    return [sampler.plain(int(number)) for number in numbers]


def heldout_of(examples: Sequence[SwapExample]) -> SwapHeldOut:
    """What export proves its files on."""
    return SwapHeldOut(
        np.stack([e.image for e in examples]),
        np.stack([e.target for e in examples]),
        np.array([e.identity for e in examples], np.int32),
    )


def write_sheet(path: Path, answer: Answer, examples: Sequence[SwapExample]) -> None:
    """A contact sheet: the picture, what is wanted, the result, the face alone, the mask, and the true mask."""
    rows = []
    for example in examples:
        swapped = answer(example.image, example.identity)
        painted = np.rint(255.0 * np.clip(swapped.rgb, 0.0, 1.0)).astype(np.uint8)
        masks = [_grey(swapped.mask[..., 0]), _grey(example.shown)]
        parts = [example.image, example.target, finish(example.image, swapped), painted, *masks]
        rows.append(np.concatenate(parts, axis=1))
    write_picture(path, np.concatenate(rows, axis=0))


def _grey(share: FloatArray) -> Image:
    return np.repeat(np.rint(255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)[..., None], 3, axis=2)
