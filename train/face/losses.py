"""What training minimises: first the flow, then what must be invented, and the finished picture.

Flow: L1 against the exact one, divided by how much the edit moves at all, so that a blink counts as much as an open
jaw. Invented pixels are a few in a thousand: their mask is taught with a strong weight on what is hidden, their colour
inside only, and everything about them in the patches only. The finished picture may nowhere be worse than the warp.
Shades: the error that they leave of the warped picture, wherever the warp knows what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from edge_runtime.face_path_contract import MaskSpec
from train.face.adversary import Adversary
from train.face.config import FaceConfig
from train.face.render_out import blend, gate, shaded, upsample_flow, upsample_shade, warp
from train.face.units import EXPRESSIONS
from train.face.windows import window_means

Tensor = Any

EXPRESSIVE, LASTING = slice(0, EXPRESSIONS), slice(EXPRESSIONS, None)
"""Units that are expressions, and features."""
_SMALLEST_MOTION_PX = 0.12
"""Mean movement of a crop that counts as none, so that a still pair does not rule a batch."""
_UNEXPLAINED = 0.06
"""Error of the perfect warp from which on a pixel has changed its shading and must be invented too."""
_UNEXPLAINED_GAIN = 6.0
_CHANGE = 0.1
"""Change of a pixel (0..1) that counts in full."""
_DETAIL, _DETAIL_PX = 0.08, 7
"""Difference from the mean of so many pixels about it from which on a pixel is on a fine line."""
_EPSILON = 1e-4


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms."""

    flow: float = 1.0
    smooth: float = 0.1
    """Total variation of the flow's error: lips and lids must part where they do in truth."""
    mask: float = 0.5
    positive: float = 5.0
    """What a pixel to be invented counts for in the mask, against one that is not."""
    colour: float = 3.0
    edges: float = 2.0
    picture: float = 4.0
    changed: float = 7.0
    """What a changed pixel counts for more than others in the picture."""
    shade: float = 6.0
    creases: float = 3.0
    """Of the edges that shades must have, such as those of wrinkles and of a beard."""
    harm: float = 8.0
    """On what is worse than the warp alone."""
    detail: float = 0.0
    """What a pixel on a fine line, such as that of lashes, counts for more than others: a mean error that is not sure
    where the line is leaves it out."""
    adversary: float = 0.1
    judge: float = 1.0
    """Of the judges, who share nothing with the network."""


def flow_terms(config: FaceConfig, batch: dict[str, Tensor], flow: Tensor) -> dict[str, Tensor]:
    """``flow``, ``smooth`` and the mean end-point error ``epe_px`` on moving cells; flow (B, G, G, 2)."""
    true, weight = batch["flow"], batch["weight"]
    length = ops.sqrt(ops.sum(ops.square(true), axis=-1) + 1e-12)
    motion = ops.mean(length * weight, axis=(1, 2), keepdims=True)
    counted = weight * (1.0 + length) / (motion + _SMALLEST_MOTION_PX)
    off = flow - true
    distance = ops.sqrt(ops.sum(ops.square(off), axis=-1) + 1e-6)
    moving = weight * ops.cast(length > 1.0, "float32")
    return {
        "flow": ops.mean(ops.sum(ops.abs(off), axis=-1) * counted) / config.cell_px,
        "smooth": _variation(off * weight[..., None]),
        "epe_px": ops.sum(distance * moving) / (ops.sum(moving) + 1.0),
    }


def head_terms(
    config: FaceConfig,
    weights: LossWeights,
    batch: dict[str, Tensor],
    outputs: Any,
    adversary: Adversary | None = None,
) -> dict[str, Tensor]:
    """``mask``, ``colour``, ``edges``, ``picture`` and ``harm`` over the patches, ``shade`` and ``creases`` over the
    crop, and the adversary's terms.

    ``outputs`` are the generator's. Only edits count whose finished picture is known, which ``batch["painted"]`` (B,)
    says with 1, and not 0.
    """
    inside = patch_mask(config) * expressive(batch)
    target, mask, rgb = batch["target"], outputs["mask"], outputs["rgb"]
    moved = move(config, batch["source"], outputs)
    shade_terms = _shade_terms(config, batch, moved)
    # Whatever is invented must not bend the shades to its own ends.
    moved = ops.stop_gradient(moved)
    canvas = Canvas(batch["source"], target, moved, wanted_mask(config, batch, moved) * inside, inside)
    terms = paint_terms(config.mask, weights, canvas, mask, rgb) | shade_terms
    if adversary is not None:
        terms |= adversary.terms(batch["source"], moved, gate(mask, config.mask) * inside, rgb, target)
    return terms


@dataclass(frozen=True, eq=False)
class Canvas:
    """What invented pixels are painted on and judged by: the crop, or a patch of it, (B, H, W, 3) and (B, H, W, 1)."""

    source: Tensor
    target: Tensor
    moved: Tensor
    """The source, warped and shaded by the network."""
    wanted: Tensor
    """0..1 what must be invented."""
    inside: Tensor
    """1 where pixels may be invented."""


def paint_terms(spec: MaskSpec, weights: LossWeights, canvas: Canvas, mask: Tensor, rgb: Tensor) -> dict[str, Tensor]:
    """``mask``, ``colour``, ``edges``, ``picture`` and ``harm`` of a head's ``mask`` and ``rgb``."""
    target, wanted, inside = canvas.target, canvas.wanted, canvas.inside
    area = ops.maximum(ops.sum(inside), 1.0)
    finished = blend(canvas.moved, gate(mask, spec), rgb)
    error, warp_error = _difference(finished, target), _difference(canvas.moved, target)
    change = ops.minimum(_difference(canvas.source, target) / _CHANGE, 1.0)
    entropy = -(weights.positive * wanted * ops.log(mask + _EPSILON) + (1.0 - wanted) * ops.log(1.0 - mask + _EPSILON))
    painted = wanted + 0.02 * inside
    count = ops.sum(painted) + 1.0
    fine = 1.0 + weights.detail * _detail(target) if weights.detail else 1.0
    return {
        "mask": ops.sum(entropy * inside) / area,
        "colour": ops.sum(_difference(rgb, target) * painted * fine) / count,
        "edges": ops.sum(_edge_error(rgb - target) * painted * fine) / count,
        "picture": ops.sum(error * inside * (1.0 + weights.changed * change) * fine) / area,
        "harm": ops.sum(ops.relu(error - warp_error) * inside) / area,
    }


def _detail(picture: Tensor) -> Tensor:
    """(B, H, W, 1) 0..1 whether a pixel differs from those about it."""
    return ops.minimum(_difference(picture, window_means(picture, _DETAIL_PX)) / _DETAIL, 1.0)


def move(config: FaceConfig, source: Tensor, outputs: Any) -> Tensor:
    """``source`` (B, S, S, 3) as the network warps and shades it, before anything is invented; trains shades alone."""
    size = config.crop.size_px
    warped = warp(source, upsample_flow(ops.stop_gradient(outputs["flow"]), size))
    return shaded(warped, upsample_shade(outputs["shade"], size, config.mask))


def _shade_terms(config: FaceConfig, batch: dict[str, Tensor], moved: Tensor) -> dict[str, Tensor]:
    """``shade`` and ``creases`` of the picture that `move` gave, wherever the warp knows what it shows."""
    size = config.crop.size_px
    seen = ops.image.resize(
        batch["weight"][..., None], (size, size), interpolation="nearest", data_format="channels_last"
    )
    seen = seen * (1.0 - batch["hidden"][..., None]) * batch["painted"][:, None, None, None]
    off = moved - batch["target"]
    count = ops.sum(seen) + 1.0
    return {
        "shade": ops.sum(ops.mean(ops.abs(off), axis=-1, keepdims=True) * seen) / count,
        "creases": ops.sum(_edge_error(off) * seen) / count,
    }


def wanted_mask(config: FaceConfig, batch: dict[str, Tensor], moved: Tensor) -> Tensor:
    """(B, S, S, 1): what is hidden, and what a warp by the true flow leaves wrong because its shading has changed.

    What features change in colour is left to their shades.
    """
    size = config.crop.size_px
    true = upsample_flow(batch["flow"], size)
    perfect = warp(batch["source"], true)
    # Where the network's own warp and shades are right all the same there is nothing to invent.
    left = ops.minimum(_difference(perfect, batch["target"]), _difference(moved, batch["target"]))
    shading = ops.relu(left - _UNEXPLAINED) * _UNEXPLAINED_GAIN
    shading = shading * (1.0 - _changes(batch, LASTING))[:, None, None, None]
    return ops.stop_gradient(ops.clip(batch["hidden"][..., None] + shading, 0.0, 1.0))


def expressive(batch: dict[str, Tensor]) -> Tensor:
    """(B, 1, 1, 1) 1 for edits of expressions whose finished picture is known."""
    return (batch["painted"] * _changes(batch, EXPRESSIVE))[:, None, None, None]


def _changes(batch: dict[str, Tensor], units: slice) -> Tensor:
    """(B,) 1 where any of the ``units`` changes, else 0."""
    return ops.cast(ops.any(ops.abs(batch["delta"][:, units]) > 0.0, axis=1), "float32")


def patch_mask(config: FaceConfig) -> np.ndarray:
    """(1, S, S, 1) with 1 where pixels may be invented."""
    mask = np.zeros((1, config.crop.size_px, config.crop.size_px, 1), np.float32)
    for patch in config.patches:
        mask[:, patch.rows, patch.columns] = 1.0
    return mask


def total(weights: LossWeights, terms: dict[str, Tensor]) -> Tensor:
    """Weighted sum of the terms that have a weight."""
    return sum(getattr(weights, name) * value for name, value in terms.items() if hasattr(weights, name))


def _difference(a: Tensor, b: Tensor) -> Tensor:
    return ops.mean(ops.abs(a - b), axis=-1, keepdims=True)


def _variation(field: Tensor) -> Tensor:
    down = ops.abs(field[:, 1:] - field[:, :-1])
    across = ops.abs(field[:, :, 1:] - field[:, :, :-1])
    return ops.mean(down) + ops.mean(across)


def _edge_error(difference: Tensor) -> Tensor:
    """Mean |gradient| of a difference of pictures (B, S, S, 3), (B, S, S, 1)."""
    down = ops.pad(ops.abs(difference[:, 1:] - difference[:, :-1]), [[0, 0], [0, 1], [0, 0], [0, 0]])
    across = ops.pad(ops.abs(difference[:, :, 1:] - difference[:, :, :-1]), [[0, 0], [0, 0], [0, 1], [0, 0]])
    return ops.mean(down + across, axis=-1, keepdims=True)
