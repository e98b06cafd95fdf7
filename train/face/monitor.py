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
from edge_runtime.face.geometry import FloatArray
from train.face.basis import apply_basis
from train.face.batches import Example, Sampler
from train.face.config import FaceConfig
from train.face.run import HeldOut
from train.face.scoring import (
    basis_reach,
    changed_and_still,
    compose,
    flow_error_px,
    main_unit,
    moving,
    picture_error,
    psnr_db,
    warp_alone,
)

Image = NDArray[np.uint8]
Answer = Callable[[Image, FloatArray], Edit]
"""A crop (S, S, 3) and a change (1, U) to the network's answer."""

FIELDS = (
    *("step", "seconds", "rate", "loss", "flow", "smooth", "epe_px", "mask", "colour", "edges", "picture", "harm"),
    *("shade", "creases", "adversary", "judge"),
    *("heldout_epe_px", "heldout_epe_of_zero", "heldout_epe_of_basis", "heldout_changed_l1"),
    "heldout_photo_spread_px",
)
"""Columns of ``log.csv``."""

CURVES = (
    *("loss", "flow", "epe_px", "mask", "colour", "picture", "shade", "adversary", "judge"),
    *("heldout_epe_px", "heldout_epe_of_zero", "heldout_epe_of_basis", "heldout_changed_l1"),
    "heldout_photo_spread_px",
)


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
    reach = basis_reach(basis)
    composer = Composer(config.crop, config.mask)
    for example in examples:
        edit = answer(example.source, example.delta[None])
        where, length = moving(example)
        error = float(flow_error_px(edit.flow, example)[where].sum())
        linear = apply_basis(basis, example.delta[None])[0]
        linear_error = float(flow_error_px(linear, example)[where].sum())
        ratios["epe"].add(error, float(where.sum()))
        ratios["zero"].add(error, float(length[where].sum()))
        ratios["basis"].add(error, linear_error)
        if (name := main_unit(example.delta, reach, config.units)) is not None:
            units.setdefault(name, _Ratio()).add(error, float(length[where].sum()))
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
    finished, warped = (compose(composer, example.source, one) for one in (edit, warp_alone(edit)))
    changed, still, copied = changed_and_still(example)
    ours, warp_only = (picture_error(image, example.target) for image in (finished, warped))
    ratios["changed"].add(float(ours[changed].sum()), float(copied[changed].sum()))
    ratios["warped"].add(float(warp_only[changed].sum()), float(copied[changed].sum()))
    ratios["harm"].add(float(np.maximum(ours - warp_only, 0.0)[still].sum()), float(still.sum()))


def zero_edit_psnr_db(answer: Answer, examples: Sequence[Example], config: FaceConfig) -> float:
    """What nothing asked for does to a picture; 99 when it comes back as it was."""
    composer = Composer(config.crop, config.mask)
    zero = np.zeros((1, len(config.units)), np.float32)
    square = [
        np.square(compose(composer, e.source, answer(e.source, zero)).astype(np.float32) - e.source).mean()
        for e in examples
    ]
    return psnr_db(float(np.mean(square)))


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
        warped = compose(composer, example.source, warp_alone(edit))
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
