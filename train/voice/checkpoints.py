"""A voice run's checkpoint: where it is (`train.checkpoints`), and the averaged weights that are worth using."""

from __future__ import annotations

import numpy as np

from train.averaging import WeightAverage, averaged_weights
from train.checkpoints import has_state, load_state, save_state, writing
from train.voice.model import build_offline
from train.voice.run import Position, Run
from train.voice.trainer import VoiceTrainer


def save_checkpoint(run: Run, trainer: VoiceTrainer, average: WeightAverage, position: Position) -> None:
    """Write ``weights/last`` and the averaged weights. Raises `OutputError`."""
    with writing(run.root):
        save_state(run.last, trainer, average, position)
        _save_average(run, trainer, average)


def _save_average(run: Run, trainer: VoiceTrainer, average: WeightAverage) -> None:
    """What predict and export read: the network's averaged weights and the voices' FiLM vectors."""
    with averaged_weights(trainer, average):
        model = build_offline(trainer.config)
        model.set_weights(trainer.network.get_weights())
        temporary = run.weights.with_name("new.weights.h5")
        model.save_weights(temporary)
        temporary.replace(run.weights)
        film = run.film.with_name("new.npy")
        np.save(film, trainer.film())
        film.replace(run.film)


def load_checkpoint(run: Run, trainer: VoiceTrainer, average: WeightAverage) -> Position:
    """Put a run back where it was. Raises `WorkstationError` when its checkpoint is unreadable."""
    return load_state(run.last, trainer, average, Position)


def has_checkpoint(run: Run) -> bool:
    """Whether there is something to resume."""
    return has_state(run.last)
