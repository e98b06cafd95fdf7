"""What training minimises: the painted face against the true one, in structure and in colour, and the mask.

Structure is DSSIM (1 - SSIM) / 2 (Wang et al. 2004) over windows of two sizes, after DeepFaceLab; eyes and mouth, which
are a few pixels and all of an expression, count several times. Pixels outside the target's face count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from keras import ops

from train.face.windows import window_means

Tensor = Any

_WINDOWS: Final = (7, 11)
_C1, _C2 = 0.01**2, 0.03**2
_EPSILON: Final = 1e-4


@dataclass(frozen=True)
class SwapLossWeights:
    """Weights of the terms."""

    structure: float = 4.0
    colour: float = 8.0
    edges: float = 6.0
    features: float = 3.0
    """What a pixel of eyes and mouth counts for more than others."""
    mask: float = 4.0
    spread: float = 1e-3
    """On the mean square of the identities' vectors, so that new ones are found near known ones."""


def swap_terms(weights: SwapLossWeights, batch: dict[str, Tensor], outputs: Any, vectors: Tensor) -> dict[str, Tensor]:
    """``structure``, ``colour``, ``edges``, ``mask`` and ``spread``; ``vectors`` (B, E) are the identities'."""
    target, rgb = batch["target"], outputs["rgb"]
    counted = batch["face"] * (1.0 + weights.features * batch["features"])
    count = ops.sum(counted) + 1.0
    difference = rgb - target
    return {
        "structure": sum(_weighted(dssim(rgb, target, window), counted, count) for window in _WINDOWS),
        "colour": _weighted(ops.abs(difference), counted, count),
        "edges": _weighted(_edges(difference), counted, count),
        "mask": ops.mean(cross_entropy(outputs["mask"], batch["shown"])),
        "spread": ops.mean(ops.square(vectors)),
    }


def dssim(first: Tensor, second: Tensor, window: int) -> Tensor:
    """(B, S, S, C) structural dissimilarity 0..1 of pictures (B, S, S, C) 0..1, over square windows."""
    mean_a, mean_b = window_means(first, window), window_means(second, window)
    var_a = ops.relu(window_means(ops.square(first), window) - ops.square(mean_a))
    var_b = ops.relu(window_means(ops.square(second), window) - ops.square(mean_b))
    both = window_means(first * second, window) - mean_a * mean_b
    above = (2.0 * mean_a * mean_b + _C1) * (2.0 * both + _C2)
    below = (ops.square(mean_a) + ops.square(mean_b) + _C1) * (var_a + var_b + _C2)
    return ops.clip((1.0 - above / below) / 2.0, 0.0, 1.0)


def cross_entropy(mask: Tensor, true: Tensor) -> Tensor:
    """Of a mask 0..1 with the true one, pixel by pixel."""
    return -(true * ops.log(mask + _EPSILON) + (1.0 - true) * ops.log(1.0 - mask + _EPSILON))


def total(weights: SwapLossWeights, terms: dict[str, Tensor]) -> Tensor:
    """Weighted sum of the terms."""
    return sum(getattr(weights, name) * value for name, value in terms.items())


def _weighted(error: Tensor, counted: Tensor, count: Tensor) -> Tensor:
    return ops.sum(ops.mean(error, axis=-1, keepdims=True) * counted) / count


def _edges(difference: Tensor) -> Tensor:
    down = ops.pad(ops.abs(difference[:, 1:] - difference[:, :-1]), [[0, 0], [0, 1], [0, 0], [0, 0]])
    across = ops.pad(ops.abs(difference[:, :, 1:] - difference[:, :, :-1]), [[0, 0], [0, 0], [0, 1], [0, 0]])
    return down + across
