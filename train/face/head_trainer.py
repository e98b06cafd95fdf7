"""One optimisation step of a single head, on kept features of the rest of the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import keras
import numpy as np
from keras import ops

from train.face.config import FaceConfig
from train.face.losses import Canvas, LossWeights, paint_terms, total
from train.face.model import HEAD_PREFIX, colour_near, shut_mask
from train.face.presets import Patch
from train.face.term_trainer import TermTrainer

Tensor = Any

_FINE: Final = LossWeights(edges=3.0, detail=10.0)
"""Lashes and the edges of teeth are a pixel wide: with the weights of a whole fit they are averaged away."""
WEIGHTS: Final = {"mouth": replace(_FINE, harm=300.0), "eyes": replace(_FINE, harm=50.0)}
"""By patch. Pixels that should stay as the warp has them are most of a patch, and each is hardly wrong: only so does a
head learn to keep off them. A mouth loses nothing by it, lids a little of how far they shut."""
TERMS: Final = ("loss", "mask", "colour", "edges", "picture", "harm")


class HeadTrainer(TermTrainer):
    """The head of ``patch`` in ``network``, whose other layers nothing changes."""

    def __init__(self, network: keras.Model, config: FaceConfig, patch: Patch) -> None:
        super().__init__(TERMS, "head_trainer")
        self.network = network
        self._config, self._patch, self._weights = config, patch, WEIGHTS[patch.name]
        self._name = f"{HEAD_PREFIX}{patch.name}"
        seen = network.get_layer(f"{self._name}_depthwise").input
        condition = network.get_layer("condition_relu").output
        logits = {what: network.get_layer(f"{self._name}_{what}").output for what in ("mask", "rgb")}
        self._head = keras.Model([seen, condition], logits)
        head = {layer.name for layer in self._head.layers}
        for layer in network.layers:
            layer.trainable = layer.name in head
        self.compile(optimizer=keras.optimizers.Adam(1e-3, beta_1=0.9, beta_2=0.99, global_clipnorm=5.0))

    def call(self, batch: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """``mask`` (B, h, w, 1) and ``rgb`` (B, h, w, 3) of the patch for a batch of `HeadFeatures`."""
        found = self._head([batch["seen"], batch["condition"]], training=training)
        return {
            "mask": shut_mask(found["mask"], self._patch, batch["amount"]),
            "rgb": colour_near(found["rgb"], self._patch, batch["image"], self._name),
        }

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """Weighted sum of the terms; each is kept as a metric."""
        canvas = Canvas(x["source"], x["target"], x["moved"], x["wanted"], ops.ones_like(x["wanted"]))
        terms = paint_terms(self._config.mask, self._weights, canvas, y_pred["mask"], y_pred["rgb"])
        return self.keep({**terms, "loss": total(self._weights, terms)})

    def step(self, batch: dict[str, np.ndarray], rate: float) -> dict[str, float]:
        """Optimise on one batch; gives the terms."""
        return self.optimise(batch, rate)

    def weights_to_average(self) -> list[Any]:
        """Variables of the head, in a fixed order."""
        return list(self._head.weights)

    def all_variables(self) -> list[Any]:
        """Everything that training changes, in a fixed order."""
        return list(self._head.variables)
