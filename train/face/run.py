"""A run's folder: what training leaves behind and what predict and export read.

RUN/config.json        `FaceConfig`
RUN/sources.json       `Sources`: what it was trained on
RUN/scores.json        `Scores`: how it does on held-out heads
RUN/weights/basis.npy  the linear basis
RUN/heldout.npz        `HeldOut`: crops and changes that were never trained on
RUN/...                see `train.run_folder`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.face.geometry import FloatArray
from edge_runtime.face_manifest import FaceDataSource
from train import loop, records
from train.face.config import FaceConfig
from train.face.heldout import HeldOutFaces
from train.quiet import import_keras
from train.records import load_json
from train.run_folder import RunFolder, check_folder, load_vectors, load_weights

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


class Run(RunFolder):
    """Paths inside a run's folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.config = root / "config.json"
        self.sources = root / "sources.json"
        self.scores = root / "scores.json"
        self.basis = root / "weights" / "basis.npy"
        self.heldout = root / "heldout.npz"

    def forget(self) -> None:
        """See `RunFolder.forget`; configuration and sources stay."""
        super().forget()
        records.remove(self.basis, self.scores)


@dataclass(frozen=True, eq=False)
class HeldOut(HeldOutFaces):
    """Edits of heads: ``targets`` have the other expression."""

    remedy = "train again with held-out pairs"

    deltas: FloatArray
    """(N, U)"""


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


def is_face_run(path: Path) -> bool:
    """Whether ``path`` is the folder of a run of faces and not of voices."""
    return Run(path).sources.is_file()


def load_run(path: Path) -> TrainedFace:
    """Read a run's folder. Raises `WorkstationError` with what is missing."""
    run = Run(path)
    check_folder(path)
    config: FaceConfig = load_json(run.config, FaceConfig)
    sources: Sources = load_json(run.sources, Sources)
    return TrainedFace(path, config, sources.sources, load_vectors(path, run.basis), load_scores(run.scores))


def load_scores(path: Path) -> dict[str, float]:
    """How a run does, of its ``scores.json``; nothing before its first checkpoint. Raises `WorkstationError`."""
    return dict(load_json(path, Scores).scores) if path.exists() else {}
