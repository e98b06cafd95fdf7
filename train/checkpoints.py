"""Checkpoints: everything that is needed to go on as if nothing had happened, swapped in whole.

A checkpoint's folder is replaced by renaming a finished one, so a kill at any moment leaves the old one or the new one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from keras import ops

from edge_runtime.contract import from_dict
from edge_runtime.errors import ChangelingError, OutputError, WorkstationError
from train.averaging import Averaged, WeightAverage, assign


class Checkpointed(Averaged, Protocol):
    """A trainer that can be put away and brought back."""

    @property
    def optimizer(self) -> Any:
        """Keras optimizer."""

    @property
    def trainable_variables(self) -> list[Any]:
        """What the optimizer changes."""

    def all_variables(self) -> list[Any]:
        """Everything that training changes, the state of its random layers included, in a fixed order."""


PositionT = TypeVar("PositionT")


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Whatever goes wrong in writing a checkpoint of the run in ``root`` becomes one `OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the checkpoint cannot be written to {root} ({error.strerror or error}); free some space and resume"
        ) from error


def save_state(last: Path, trainer: Checkpointed, average: WeightAverage, position: Any) -> None:
    """Write the folder ``last``; ``position`` is a dataclass that says where the run is. Raises `OSError`."""
    fresh = last.with_name("last.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _save_arrays(fresh / "variables.npz", trainer.all_variables())
    _save_arrays(fresh / "optimizer.npz", trainer.optimizer.variables)
    np.savez(fresh / "average.npz", *average.values)
    (fresh / "position.json").write_text(json.dumps(asdict(position)))
    old = _older(last)
    shutil.rmtree(old, ignore_errors=True)
    if last.exists():
        last.rename(old)
    fresh.rename(last)
    shutil.rmtree(old, ignore_errors=True)


def load_state(
    last: Path,
    trainer: Checkpointed,
    average: WeightAverage,
    cls: type[PositionT],
    prepare: Callable[[PositionT], None] = lambda _: None,
) -> PositionT:
    """Put a run back where it was; ``prepare`` may set the trainer up for the position first.

    Raises `WorkstationError` when its checkpoint is unreadable.
    """
    folder = last if last.exists() else _older(last)
    try:
        position = from_dict(cls, json.loads((folder / "position.json").read_text()))
        prepare(position)
        trainer.optimizer.build(trainer.trainable_variables)
        assign(trainer.all_variables(), _load_arrays(folder / "variables.npz"))
        assign(trainer.optimizer.variables, _load_arrays(folder / "optimizer.npz"))
        average.values = _load_arrays(folder / "average.npz")
    except (OSError, ValueError, KeyError, ChangelingError) as error:
        raise WorkstationError(
            f"the checkpoint in {folder} cannot be read ({error}); start again with --restart"
        ) from error
    return position


def has_state(last: Path) -> bool:
    """Whether there is something to resume."""
    return last.exists() or _older(last).exists()


def _older(last: Path) -> Path:
    return last.with_name("last.old")


def _save_arrays(path: Path, variables: list[Any]) -> None:
    np.savez(path, *[ops.convert_to_numpy(variable) for variable in variables])


def _load_arrays(path: Path) -> list[np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
