"""One optimisation step of the expression network, on whichever backend Keras runs, in three stages.

In the first stage only the flow is trained, and the heads cost nothing; in the second all of it; in the third judges
(`train.face.adversary`) ask for the detail that a mean error leaves out.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from train.face.adversary import Adversary
from train.face.config import FaceConfig
from train.face.losses import LossWeights, flow_terms, head_terms, total
from train.face.model import build_generator, is_head, set_basis
from train.face.term_trainer import TermTrainer

Tensor = Any

PEAK = 2.5e-3
"""Highest learning rate."""
FLOW, HEADS, DETAIL = "flow", "heads", "detail"
"""The stages."""
_FLOW_TERMS = ("loss", "flow", "smooth", "epe_px")
_HEAD_TERMS = (*_FLOW_TERMS, "mask", "colour", "edges", "picture", "harm", "shade", "creases")
TERMS = (*_HEAD_TERMS, "adversary", "judge")


class FaceTrainer(TermTrainer):
    """The generator with its losses; ``train_on_batch`` is a step."""

    def __init__(self, config: FaceConfig, basis: np.ndarray, weights: LossWeights | None = None) -> None:
        super().__init__(TERMS, "face_trainer")
        self.config = config
        self.network = build_generator(config)
        set_basis(self.network, basis)
        self._flow_only = keras.Model(self.network.input, {"flow": self.network.output["flow"]})
        self._adversary = Adversary(config)
        self._judges = self._adversary.judges
        self._loss_weights = weights or LossWeights()
        self.stage = ""
        self.enter(FLOW)

    def enter(self, stage: str) -> None:
        """Begin a stage with a fresh optimiser: Adam (0.9, 0.99), clipped gradients."""
        if stage == self.stage:
            return
        self.stage = stage
        for layer in self.network.layers:
            if is_head(layer) and not layer.name.endswith("amount"):
                layer.trainable = stage != FLOW
        for judge in self._judges:
            judge.trainable = stage == DETAIL
        self.compile(optimizer=keras.optimizers.Adam(1e-3, beta_1=0.9, beta_2=0.99, global_clipnorm=5.0))

    def call(self, batch: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """The generator's outputs for a batch; in the first stage the flow alone."""
        network = self._flow_only if self.stage == FLOW else self.network
        outputs: dict[str, Tensor] = network({"image": batch["image"], "delta": batch["delta"]}, training=training)
        return outputs

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """Weighted sum of the terms; each is kept as a metric."""
        terms = flow_terms(self.config, x, y_pred["flow"])
        if self.stage != FLOW:
            adversary = self._adversary if self.stage == DETAIL else None
            terms |= head_terms(self.config, self._loss_weights, x, y_pred, adversary)
        terms["loss"] = total(self._loss_weights, terms)
        return self.keep(terms)

    def step(self, batch: dict[str, np.ndarray], rate: float) -> dict[str, float]:
        """Optimise on one batch; gives the terms of the stage."""
        result = self.optimise(batch, rate)
        known = {FLOW: _FLOW_TERMS, HEADS: _HEAD_TERMS, DETAIL: TERMS}[self.stage]
        return {name: result[name] for name in known}

    def weights_to_average(self) -> list[Any]:
        """Variables of the network, in a fixed order."""
        return list(self.network.weights)

    def all_variables(self) -> list[Any]:
        """Everything that training changes, in a fixed order."""
        return [*self.network.variables, *(v for judge in self._judges for v in judge.variables)]
