"""A judge of invented pixels: it keeps teeth and lashes sharp, which a mean error alone averages away.

A pair of pictures differs only in what was invented: one has the true pixels in the network's mask, one has the
network's. The judge, a small fully convolutional network for each patch (Isola et al. 2017), learns to rank the true
one above the other, by least squares on the difference of its two answers (relativistic, Jolicoeur-Martineau 2018; Mao
et al. 2017), so that its answers stay bounded without any normalisation. It sees the unchanged picture too, so that
teeth have to suit the face. It serves in training only.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from train.face.config import FaceConfig
from train.face.presets import Patch

Tensor = Any

_WIDTHS = (24, 48, 64)
_CELL_PX = 8
"""Pixels of the crop between the judge's answers, which look at 40 each."""


def build_judge(patch: Patch) -> keras.Model:
    """(B, height, width, 6) of a patch, 0..1, a picture and the unchanged one; to (B, height / 8, width / 8, 1)."""
    x = pictures = keras.Input((patch.height_px, patch.width_px, 6), name="pictures")
    x = x * 2.0 - 1.0
    for i, width in enumerate(_WIDTHS):
        x = layers.Conv2D(width, 4, 2, padding="same", name=f"judge_{patch.name}_{i}")(x)
        x = layers.LeakyReLU(0.2)(x)
    answer = layers.Conv2D(1, 3, padding="same", name=f"judge_{patch.name}_answer")(x)
    return keras.Model(pictures, answer, name=f"judge_{patch.name}")


class Adversary:
    """The judges of all patches, and what they make of a batch."""

    def __init__(self, config: FaceConfig) -> None:
        self._patches = config.patches
        self.judges = [build_judge(patch) for patch in config.patches]

    def terms(self, source: Tensor, warped: Tensor, mask: Tensor, rgb: Tensor, target: Tensor) -> dict[str, Tensor]:
        """``adversary``, which trains the network alone, and ``judge``, which trains the judges alone.

        ``source``, ``warped``, ``rgb`` and ``target`` (B, S, S, 3), ``mask`` (B, S, S, 1) as the device opens it.
        """
        # What is opened is none of the judges' business: they could be pleased by never inventing anything.
        mask, warped = ops.stop_gradient(mask), ops.stop_gradient(warped)
        true, made = warped + mask * (target - warped), warped + mask * (rgb - warped)
        parts = [
            _terms(judge, *(_cut(x, patch) for x in (source, true, made, mask)))
            for judge, patch in zip(self.judges, self._patches, strict=True)
        ]
        count = sum(part[2] for part in parts) + 1.0
        return {"adversary": sum(part[0] for part in parts) / count, "judge": sum(part[1] for part in parts) / count}


def _terms(judge: keras.Model, source: Tensor, true: Tensor, made: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """Sums over the judge's answers, each counted by how much of what it looks at was invented."""
    invented = ops.average_pool(mask, _CELL_PX, _CELL_PX, padding="valid")

    def ask(picture: Tensor, *, frozen: bool) -> Tensor:
        pictures = ops.concatenate([picture, source], axis=-1)
        if not frozen:
            return judge(pictures)
        kept = [ops.stop_gradient(ops.convert_to_tensor(v)) for v in judge.trainable_variables]
        return judge.stateless_call(kept, [], pictures)[0]

    truth = ask(true, frozen=False)
    lead = truth - ask(ops.stop_gradient(made), frozen=False)
    lag = ask(made, frozen=True) - ops.stop_gradient(truth)
    return (
        ops.sum(ops.square(lag - 1.0) * invented),
        ops.sum(ops.square(lead - 1.0) * invented),
        ops.sum(invented),
    )


def _cut(x: Tensor, patch: Patch) -> Tensor:
    return x[:, patch.rows, patch.columns]
