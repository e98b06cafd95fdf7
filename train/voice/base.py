"""Adaptation: a new voice that starts from what a trained model already knows about speech.

    python -m train.voice.base RUN     makes RUN the base that the repository carries

A base is a run's folder, or what is left of one when everything but its description and its averaged weights is taken
away. The repository carries one, the model of the shipped voices. Listening (the encoder) carries over as it is, and
speaking (the decoder) starts from the mean of the base's voices, so minutes of recordings and of training suffice.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_runtime.errors import OutputError, WorkstationError
from edge_runtime.files import make_folder
from train.half_floats import halve
from train.records import save_json
from train.voice.config import VoiceConfig
from train.voice.run import Run, TrainedVoice, Voices, load_run

if TYPE_CHECKING:
    from train.voice.trainer import VoiceTrainer

SHIPPED: Final = "shipped"
NONE: Final = "none"
SHIPPED_FOLDER: Final = Path(__file__).parent / "shipped"


def find_base(text: str) -> TrainedVoice | None:
    """The base that ``--base`` names, or None for a start from nothing. Raises `WorkstationError`."""
    if text == NONE:
        return None
    return load_run(SHIPPED_FOLDER if text == SHIPPED else Path(text))


def check_fits(base: TrainedVoice, config: VoiceConfig) -> None:
    """Refuse a base of another size or signal path. Raises `WorkstationError`."""
    for name, ours, theirs in (
        ("preset", config.preset, base.config.preset),
        ("latency", config.timing, base.config.timing),
        ("front end", config.front_end, base.config.front_end),
        ("synthesis", config.synthesis, base.config.synthesis),
    ):
        if ours != theirs:
            raise WorkstationError(
                f"the base {base.name!r} has another {name}; choose the base's, or start from nothing with --base none"
            )


def keep_base(run: TrainedVoice, folder: Path) -> None:
    """Write what a base needs of ``run`` into ``folder``, its weights as half floats: half the bytes to start from.

    Raises `OutputError`.
    """
    ours, theirs = Run(run.root), Run(folder)
    make_folder(theirs.weights.parent)
    save_json(theirs.config, run.config)
    save_json(theirs.voices, Voices(run.voices, run.sources))
    try:
        halve(ours.weights, theirs.weights)
        shutil.copyfile(ours.film, theirs.film)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error}); choose another folder") from error


def start_from(trainer: VoiceTrainer, base: TrainedVoice) -> None:
    """Give a fresh trainer the base's weights, layer by layer, and the mean of its voices."""
    known = {layer.name: layer for layer in base.offline.layers}
    for layer in trainer.network.layers:
        source = known.get(layer.name)
        # The base may know phones that these recordings do not tell, and the other way round.
        if source is not None and [w.shape for w in source.weights] == [w.shape for w in layer.weights]:
            layer.set_weights(source.get_weights())
    trainer.voices.offset.assign(np.mean(base.film, axis=0))


if __name__ == "__main__":
    keep_base(load_run(Path(sys.argv[1])), SHIPPED_FOLDER)
