"""A run that begins where another one is, which is left alone: `train.face.harden` and `train.face.refine` make such.

What it begins with is copied, since the other run may be trained further, or go, while this one is stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.files import make_folder, write_atomic
from train.face.run import Run, TrainedFace
from train.records import remove


class ContinuedRun(Run):
    """Paths inside such a run's folder."""

    made_by: ClassVar[str] = "refined"
    """What was done to the other run, as a refusal says it."""
    start_file: ClassVar[str] = "base.weights.h5"

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.start = self.weights.with_name(self.start_file)

    def forget(self) -> None:
        """See `Run.forget`; what it began with goes too."""
        super().forget()
        remove(self.start)


def check_folder(trained: TrainedFace, run: ContinuedRun) -> None:
    """Refuse (`InputError`) a folder that holds another run, or the very one that is continued."""
    if run.root.resolve() == trained.root.resolve():
        raise InputError(f"the {run.made_by} run needs a folder of its own; give another one with -o")
    if run.config.exists() and not run.start.exists():
        raise InputError(f"{run.root} holds another run; choose another folder")


def keep_start(trained: TrainedFace, run: ContinuedRun) -> None:
    """Copy the weights of ``trained`` to where ``run`` begins. Raises `WorkstationError` when there are none."""
    weights = Run(trained.root).weights
    if run.start.exists():
        return
    if not weights.is_file():
        raise WorkstationError(f"{trained.root} has no trained weights yet; train up to a checkpoint first")
    make_folder(run.start.parent)
    write_atomic(run.start, (weights.read_bytes(),))
