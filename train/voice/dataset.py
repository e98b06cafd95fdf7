"""The dataset folder that `collect` makes and every later step reads.

::

    DATA/collected.json   what is in it: the dataclasses below, loaded strictly
    DATA/clips/*.wav      16 kHz mono 16-bit PCM, active speech at -26 dBFS RMS
    DATA/phones/*.npy     int16 (frames,), one phone id per 10 ms hop, for synthesised sentences only
    DATA/phones.json      the phone inventory those ids index, for synthesised sentences only
    DATA/LICENCE.txt      under which terms the sound may be used
"""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import DataSource, from_dict
from edge_runtime.errors import ModelFileError, WorkstationError
from edge_runtime.files import write_atomic
from edge_runtime.media.audio import read_audio
from edge_runtime.media.pcm import encode_pcm16
from edge_runtime.media.wav import wav_header
from train.records import write_json

DATASET_FILE: Final = "collected.json"
PHONES_FILE: Final = "phones.json"
DATASET_VERSION: Final = 2
SAMPLE_RATE_HZ: Final = 16_000
HOP_LENGTH: Final = 160
"""Samples between phone labels: 10 ms."""
SPLITS: Final = ("train", "heldout")


@dataclass(frozen=True)
class Clip:
    """One stretch of speech of one speaker."""

    file: str
    """Path relative to the dataset folder, with forward slashes."""
    speaker: str
    seconds: float
    split: str
    """"train", or "heldout": never trained on."""
    group: str
    """Clips of one group and different speakers say the same with identical length and timing; unique otherwise."""
    phones: str | None
    """Path of the phone labels, relative to the dataset folder; null where the phones are unknown."""


@dataclass(frozen=True)
class Dataset:
    """Everything `collect` gathered in one folder."""

    root: Path
    clips: tuple[Clip, ...]
    sources: tuple[DataSource, ...]
    people: tuple[str, ...]
    """Speakers who are people; everybody else was synthesised and belongs to nobody."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers, in order of appearance."""
        return tuple(dict.fromkeys(clip.speaker for clip in self.clips))

    @property
    def minutes(self) -> float:
        """Minutes of sound, all speakers and both splits together."""
        return sum(clip.seconds for clip in self.clips) / 60.0

    def split(self, name: str) -> tuple[Clip, ...]:
        """The clips of one split, "train" or "heldout"."""
        return tuple(clip for clip in self.clips if clip.split == name)

    def path(self, clip: Clip) -> Path:
        """Where the sound of a clip lies."""
        return self.root / clip.file

    def phone_ids(self, clip: Clip) -> NDArray[np.int16] | None:
        """Phone id of every whole 10 ms hop, int16 (seconds * 100,), or None where the phones are unknown.

        The id at index t is the phone sounding at sample 160 t + 80 and indexes `phone_names`.
        """
        if clip.phones is None:
            return None
        try:
            ids = np.load(self.root / clip.phones, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise WorkstationError(f"{self.root / clip.phones} cannot be read; run collect again") from error
        if not isinstance(ids, np.ndarray) or ids.dtype != np.int16 or ids.ndim != 1:
            raise WorkstationError(f"{self.root / clip.phones} does not hold phone labels; run collect again")
        return ids

    def phone_names(self) -> tuple[str, ...]:
        """The phone inventory, index 0 being silence; empty where no clip has phone labels."""
        path = self.root / PHONES_FILE
        if not path.exists():
            return ()
        names = read_json(path)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise WorkstationError(f"{path} is not a list of phones; run collect again")
        return tuple(names)


@dataclass(frozen=True)
class _Stored:
    """`Dataset` as it lies on disk, without its own place."""

    version: int
    people: tuple[str, ...]
    clips: tuple[Clip, ...]
    sources: tuple[DataSource, ...]


def load_dataset(path: Path | str) -> Dataset:
    """Load the dataset in folder ``path``.

    Raises `WorkstationError` when there is none, or it is damaged, of another version, or names files outside itself.
    """
    root = Path(path)
    file = root / DATASET_FILE
    if not file.is_file():
        raise WorkstationError(f"{root} holds no {DATASET_FILE}; make a dataset with: changeling train voice collect")
    data = read_json(file)
    if isinstance(data, dict) and data.get("version") != DATASET_VERSION:
        raise WorkstationError(f"{file} has version {data.get('version')!r}, not {DATASET_VERSION}; run collect again")
    try:
        stored = from_dict(_Stored, data)
    except ModelFileError as error:
        what = str(error).split(";")[0].replace("_Stored", "it")
        raise WorkstationError(f"{file} is damaged ({what}); run collect again") from error
    for clip in stored.clips:
        _check_clip(clip, file)
    return Dataset(root, stored.clips, stored.sources, stored.people)


def save_dataset(dataset: Dataset) -> Path:
    """Write ``collected.json`` of the dataset, atomically, and return its path."""
    stored = _Stored(DATASET_VERSION, dataset.people, dataset.clips, dataset.sources)
    path = dataset.root / DATASET_FILE
    write_json(path, dataclasses.asdict(stored))
    return path


def write_clip(path: Path, samples: NDArray[np.float32]) -> None:
    """Write float32 (n,) at 16 kHz as 16-bit WAV, atomically and without the mark that converted sound carries."""
    write_atomic(path, (wav_header(len(samples), 1, SAMPLE_RATE_HZ, {}), encode_pcm16(samples)))


def read_clip(path: Path) -> NDArray[np.float32]:
    """Read a clip of a dataset: float32 (n,) at 16 kHz. Raises `InputError` or `WorkstationError`."""
    audio = read_audio(path, max_seconds=600.0)
    if audio.sample_rate_hz != SAMPLE_RATE_HZ or audio.samples.shape[1] != 1:
        raise WorkstationError(f"{path} is not 16 kHz mono; run collect again")
    return audio.samples[:, 0]


def write_labels(path: Path, ids: NDArray[np.int16]) -> None:
    """Write phone labels, int16 (frames,), atomically."""
    buffer = io.BytesIO()
    np.save(buffer, ids, allow_pickle=False)
    write_atomic(path, (buffer.getvalue(),))


def read_json(path: Path) -> Any:
    """Parse a JSON file of the dataset folder. Raises `WorkstationError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WorkstationError(f"{path} cannot be read as JSON; run collect again") from error


def _check_clip(clip: Clip, file: Path) -> None:
    for name in (clip.file, clip.phones):
        if name is not None and (PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts):
            raise WorkstationError(f"{file} names a file outside its folder ({name!r}); run collect again")
    if clip.split not in SPLITS:
        raise WorkstationError(f"{file} has a clip in an unknown split {clip.split!r}; run collect again")
