"""How a run does on heads it never saw, and pictures of it, by the device's own way of composing a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.compose import Composer
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import FloatArray, Similarity
from train.face.basis import apply_basis
from train.face.batches import Example, Sampler
from train.face.config import FaceConfig
from train.face.run import HeldOut

Image = NDArray[np.uint8]
Answer = Callable[[Image, FloatArray], Edit]
"""A crop (S, S, 3) and a change (1, U) to the network's answer."""

FIELDS = (
    *("step", "seconds", "rate", "loss", "flow", "smooth", "epe_px", "mask", "colour", "edges", "picture", "harm"),
    *("heldout_epe_px", "heldout_epe_of_zero", "heldout_epe_of_basis", "heldout_changed_l1"),
)
"""Columns of ``log.csv``."""

CURVES = (
    *("loss", "flow", "epe_px", "mask", "colour", "picture"),
    *("heldout_epe_px", "heldout_epe_of_zero", "heldout_epe_of_basis", "heldout_changed_l1"),
)

HERE = Similarity(1.0, 0.0, 0.0, 0.0)
"""The crop is its own photo."""

_MOVING_PX = 1.0
_CHANGED = 0.03
_UNCHANGED = 0.01
_OWN_SHARE = 0.6
"""An edit counts for a unit when at least this share of what it is expected to move is the unit's doing."""


@dataclass
class _Ratio:
    """A sum over a sum."""

    above: float = 0.0
    below: float = 0.0

    def add(self, above: float, below: float) -> None:
        self.above += above
        self.below += below

    def value(self) -> float:
        return self.above / max(self.below, 1e-9)


def score(answer: Answer, examples: Sequence[Example], basis: FloatArray, config: FaceConfig) -> dict[str, float]:
    """Scores over held-out edits, named and in the unit of their name.

    ``epe_px`` is the mean length of the flow's error over what really moves, ``epe_of_zero`` and ``epe_of_basis`` are
    that error over what it is without any flow and with the linear basis alone; ``changed_l1`` the error of changed
    pixels over what it is when nothing is done, ``warped_l1`` the same by warping alone; ``harm_l1`` how much worse
    than the warp unchanged pixels are; ``epe_of_zero_UNIT`` the first of them over edits that are mostly one unit's.
    """
    ratios = {name: _Ratio() for name in ("epe", "zero", "basis", "changed", "warped", "harm")}
    units: dict[str, _Ratio] = {}
    reach = np.abs(basis).sum(axis=(1, 2, 3))
    composer = Composer(config.crop, config.mask)
    for example in examples:
        edit = answer(example.source, example.delta[None])
        length = np.linalg.norm(example.flow, axis=-1)
        moving = (length > _MOVING_PX) & (example.known > 0.5)
        error = float(np.linalg.norm(edit.flow - example.flow, axis=-1)[moving].sum())
        linear = apply_basis(basis, example.delta[None])[0]
        linear_error = float(np.linalg.norm(linear - example.flow, axis=-1)[moving].sum())
        ratios["epe"].add(error, float(moving.sum()))
        ratios["zero"].add(error, float(length[moving].sum()))
        ratios["basis"].add(error, linear_error)
        if (name := _mainly(example.delta, reach, config.units)) is not None:
            units.setdefault(name, _Ratio()).add(error, float(length[moving].sum()))
        _add_picture_scores(ratios, example, edit, composer)
    found = {
        "epe_px": ratios["epe"].value(),
        "epe_of_zero": ratios["zero"].value(),
        "epe_of_basis": ratios["basis"].value(),
        "changed_l1": ratios["changed"].value(),
        "warped_l1": ratios["warped"].value(),
        "harm_l1": ratios["harm"].value(),
    }
    found |= {f"epe_of_zero_{name}": ratio.value() for name, ratio in sorted(units.items()) if ratio.below > 0.0}
    return {name: round(value, 5) for name, value in found.items()}


def _add_picture_scores(ratios: dict[str, _Ratio], example: Example, edit: Edit, composer: Composer) -> None:
    finished = compose(composer, example.source, edit)
    warped = compose(composer, example.source, Edit(edit.flow, np.zeros_like(edit.mask), edit.rgb))
    copied, ours, warp_only = (_error(image, example.target) for image in (example.source, finished, warped))
    changed, still = copied > _CHANGED, copied < _UNCHANGED
    ratios["changed"].add(float(ours[changed].sum()), float(copied[changed].sum()))
    ratios["warped"].add(float(warp_only[changed].sum()), float(copied[changed].sum()))
    ratios["harm"].add(float(np.maximum(ours - warp_only, 0.0)[still].sum()), float(still.sum()))


def compose(composer: Composer, image: Image, edit: Edit) -> Image:
    """The finished crop, exactly as the device makes it."""
    out = image.copy()
    composer.paste(out, edit, HERE)
    return out


def _mainly(delta: FloatArray, reach: FloatArray, units: Sequence[str]) -> str | None:
    """The unit that most of an edit is, or None."""
    share = np.abs(delta) * reach
    if share.sum() <= 0.0:
        return None
    index = int(share.argmax())
    return units[index] if share[index] >= _OWN_SHARE * share.sum() else None


def _error(image: Image, target: Image) -> FloatArray:
    return np.asarray(np.abs(image.astype(np.float32) - target).mean(axis=-1) / 255.0, np.float32)


def zero_edit_psnr_db(answer: Answer, examples: Sequence[Example], config: FaceConfig) -> float:
    """What nothing asked for does to a picture; 99 when it comes back as it was."""
    composer = Composer(config.crop, config.mask)
    zero = np.zeros((1, len(config.units)), np.float32)
    square = [
        np.square(compose(composer, e.source, answer(e.source, zero)).astype(np.float32) - e.source).mean()
        for e in examples
    ]
    return float(min(99.0, 10.0 * np.log10(255.0**2 / max(float(np.mean(square)), 1e-9))))


def heldout_examples(sampler: Sampler, limit: int) -> list[Example]:
    """At most ``limit`` edits as they are, spread over the split, both directions in turn."""
    numbers = np.unique(np.linspace(0, len(sampler) - 1, min(limit, len(sampler))).astype(int))
    return [sampler.plain(int(number), reverse=bool(i % 2)) for i, number in enumerate(numbers)]


def heldout_crops(examples: Sequence[Example]) -> HeldOut:
    """What export proves its files on."""
    return HeldOut(
        np.stack([e.source for e in examples]),
        np.stack([e.target for e in examples]),
        np.stack([e.delta for e in examples]),
    )


def write_sheet(path: Path, answer: Answer, examples: Sequence[Example], config: FaceConfig) -> None:
    """A contact sheet: the picture, what is wanted, the result, the warp alone, mask, and three times the error."""
    composer = Composer(config.crop, config.mask)
    rows = []
    for example in examples:
        edit = answer(example.source, example.delta[None])
        finished = compose(composer, example.source, edit)
        warped = compose(composer, example.source, Edit(edit.flow, np.zeros_like(edit.mask), edit.rgb))
        mask = np.repeat(np.rint(255.0 * np.clip(edit.mask, 0.0, 1.0)).astype(np.uint8), 3, axis=2)
        error = np.clip(3.0 * np.abs(finished.astype(np.float32) - example.target), 0.0, 255.0).astype(np.uint8)
        rows.append(np.concatenate([example.source, example.target, finished, warped, mask, error], axis=1))
    write_picture(path, np.concatenate(rows, axis=0))


def write_picture(path: Path, image: Image) -> None:
    """A PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name("new-" + path.name)
    cv2.imwrite(str(temporary), image[..., ::-1])
    temporary.replace(path)
