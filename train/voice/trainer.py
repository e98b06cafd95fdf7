"""One optimisation step of the voice network, on whichever backend Keras runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from train.voice.config import VoiceConfig
from train.voice.losses import LossWeights, VoiceLoss
from train.voice.model import VoiceTable, build_offline
from train.voice.render import Renderer

Tensor = Any

CONTENT_NOISE = 0.05
PEAK, ADAPTING_PEAK = 1.5e-3, 7e-4
"""Highest learning rate of a start from nothing, and of one from a trained model."""
TERMS = ("loss", "log_mel", "log_magnitude", "convergence", "residual", "phones")


class VoiceTrainer(keras.Model):
    """The offline network with its voice table, renderer and losses; ``train_on_batch`` is a step."""

    def __init__(self, config: VoiceConfig, weights: LossWeights | None = None) -> None:
        super().__init__(name="voice_trainer")
        self.config = config
        self.network = build_offline(config, CONTENT_NOISE)
        self.voices = VoiceTable(config.n_voices + config.n_company, config.preset.film_size, name="voices")
        self.voices.build(None)
        self._start_film(config)
        self._render = Renderer(config.front_end, config.synthesis)
        self._loss = VoiceLoss(config.front_end, weights or LossWeights())
        self._means = {name: keras.metrics.Mean(name=name) for name in TERMS}

    def _start_film(self, config: VoiceConfig) -> None:
        """Let untrained FiLM do nothing: gains of one, offsets of zero."""
        width = config.preset.decoder_width
        offset = np.zeros((config.preset.decoder_blocks, 2, width), np.float32)
        offset[:, 0] = 1.0
        self.voices.offset.assign(offset.ravel())

    @property
    def metrics(self) -> list[Any]:
        """Running means of the terms, reset by Keras at the start of an epoch."""
        return list(self._means.values())

    def call(self, batch: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """Heads (B, T, …) and ``rendered`` samples for a batch."""
        film = self.voices(batch["voice"])
        outputs = self.network({"mel": batch["mel"], "aux": batch["aux"], "film": film}, training=training)
        return {**outputs, "rendered": self._render(outputs, batch)}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """Weighted sum of the terms; each is kept as a metric."""
        terms = self._loss(x, y_pred, y_pred["rendered"])
        for name, value in terms.items():
            self._means[name].update_state(value)
        return terms["loss"]

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        """The terms by name."""
        return self.get_metrics_result()

    def step(self, batch: dict[str, np.ndarray], rate: float) -> dict[str, float]:
        """Optimise on one batch; gives the terms."""
        self.optimizer.learning_rate.assign(rate)
        self.reset_metrics()
        result = self.train_on_batch(batch, return_dict=True)
        return {name: float(result[name]) for name in TERMS if name in result}

    def evaluate_batch(self, batch: dict[str, np.ndarray]) -> float:
        """The loss on a batch, without learning from it."""
        self.reset_metrics()
        return float(self.test_on_batch(batch, return_dict=True)["loss"])

    def weights_to_average(self) -> list[Any]:
        """Variables of the network and the voice table, in a fixed order."""
        return [*self.network.weights, *self.voices.weights]

    def all_variables(self) -> list[Any]:
        """Everything that training changes, the state of its random layers included, in a fixed order."""
        return [*self.network.variables, *self.voices.variables]

    def film(self) -> np.ndarray:
        """FiLM vectors (V, F) of the voices, without the company, as they are now."""
        return np.asarray(ops.convert_to_numpy(self.voices.table()), np.float32)[: self.config.n_voices]


def make_trainer(config: VoiceConfig) -> VoiceTrainer:
    """A trainer ready to step: Adam (0.8, 0.99) with clipped gradients."""
    trainer = VoiceTrainer(config)
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3, beta_1=0.8, beta_2=0.99, global_clipnorm=1.0))
    return trainer
