"""The sounds that are judged: conversions by the device runtime, and what they are compared with.

Each is a WAV in the output folder with a note beside it of what it was made from; one whose note still holds is not
made again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime.errors import ChangelingError
from edge_runtime.files import make_folder, write_atomic
from edge_runtime.media.audio import read_audio, to_mono, write_wav
from edge_runtime.provenance import conversion_comment
from edge_runtime.voice.converter import VoiceConverter
from train.evaluate.origins import code_sha256, model_sha256
from train.voice.evaluate.baselines import NAME as WORLD_NAME
from train.voice.evaluate.baselines import world
from train.voice.evaluate.evaluators import RATE_HZ
from train.voice.evaluate.inputs import Recording, sound_digest
from train.voice.evaluate.measures import Samples, level_dbfs

UNCONVERTED: Final = "unconverted"
CONVERTED: Final = "converted"
WORLD: Final = "world"
COPY: Final = "copy"
TARGET: Final = "target"
SYSTEMS: Final = (UNCONVERTED, WORLD, CONVERTED, COPY, TARGET)
"""From the bottom to the top."""

_FOLDERS: Final = {UNCONVERTED: "sources", CONVERTED: "converted", WORLD: "baselines/world", COPY: "baselines/copy"}
_NOTES: Final = ".notes"
_SIGNAL_PATH: Final = ("edge_runtime/backends", "edge_runtime/media", "edge_runtime/voice")
_MAX_SECONDS: Final = 300.0
_SILENCE_S: Final = 1.0
"""Digital silence that is appended to what is converted."""
_SETTLE_S: Final = 0.4
"""The first part of it is not measured: what was said still rings, and the gate takes its time."""


@dataclass(frozen=True)
class Job:
    """One sound to be made and judged."""

    system: str
    """One of `SYSTEMS`."""
    voice: str
    """The target: a name in the model."""
    recording: Recording


@dataclass(frozen=True)
class Made:
    """The sound of a job."""

    samples: Samples
    """Mono (N,) at 16 kHz, as read back from its file."""
    file: str
    """Path inside the output folder."""
    silence_dbfs: float | None
    """RMS of what silence after the utterance became; None where nothing was converted."""


class Maker:
    """Makes sounds with one model into one folder."""

    def __init__(self, converter: VoiceConverter, output: Path) -> None:
        self.converter = converter
        self._output = output
        self.model_sha256 = model_sha256(converter.model)
        self._f0_hz = {voice.name: voice.f0_mean_hz for voice in converter.manifest.voices}

    def make(self, job: Job) -> Made:
        """The sound of a job, made or found. Raises `ChangelingError`."""
        path = self._output / self._file(job)
        note = self._output / _NOTES / f"{self._file(job)}.json"
        origin = self._origin(job)
        if found := _found(path, note, origin):
            return Made(found[0], self._file(job), found[1])
        make_folder(path.parent)
        make_folder(note.parent)
        samples, silence_dbfs, comment = self._sound(job)
        write_wav(path, samples, RATE_HZ, comment=comment)
        stored = _read(path)
        told = {"origin": origin, "sha256": sound_digest(stored), "silence_dbfs": silence_dbfs}
        write_atomic(note, [json.dumps(told).encode()])
        return Made(stored, self._file(job), silence_dbfs)

    def _file(self, job: Job) -> str:
        if job.system == UNCONVERTED:
            return f"{_FOLDERS[UNCONVERTED]}/{job.recording.name}.wav"
        if job.system == TARGET:
            return f"targets/{job.voice}/{job.recording.name}.wav"
        return f"{_FOLDERS[job.system]}/{job.voice}/{job.recording.name}.wav"

    def _origin(self, job: Job) -> str:
        """What the sound follows from; anything that could change it is in here."""
        parts = [job.system, sound_digest(job.recording.samples)]
        if job.system in (CONVERTED, COPY):
            parts += [job.voice, self.model_sha256, self.converter.backend_name, code_sha256(*_SIGNAL_PATH)]
        elif job.system == WORLD:
            parts += [WORLD_NAME, str(self._f0_hz[job.voice]), str(self.converter.manifest.front_end.formant_exponent)]
        return " ".join(parts)

    def _sound(self, job: Job) -> tuple[Samples, float | None, str]:
        """Samples, the level of converted silence, and the comment of the file."""
        source, manifest = job.recording.samples, self.converter.manifest
        if job.system in (UNCONVERTED, TARGET):
            return source, None, f"evaluation: {job.recording.name}"
        if job.system == WORLD:
            moved = world(source, self._f0_hz[job.voice], manifest.front_end)
            return moved, None, conversion_comment(model="WORLD vocoder", voice=job.voice)
        samples, silence_dbfs = self._convert(source, job.voice)
        return samples, silence_dbfs, conversion_comment(model=manifest.name, voice=job.voice)

    def _convert(self, source: Samples, voice: str) -> tuple[Samples, float]:
        silence = np.zeros(round(_SILENCE_S * RATE_HZ), np.float32)
        controls = self.converter.controls(voice=voice)
        whole = self.converter.convert(np.concatenate([source, silence]), RATE_HZ, controls)
        tail = whole[len(source) + round(_SETTLE_S * RATE_HZ) :]
        return np.clip(whole[: len(source)], -1.0, 1.0), round(level_dbfs(tail), 2)


def _found(path: Path, note: Path, origin: str) -> tuple[Samples, float | None] | None:
    try:
        told: Any = json.loads(note.read_text(encoding="utf-8"))
        samples = _read(path)
    except (OSError, ValueError, ChangelingError):
        return None
    if not isinstance(told, dict) or told.get("origin") != origin or told.get("sha256") != sound_digest(samples):
        return None
    silence_dbfs = told.get("silence_dbfs")
    return samples, None if silence_dbfs is None else float(silence_dbfs)


def _read(path: Path) -> Samples:
    audio = read_audio(path, max_seconds=_MAX_SECONDS)
    return to_mono(audio.samples)
