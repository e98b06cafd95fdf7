"""A face run's checkpoint: where it is (`train.checkpoints`), and the averaged weights that are worth using."""

from __future__ import annotations

from dataclasses import replace

from train.averaging import WeightAverage, averaged_weights
from train.checkpoints import has_state, load_state, save_state, writing
from train.face.run import Position, Run
from train.face.trainer import DETAIL, FLOW, HEADS, FaceTrainer

DETAIL_SHARE = 0.15
"""Share of the steps, the last ones, before the judges."""


def stage_at(position: Position) -> str:
    """Which stage the next step belongs to."""
    total = position.total_steps or float("inf")
    if position.step >= (1.0 - DETAIL_SHARE) * total:
        return DETAIL
    return HEADS if position.flow_share == 0.0 or position.step >= position.flow_share * total else FLOW


def save_checkpoint(run: Run, trainer: FaceTrainer, average: WeightAverage, position: Position) -> None:
    """Write ``weights/last`` and the averaged weights. Raises `OutputError`."""
    with writing(run.root):
        save_state(run.last, trainer, average, position)
        with averaged_weights(trainer, average):
            temporary = run.weights.with_name("new.weights.h5")
            trainer.network.save_weights(temporary)
            temporary.replace(run.weights)


def load_checkpoint(run: Run, trainer: FaceTrainer, average: WeightAverage) -> Position:
    """Put a run back where it was. Raises `WorkstationError` when its checkpoint is unreadable."""
    # The optimiser belongs to the stage of the last step that was done.
    return load_state(run.last, trainer, average, Position, lambda position: trainer.enter(stage_of_last(position)))


def stage_of_last(position: Position) -> str:
    """Which stage the last step belonged to, whose optimiser the checkpoint holds."""
    return stage_at(replace(position, step=position.step - 1))


def has_checkpoint(run: Run) -> bool:
    """Whether there is something to resume."""
    return has_state(run.last)
