"""The exponential moving average of a network's weights: what is judged and exported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from keras import ops


class Averaged(Protocol):
    """A trainer whose weights are averaged."""

    def weights_to_average(self) -> list[Any]:
        """Its variables, always in the same order."""


class WeightAverage:
    """Exponential moving average of all weights: what is evaluated and exported."""

    EVERY = 5
    """Steps between updates, so that it costs nothing."""

    def __init__(self, trainer: Averaged, decay: float = 0.99) -> None:
        self._trainer = trainer
        self._decay = decay
        self.values = [ops.convert_to_numpy(v).copy() for v in trainer.weights_to_average()]

    def update(self, step: int) -> None:
        """Count the weights after ``step``; early ones are forgotten faster."""
        if step % self.EVERY:
            return
        decay = min(self._decay**self.EVERY, (1 + step) / (10 + step * 1.5))
        for average, variable in zip(self.values, self._trainer.weights_to_average(), strict=True):
            average += (1.0 - decay) * (ops.convert_to_numpy(variable) - average)


@contextlib.contextmanager
def averaged_weights(trainer: Averaged, average: WeightAverage) -> Iterator[None]:
    """The trainer with its averaged weights in place, for as long as the context lasts."""
    variables = trainer.weights_to_average()
    kept = [ops.convert_to_numpy(variable).copy() for variable in variables]
    assign(variables, average.values)
    try:
        yield
    finally:
        assign(variables, kept)


def assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Give every variable its value. Raises `ValueError` when their numbers differ."""
    if len(variables) != len(values):
        raise ValueError(f"{len(values)} arrays for {len(variables)} variables")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
