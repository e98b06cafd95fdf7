"""A Keras model whose loss is a sum of named terms: what trainers of faces share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

Tensor = Any


class TermTrainer(keras.Model):
    """Keeps the terms of a step as metrics; a subclass computes them."""

    def __init__(self, terms: Sequence[str], name: str) -> None:
        super().__init__(name=name)
        self._means = {term: keras.metrics.Mean(name=term) for term in terms}

    @property
    def metrics(self) -> list[Any]:
        """Running means of the terms, reset by Keras at the start of an epoch."""
        return list(self._means.values())

    def keep(self, terms: dict[str, Tensor]) -> Tensor:
        """Count the terms of a step; gives the one called ``loss``."""
        for name, value in terms.items():
            self._means[name].update_state(value)
        return terms["loss"]

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        """The terms by name."""
        return self.get_metrics_result()

    def optimise(self, batch: dict[str, np.ndarray], rate: float) -> dict[str, float]:
        """Optimise on one batch at that learning rate; gives the terms."""
        self.optimizer.learning_rate.assign(rate)
        self.reset_metrics()
        result = self.train_on_batch(batch, return_dict=True)
        return {name: float(result[name]) for name in self._means}
