"""A swap run's folder: what training leaves behind and what adapting, predict and export read.

RUN/swap.json          `SwapConfig`
RUN/identity.json      `IdentitySpec` of a run that was adapted to one identity; a base has none
RUN/scores.json        `Scores`: how it does on what is held out
RUN/weights/identities.npy   the vector of every identity
RUN/heldout.npz        `SwapHeldOut`: crops that were never trained on
RUN/...                see `train.run_folder`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.face_path_contract import CropSpec
from edge_runtime.swap_contract import IdentitySpec
from train import records
from train.face.heldout import HeldOutFaces
from train.face.parts import CROP
from train.face.run import load_scores
from train.face.swap.presets import SwapPreset, find_preset
from train.quiet import import_keras
from train.records import load_json
from train.run_folder import RunFolder, load_vectors, load_weights

if TYPE_CHECKING:
    import keras

RENDERED_TEXT = "a rendered head"


@dataclass(frozen=True)
class SwapConfig:
    """Everything that shapes the network and what is around it on the device."""

    name: str
    preset: SwapPreset
    crop: CropSpec
    identities: tuple[str, ...]
    """Names in the order of ``identities.npy``."""
    sources: tuple[FaceDataSource, ...]
    """What it was trained on."""


def make_config(name: str, preset: str, identities: tuple[str, ...], sources: tuple[FaceDataSource, ...]) -> SwapConfig:
    """A configuration from a preset by name. Raises `WorkstationError` for unknown names."""
    return SwapConfig(name, find_preset(preset), CROP, identities, sources)


class SwapRun(RunFolder):
    """Paths inside a run's folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.config = root / "swap.json"
        self.identity = root / "identity.json"
        self.scores = root / "scores.json"
        self.identities = root / "weights" / "identities.npy"
        self.heldout = root / "heldout.npz"

    def forget(self) -> None:
        """See `RunFolder.forget`."""
        super().forget()
        records.remove(self.identities, self.scores)


UNKNOWN: Final = -1
"""Row of no identity."""


@dataclass(frozen=True, eq=False)
class SwapHeldOut(HeldOutFaces):
    """Faces: ``targets`` are what should come out for ``identities``."""

    identities: NDArray[np.int32]
    """(N,) rows; `UNKNOWN` where nobody knows what should come out."""


@dataclass(frozen=True)
class TrainedSwap:
    """A finished (or interrupted) run with the weights that are worth using."""

    root: Path
    config: SwapConfig
    vectors: FloatArray
    """(K, E) of the identities."""
    identity: IdentitySpec | None
    """Whom it was adapted to; None for a base."""
    scores: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the model, used in file names."""
        return self.config.name

    @cached_property
    def network(self) -> keras.Model:
        """The network with averaged weights, for any identity and batch."""
        import_keras()
        from train.face.swap.model import build_swap

        model = build_swap(self.config.preset, self.config.crop.size_px)
        load_weights(model, SwapRun(self.root).weights)
        return model

    def folded(self, row: int = 0) -> keras.Model:
        """The plain net of one identity, image (1, S, S, 3) to rgb and mask."""
        from train.face.swap.model import fold

        return fold(self.network, self.vectors[row], self.config.preset, self.config.crop.size_px)

    def row_of(self, name: str | None) -> int:
        """Row of an identity; the first without a name. Raises `WorkstationError`."""
        if name is None:
            return 0
        if name not in self.config.identities:
            known = ", ".join(self.config.identities[:8])
            raise WorkstationError(f"the run has no identity {name[:40]!r}; it has: {known}")
        return self.config.identities.index(name)

    def identity_of(self, row: int) -> IdentitySpec:
        """Whose face row ``row`` is."""
        return self.identity or IdentitySpec(self.config.identities[row], RENDERED_TEXT, True, None)

    def heldout(self) -> SwapHeldOut:
        """Faces that were never trained on. Raises `WorkstationError`."""
        return SwapHeldOut.load(SwapRun(self.root).heldout)


def is_swap_run(path: Path) -> bool:
    """Whether ``path`` is the folder of a swap run."""
    return SwapRun(path).config.is_file()


def load_run(path: Path) -> TrainedSwap:
    """Read a run's folder. Raises `WorkstationError` with what is missing."""
    run = SwapRun(path)
    config: SwapConfig = load_json(run.config, SwapConfig)
    identity = load_json(run.identity, IdentitySpec) if run.identity.exists() else None
    vectors = load_vectors(path, run.identities)
    if vectors.shape != (len(config.identities), config.preset.identity):
        raise WorkstationError(f"{run.identities} does not fit {run.config}; train again")
    return TrainedSwap(path, config, vectors, identity, load_scores(run.scores))
