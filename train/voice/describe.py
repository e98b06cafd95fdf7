"""What a model says of its voices: their pitch, measured on what they are trained on, and a line for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_runtime.contract import ConsentRecord, VoiceInfo
from edge_runtime.errors import WorkstationError
from edge_runtime.voice.pitch import median_hz
from train.records import load_json
from train.voice.dataset import Dataset
from train.voice.preprocess import load_target
from train.voice.presets import ACTIVE_LEVEL_DBFS
from train.voice.run import Run, Voices


def describe_voices(
    dataset: Dataset, folder: Path, names: tuple[str, ...], consent: ConsentRecord | None, said: Mapping[str, str]
) -> tuple[VoiceInfo, ...]:
    """Name, description and pitch statistics of the voices that are trained; ``said`` describes some by name.

    Raises `WorkstationError` for a voice without speech to train on.
    """
    infos = []
    for index, name in enumerate(names):
        person = name in dataset.people
        usual = "voice of the recordings it was trained on" if person else "synthetic voice"
        tracks = [load_target(dataset, clip, folder) for clip in dataset.split("train") if clip.speaker == name]
        if not tracks:
            raise WorkstationError(f"the dataset has no clips of {name!r} to train on; collect some")
        log_f0 = np.concatenate([t.track.log_f0 for t in tracks])
        voiced = np.concatenate([t.track.voiced for t in tracks])
        if voiced.sum() < 100:
            raise WorkstationError(f"the clips of {name!r} hold no voiced speech; check the recordings")
        infos.append(
            VoiceInfo(
                name=name,
                index=index,
                description=said.get(name, usual),
                synthetic=not person,
                f0_mean_hz=round(median_hz(log_f0, voiced), 2),
                f0_spread=round(float(np.std(log_f0[voiced > 0.5])), 4),
                level_dbfs=ACTIVE_LEVEL_DBFS,
                consent=consent if person else None,
            )
        )
    return tuple(infos)


def said_of_voices(options: Sequence[str], run: Run) -> dict[str, str]:
    """Descriptions from ``NAME=TEXT`` options, over those that the run has already. Raises `WorkstationError`."""
    said: dict[str, str] = {}
    if run.voices.exists():
        kept: Voices = load_json(run.voices, Voices)
        said = {voice.name: voice.description for voice in kept.voices}
    for option in options:
        name, equals, text = (part.strip() for part in option.partition("="))
        if not (name and equals and text):
            raise WorkstationError(f"{option!r} does not describe a voice; write --describe NAME=TEXT")
        said[name] = text
    return said
