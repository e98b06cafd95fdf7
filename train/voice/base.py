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

from train.bases import NONE, base_folder, check_alike, keeping
from train.records import save_json
from train.voice.config import VoiceConfig
from train.voice.run import Run, TrainedVoice, Voices, load_run

if TYPE_CHECKING:
    from train.voice.trainer import VoiceTrainer

SHIPPED_FOLDER: Final = Path(__file__).parent / "shipped"


def find_base(text: str) -> TrainedVoice | None:
    """The base that ``--base`` names, or None for a start from nothing. Raises `WorkstationError`."""
    return None if text == NONE else load_run(base_folder(text, SHIPPED_FOLDER))


def check_fits(base: TrainedVoice, config: VoiceConfig) -> None:
    """Refuse a base of another size or signal path. Raises `WorkstationError`."""
    check_alike(base.name, _shape(base.config), _shape(config))


def _shape(config: VoiceConfig) -> dict[str, object]:
    """What a base and a run that starts from it must have alike, by what a refusal calls it."""
    return {
        "preset": config.preset,
        "latency": config.timing,
        "front end": config.front_end,
        "synthesis": config.synthesis,
    }


def keep_base(run: TrainedVoice, folder: Path) -> None:
    """Write what a base needs of ``run`` into ``folder``, its weights as half floats. Raises `OutputError`."""
    ours, base = Run(run.root), Run(folder)
    with keeping(ours, base):
        save_json(base.config, run.config)
        save_json(base.voices, Voices(run.voices, run.sources))
        shutil.copyfile(ours.film, base.film)


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
