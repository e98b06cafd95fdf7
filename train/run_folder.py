"""What every run's folder has, of voices (`train.voice.run`), faces (`train.face.run`) and swaps alike.

RUN/weights/ema.weights.h5   what is exported: the exponential moving average of the weights
RUN/weights/*.npy            the vectors that belong to them; each kind has its own
RUN/weights/last/            everything needed to go on training
RUN/log.csv, curves.png, samples/
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import OutputError, WorkstationError
from train import records

if TYPE_CHECKING:
    import keras


class RunFolder:
    """Paths inside a run's folder; each kind of run adds those of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.weights = root / "weights" / "ema.weights.h5"
        self.last = root / "weights" / "last"
        self.log = root / "log.csv"
        self.curves = root / "curves.png"
        self.samples = root / "samples"

    def forget(self) -> None:
        """Throw away what training left behind; what describes the run stays."""
        records.remove(self.last, self.last.with_name("last.old"), self.weights, self.log)


@contextlib.contextmanager
def filling(root: Path) -> Iterator[None]:
    """Whatever goes wrong in writing what a new run's folder holds becomes one `OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{root} cannot be written ({error.strerror or error}); choose another folder") from error


def check_folder(path: Path) -> None:
    """Refuse (`WorkstationError`) what is no folder."""
    if not path.is_dir():
        raise WorkstationError(f"{path} is not a folder; give the folder that `changeling train` wrote")


def load_vectors(root: Path, file: Path) -> NDArray[np.float32]:
    """The array that stands beside the weights of the run in ``root``. Raises `WorkstationError`."""
    try:
        return np.asarray(np.load(file, allow_pickle=False), np.float32)
    except (OSError, ValueError) as error:
        raise WorkstationError(f"{root} has no trained weights yet; train up to a checkpoint first") from error


def load_weights(model: keras.Model, path: Path) -> None:
    """Put a run's averaged weights into its network. Raises `WorkstationError`."""
    try:
        model.load_weights(path)
    except (OSError, ValueError) as error:
        raise WorkstationError(f"the weights in {path.parent.parent} cannot be read; train further or again") from error
