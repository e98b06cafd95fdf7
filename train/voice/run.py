"""A run's folder: what training leaves behind and what predict and export read.

RUN/config.json        `VoiceConfig`
RUN/voices.json        `Voices`: the voices, the corpus they came from
RUN/weights/voices.npy FiLM vector of every voice
RUN/heldout/*.wav      recordings that were never trained on
RUN/...                see `train.run_folder`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.contract import (
    ControlSpec,
    DataSource,
    FrontEndSpec,
    SynthesisSpec,
    TimingSpec,
    VoiceInfo,
)
from edge_runtime.voice.framing import FloatArray
from train import loop, records
from train.quiet import import_keras
from train.records import load_json
from train.run_folder import RunFolder, check_folder, load_vectors, load_weights
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


class Run(RunFolder):
    """Paths inside a run's folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.config = root / "config.json"
        self.voices = root / "voices.json"
        self.film = root / "weights" / "voices.npy"
        self.heldout = root / "heldout"

    def forget(self) -> None:
        """See `RunFolder.forget`; configuration and voices stay."""
        super().forget()
        records.remove(self.film)


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
        load_weights(model, Run(self.root).weights)
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
    check_folder(path)
    config: VoiceConfig = load_json(run.config, VoiceConfig)
    voices: Voices = load_json(run.voices, Voices)
    return TrainedVoice(path, config, voices.voices, voices.sources, load_vectors(path, run.film))
