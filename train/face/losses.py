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

from train.face.adversary import Adversary
from train.face.config import FaceConfig
from train.face.render_out import blend, gate, shaded, upsample_flow, upsample_shade, warp
from train.face.units import EXPRESSIONS

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
    size = config.crop.size_px
    inside = patch_mask(config) * (batch["painted"] * _changes(batch, EXPRESSIVE))[:, None, None, None]
    area = ops.maximum(ops.sum(inside), 1.0)
    warped = warp(batch["source"], upsample_flow(ops.stop_gradient(outputs["flow"]), size))
    target, mask, rgb = batch["target"], outputs["mask"], outputs["rgb"]
    shade_terms, moved = _shade_terms(config, batch, outputs, warped)
    wanted = wanted_mask(config, batch, moved) * inside
    gated = gate(mask, config.mask)
    finished = blend(moved, gated, rgb)
    error = _difference(finished, target)
    warp_error = _difference(moved, target)
    change = ops.minimum(ops.mean(ops.abs(batch["source"] - target), axis=-1, keepdims=True) / _CHANGE, 1.0)
    entropy = -(weights.positive * wanted * ops.log(mask + _EPSILON) + (1.0 - wanted) * ops.log(1.0 - mask + _EPSILON))
    painted = wanted + 0.02 * inside
    count = ops.sum(painted) + 1.0
    terms = {
        "mask": ops.sum(entropy * inside) / area,
        "colour": ops.sum(ops.mean(ops.abs(rgb - target), axis=-1, keepdims=True) * painted) / count,
        "edges": ops.sum(_edge_error(rgb - target) * painted) / count,
        "picture": ops.sum(error * inside * (1.0 + weights.changed * change)) / area,
        "harm": ops.sum(ops.relu(error - warp_error) * inside) / area,
        **shade_terms,
    }
    if adversary is not None:
        terms |= adversary.terms(batch["source"], moved, gated * inside, rgb, target)
    return terms


def _shade_terms(
    config: FaceConfig, batch: dict[str, Tensor], outputs: Any, warped: Tensor
) -> tuple[dict[str, Tensor], Tensor]:
    """``shade`` and ``creases``, and the warped picture with its shades (B, S, S, 3), which nothing else trains."""
    size = config.crop.size_px
    moved = shaded(warped, upsample_shade(outputs["shade"], size, config.mask))
    seen = ops.image.resize(
        batch["weight"][..., None], (size, size), interpolation="nearest", data_format="channels_last"
    )
    seen = seen * (1.0 - batch["hidden"][..., None]) * batch["painted"][:, None, None, None]
    off = moved - batch["target"]
    count = ops.sum(seen) + 1.0
    terms = {
        "shade": ops.sum(ops.mean(ops.abs(off), axis=-1, keepdims=True) * seen) / count,
        "creases": ops.sum(_edge_error(off) * seen) / count,
    }
    return terms, ops.stop_gradient(moved)


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
