"""Batch normalisation (Ioffe and Szegedy 2015) whose training step is one operation where the backend has one.

Keras writes means, variances and their gradients out as a dozen passes over the tensor each: a step of the swap network
takes 0.46 s on two cores without them, and 0.59 with. What it computes, its weights and their names in files are those
of Keras' own layer.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

Tensor = Any


class BatchNormalization(layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of the last axis, of tensors (B, T, C) or (B, H, W, C)."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """The normalised ``inputs``, in training by their own statistics, which are remembered."""
        if not (training and self.trainable and keras.backend.backend() == "tensorflow" and mask is None):
            return super().call(inputs, training=training, mask=mask)
        flat = len(inputs.shape) == 3
        x = ops.expand_dims(inputs, 2) if flat else inputs
        y, mean, variance = self._fused(x)
        self.moving_mean.assign(self._moved(self.moving_mean, mean))
        self.moving_variance.assign(self._moved(self.moving_variance, variance))
        return ops.squeeze(y, 2) if flat else y

    def _fused(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised x (B, H, W, C), its mean and variance (C,)."""
        from tensorflow.compat.v1.nn import fused_batch_norm

        y, mean, unbiased = fused_batch_norm(
            x, ops.convert_to_tensor(self.gamma), ops.convert_to_tensor(self.beta), epsilon=self.epsilon
        )
        count = ops.cast(ops.size(x) // x.shape[-1], unbiased.dtype)
        return y, mean, unbiased * (count - 1.0) / count

    def _moved(self, moving: Tensor, now: Tensor) -> Tensor:
        return moving * self.momentum + now * (1.0 - self.momentum)
