"""A run's folder: what training leaves behind and what predict and export read.

RUN/config.json        `VoiceConfig`
RUN/voices.json        `Voices`: the voices, the corpus they came from
RUN/weights/ema.weights.h5, voices.npy   what is exported (exponential moving average of the weights)
RUN/weights/last/      everything needed to go on training
RUN/log.csv, curves.png, samples/, heldout/*.wav
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_runtime.contract import (
    ControlSpec,
    DataSource,
    FrontEndSpec,
    SynthesisSpec,
    TimingSpec,
    VoiceInfo,
)
from edge_runtime.errors import WorkstationError
from edge_runtime.voice.framing import FloatArray
from train import loop, records
from train.quiet import import_keras
from train.records import load_json
from train.voice.config import VoiceConfig
from train.voice.presets import control_specs

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Voices:
    """The voices of a run, and where their sound came from."""

    voices: tuple[VoiceInfo, ...]
    sources: tuple[DataSource, ...]


@dataclass(frozen=True)
class Position(loop.Position):
    """Where in its schedule a run is, and how long its crops are."""

    crop_hops: int


class Run:
    """Paths inside a run's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.json"
        self.voices = root / "voices.json"
        self.weights = root / "weights" / "ema.weights.h5"
        self.film = root / "weights" / "voices.npy"
        self.last = root / "weights" / "last"
        self.log = root / "log.csv"
        self.curves = root / "curves.png"
        self.samples = root / "samples"
        self.heldout = root / "heldout"

    def forget(self) -> None:
        """Throw away what training left behind; configuration and voices stay."""
        records.remove(self.last, self.last.with_name("last.old"), self.weights, self.film, self.log)


@dataclass(frozen=True)
class TrainedVoice:
    """A finished (or interrupted) run with the weights that are worth using."""

    root: Path
    config: VoiceConfig
    voices: tuple[VoiceInfo, ...]
    sources: tuple[DataSource, ...]
    film: FloatArray
    """(V, F) FiLM vector per voice."""

    @property
    def name(self) -> str:
        """Name of the model, used in file names."""
        return self.config.name

    @property
    def front_end(self) -> FrontEndSpec:
        """How sound becomes features."""
        return self.config.front_end

    @property
    def synthesis(self) -> SynthesisSpec:
        """How gains become sound."""
        return self.config.synthesis

    @property
    def timing(self) -> TimingSpec:
        """Chunk and look-ahead."""
        return self.config.timing

    @property
    def default_voice(self) -> str:
        """The first voice."""
        return self.voices[0].name

    @property
    def controls(self) -> tuple[ControlSpec, ...]:
        """Ranges and neutral values of the controls."""
        return control_specs()

    @property
    def heldout(self) -> tuple[Path, ...]:
        """Recordings that were never trained on."""
        return tuple(sorted((self.root / "heldout").glob("*.wav")))

    @cached_property
    def offline(self) -> keras.Model:
        """The network over whole utterances, with averaged weights."""
        import_keras()
        from train.voice.model import build_offline

        model = build_offline(self.config)
        try:
            model.load_weights(Run(self.root).weights)
        except (OSError, ValueError) as error:
            raise WorkstationError(f"the weights in {self.root} cannot be read; train further or again") from error
        return model

    def step_model(self) -> keras.Model:
        """The network for one chunk with explicit states, normalisation folded."""
        from train.voice.model import build_step, copy_weights

        step = build_step(self.config)
        copy_weights(self.offline, step)
        return step


def load_run(path: Path) -> TrainedVoice:
    """Read a run's folder. Raises `WorkstationError` with what is missing."""
    run = Run(path)
    if not path.is_dir():
        raise WorkstationError(f"{path} is not a folder; give the folder that `changeling train` wrote")
    config: VoiceConfig = load_json(run.config, VoiceConfig)
    voices: Voices = load_json(run.voices, Voices)
    try:
        film = np.load(run.film, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise WorkstationError(f"{path} has no trained weights yet; train up to a checkpoint first") from error
    return TrainedVoice(path, config, voices.voices, voices.sources, film)
