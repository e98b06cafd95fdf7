"""One optimisation step of the swap network and its identities' vectors, on whichever backend Keras runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops

from edge_runtime.face.geometry import FloatArray
from train.face.swap.losses import SwapLossWeights, swap_terms, total
from train.face.swap.model import build_swap, is_film, is_mask
from train.face.swap.run import SwapConfig
from train.face.term_trainer import TermTrainer

Tensor = Any

PEAK: Final = 2e-3
"""Highest learning rate of a base."""
ADAPT_PEAK: Final = 1.5e-3
TERMS: Final = ("loss", "structure", "colour", "edges", "mask", "spread")
_LAST_BLOCKS: Final = ("up2", "up3", "rgb_half")
"""Where a person's detail is drawn; all before it is expression, pose and light."""


class SwapTrainer(TermTrainer):
    """The network with its losses; ``train_on_batch`` is a step."""

    def __init__(self, config: SwapConfig, weights: SwapLossWeights | None = None) -> None:
        super().__init__(TERMS, "swap_trainer")
        self.network = build_swap(config.preset, config.crop.size_px)
        self.identities = config.identities
        self.vectors = self.add_weight(
            shape=(len(config.identities), config.preset.identity),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            name="identities",
        )
        self._loss_weights = weights or SwapLossWeights()
        self._compile()

    def adapt_only(self) -> None:
        """From here on only the identities, what they steer, and the last blocks learn.

        Statistics of the normalisation stay too: a person's few photos are not what faces look like.
        """
        freeze(self.network, lambda name: is_steered(name) or name.startswith(_LAST_BLOCKS))
        self._compile()

    def call(self, batch: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """rgb and mask for a batch, and the identities' ``vectors``."""
        vectors = ops.take(self.vectors, batch["identity"], axis=0)
        outputs = self.network({"image": batch["image"], "identity": vectors}, training=training)
        return {**outputs, "vectors": vectors}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """Weighted sum of the terms; each is kept as a metric."""
        terms = swap_terms(self._loss_weights, x, y_pred, y_pred["vectors"])
        return self.keep({**terms, "loss": total(self._loss_weights, terms)})

    def step(self, batch: dict[str, np.ndarray], rate: float) -> dict[str, float]:
        """Optimise on one batch; gives the terms."""
        return self.optimise(batch, rate)

    def weights_to_average(self) -> list[Any]:
        """Variables of the network and the identities, in a fixed order."""
        return [*self.network.weights, self.vectors]

    def all_variables(self) -> list[Any]:
        """Everything that training changes, in a fixed order."""
        return [*self.network.variables, self.vectors]

    def identity_vectors(self) -> FloatArray:
        """(K, E)"""
        return np.asarray(ops.convert_to_numpy(self.vectors), np.float32)

    def _compile(self) -> None:
        self.compile(optimizer=keras.optimizers.Adam(1e-3, beta_1=0.9, beta_2=0.99, global_clipnorm=2.0))


def is_steered(name: str) -> bool:
    """Whether a layer makes an identity's gains or shifts of the face, and not of the mask: that is the base's."""
    return is_film(name) and not is_mask(name)


def freeze(network: keras.Model, learns: Callable[[str], bool]) -> None:
    """Let only the layers learn whose name ``learns``, and no statistics."""
    for layer in network.layers:
        layer.trainable = learns(layer.name) and not isinstance(layer, layers.BatchNormalization)
