"""A run's folder: what training leaves behind and what predict and export read.

RUN/config.json        `FaceConfig`
RUN/sources.json       `Sources`: what it was trained on
RUN/scores.json        `Scores`: how it does on held-out heads
RUN/weights/ema.weights.h5, basis.npy   what is exported (exponential moving average of the weights)
RUN/weights/last/      everything needed to go on training
RUN/heldout.npz        `HeldOut`: crops and changes that were never trained on
RUN/log.csv, curves.png, samples/
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face_contract import FaceDataSource
from train import loop, records
from train.face.config import FaceConfig
from train.quiet import import_keras
from train.records import load_json

if TYPE_CHECKING:
    import keras

NETWORK, LINEAR = "network", "linear"
"""Tiers: the network on top of the basis, and the basis alone."""


@dataclass(frozen=True)
class Sources:
    """Where the pictures of a run came from."""

    sources: tuple[FaceDataSource, ...]


@dataclass(frozen=True)
class Scores:
    """How a run does on heads it never saw, by name (`train.face.monitor`)."""

    scores: dict[str, float]


@dataclass(frozen=True)
class Position(loop.Position):
    """Where in its schedule a run is."""

    flow_share: float
    """Share of the steps in which the flow alone is trained."""


class Run:
    """Paths inside a run's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.json"
        self.sources = root / "sources.json"
        self.scores = root / "scores.json"
        self.weights = root / "weights" / "ema.weights.h5"
        self.basis = root / "weights" / "basis.npy"
        self.last = root / "weights" / "last"
        self.heldout = root / "heldout.npz"
        self.log = root / "log.csv"
        self.curves = root / "curves.png"
        self.samples = root / "samples"

    def forget(self) -> None:
        """Throw away what training left behind; configuration and sources stay."""
        records.remove(self.last, self.last.with_name("last.old"), self.weights, self.basis, self.log, self.scores)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Edits of heads that were never trained on."""

    images: NDArray[np.uint8]
    """(N, S, S, 3) aligned crops."""
    targets: NDArray[np.uint8]
    """(N, S, S, 3) the same heads with the other expression."""
    deltas: FloatArray
    """(N, U)"""

    def save(self, path: Path) -> None:
        """As .npz; `load` reads it."""
        np.savez_compressed(path, images=self.images, targets=self.targets, deltas=self.deltas)

    @staticmethod
    def load(path: Path) -> HeldOut:
        """Read what `save` wrote. Raises `WorkstationError`."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return HeldOut(arrays["images"], arrays["targets"], arrays["deltas"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise WorkstationError(f"{path} cannot be read; train again with held-out pairs") from error


@dataclass(frozen=True)
class TrainedFace:
    """A finished (or interrupted) run with the weights that are worth using."""

    root: Path
    config: FaceConfig
    sources: tuple[FaceDataSource, ...]
    basis: FloatArray
    """(U, G, G, 2)"""
    scores: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the model, used in file names."""
        return self.config.name

    @cached_property
    def network(self) -> keras.Model:
        """The generator with averaged weights, for any batch."""
        return self.generator_model(batch=None)

    def generator_model(self, tier: str = NETWORK, batch: int | None = 1) -> keras.Model:
        """The generator of a tier; ``batch`` 1 gives the static shapes that are exported."""
        import_keras()
        from train.face.model import build_generator, build_linear, set_basis

        if tier == LINEAR:
            model = build_linear(self.config, batch)
            set_basis(model, self.basis)
            return model
        model = build_generator(self.config, batch)
        load_weights(model, Run(self.root).weights)
        return model

    def heldout(self) -> HeldOut:
        """Crops of heads that were never trained on. Raises `WorkstationError`."""
        return HeldOut.load(Run(self.root).heldout)


def load_weights(model: keras.Model, path: Path) -> None:
    """Put a run's averaged weights into the generator. Raises `WorkstationError`."""
    try:
        model.load_weights(path)
    except (OSError, ValueError) as error:
        raise WorkstationError(f"the weights in {path.parent.parent} cannot be read; train further or again") from error


def is_face_run(path: Path) -> bool:
    """Whether ``path`` is the folder of a run of faces and not of voices."""
    return Run(path).sources.is_file()


def load_run(path: Path) -> TrainedFace:
    """Read a run's folder. Raises `WorkstationError` with what is missing."""
    run = Run(path)
    if not path.is_dir():
        raise WorkstationError(f"{path} is not a folder; give the folder that `changeling train` wrote")
    config: FaceConfig = load_json(run.config, FaceConfig)
    sources: Sources = load_json(run.sources, Sources)
    scores = load_json(run.scores, Scores).scores if run.scores.exists() else {}
    try:
        basis = np.load(run.basis, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError) as error:
        raise WorkstationError(f"{path} has no trained weights yet; train up to a checkpoint first") from error
    return TrainedFace(path, config, sources.sources, basis, scores)
