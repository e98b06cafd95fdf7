"""Checkpoints: everything that is needed to go on as if nothing had happened, swapped in whole.

``weights/last`` is replaced by renaming a finished folder, so a kill at any moment leaves the old one or the new one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from edge_runtime.contract import from_dict
from edge_runtime.errors import ChangelingError, OutputError, WorkstationError
from train.voice.model import build_offline
from train.voice.run import Position, Run
from train.voice.trainer import VoiceTrainer, WeightAverage


def save_checkpoint(run: Run, trainer: VoiceTrainer, average: WeightAverage, position: Position) -> None:
    """Write ``weights/last`` and the averaged weights. Raises `OutputError`."""
    try:
        _save_last(run, trainer, average, position)
        _save_average(run, trainer, average)
    except OSError as error:
        raise OutputError(
            f"the checkpoint cannot be written to {run.root} ({error.strerror or error}); free some space and resume"
        ) from error


def _save_last(run: Run, trainer: VoiceTrainer, average: WeightAverage, position: Position) -> None:
    fresh = run.last.with_name("last.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _save_arrays(fresh / "variables.npz", trainer.all_variables())
    _save_arrays(fresh / "optimizer.npz", trainer.optimizer.variables)
    np.savez(fresh / "average.npz", *average.values)
    (fresh / "position.json").write_text(json.dumps(asdict(position)))
    old = run.last.with_name("last.old")
    shutil.rmtree(old, ignore_errors=True)
    if run.last.exists():
        run.last.rename(old)
    fresh.rename(run.last)
    shutil.rmtree(old, ignore_errors=True)


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


@contextlib.contextmanager
def averaged_weights(trainer: VoiceTrainer, average: WeightAverage) -> Any:
    """The trainer with its averaged weights in place, for as long as the context lasts."""
    variables = trainer.weights_to_average()
    kept = [ops.convert_to_numpy(variable).copy() for variable in variables]
    _assign(variables, average.values)
    try:
        yield trainer
    finally:
        _assign(variables, kept)


def load_checkpoint(run: Run, trainer: VoiceTrainer, average: WeightAverage) -> Position:
    """Put a run back where it was. Raises `WorkstationError` when its checkpoint is unreadable."""
    folder = run.last if run.last.exists() else run.last.with_name("last.old")
    try:
        position = from_dict(Position, json.loads((folder / "position.json").read_text()))
        trainer.optimizer.build(trainer.trainable_variables)
        _assign(trainer.all_variables(), _load_arrays(folder / "variables.npz"))
        _assign(trainer.optimizer.variables, _load_arrays(folder / "optimizer.npz"))
        average.values = _load_arrays(folder / "average.npz")
    except (OSError, ValueError, KeyError, ChangelingError) as error:
        raise WorkstationError(
            f"the checkpoint in {folder} cannot be read ({error}); start again with --restart"
        ) from error
    return position


def has_checkpoint(run: Run) -> bool:
    """Whether there is something to resume."""
    return run.last.exists() or run.last.with_name("last.old").exists()


def _save_arrays(path: Path, variables: list[Any]) -> None:
    np.savez(path, *[ops.convert_to_numpy(variable) for variable in variables])


def _load_arrays(path: Path) -> list[np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    if len(variables) != len(values):
        raise ValueError(f"{len(values)} arrays for {len(variables)} variables")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
