"""Building a synthetic corpus, sentence by sentence, so that it can be stopped and resumed at any moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import DataSource
from edge_runtime.errors import WorkstationError
from edge_runtime.files import make_folder, write_atomic
from train.progress import Progress
from train.records import write_json
from train.voice.clips import CutSpec, Samples, level
from train.voice.corpus.phones import PHONES
from train.voice.corpus.sentences import sentences
from train.voice.dataset import (
    HOP_LENGTH,
    PHONES_FILE,
    SAMPLE_RATE_HZ,
    Clip,
    Dataset,
    read_json,
    save_dataset,
    write_clip,
    write_labels,
)

CORPUS_FILE: Final = "corpus.json"
_SENTENCES_FOLDER: Final = "sentences"
_SAVE_EVERY: Final = 25
"""Sentences after which the dataset is written, so that a corpus in the making can be trained on."""
_HELDOUT_EVERY: Final = 20
_HELDOUT_INDEX: Final = 1


@dataclass(frozen=True)
class Utterance:
    """One sentence in every voice of a synthesiser."""

    sounds: dict[str, Samples]
    """Speaker to float32 (n,) at 16 kHz; the same n and the same timing for all. Not every voice need speak, and
    others may."""
    phones: NDArray[np.int16] | None
    """(n // 160,) phone ids, or None where the engine does not tell."""


class Synthesiser(Protocol):
    """An engine that reads sentences aloud in one or several voices."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """The voices, in the order in which `Utterance.sounds` has them."""

    @property
    def engine(self) -> str:
        """Name, versions and hashes: whatever changes the sound changes this."""

    @property
    def licence(self) -> str:
        """Licence in a few words, for the manifest of models trained on it."""

    @property
    def licence_text(self) -> str:
        """Licence notice, for ``LICENCE.txt``."""

    def synthesise(self, text: str, index: int) -> Utterance | None:
        """Read ``text``, the sentence number ``index``; None when the engine cannot read it."""


@dataclass(frozen=True)
class _Sentence:
    """A finished sentence."""

    index: int
    text: str
    seconds: float
    labelled: bool
    speakers: tuple[str, ...]


def build_corpus(synthesiser: Synthesiser, out: Path, *, minutes: float, seed: int) -> Dataset:
    """Synthesise ``minutes`` of speech in every voice into the dataset folder ``out``.

    Sentences that are there already are kept; asking for more minutes makes the corpus grow. Every 20th sentence is
    held out, the second one being the first of them. Raises `WorkstationError` when ``out`` holds another corpus, and
    `OutputError` when it cannot be written.
    """
    for folder in ("clips", "phones", _SENTENCES_FOLDER):
        make_folder(out / folder)
    _claim(out, synthesiser, seed)
    done: list[_Sentence] = []
    seconds = 0.0
    with Progress(minutes * 60.0, f"synthesise {'+'.join(synthesiser.speakers)}") as progress:
        for index, text in enumerate(sentences(seed)):
            if seconds >= minutes * 60.0 and len(done) >= 2:
                break
            sentence = _finished(out, index) or _make(synthesiser, out, index, text)
            if sentence is not None:
                done.append(sentence)
                seconds += sentence.seconds
                progress.update(seconds, f"{len(done)} sentences, {seconds / 60.0:.1f} minutes a voice")
                if len(done) % _SAVE_EVERY == 0:
                    _save(synthesiser, out, done, seed)
    return _save(synthesiser, out, done, seed)


def is_heldout(index: int) -> bool:
    """Whether the sentence of this number is kept out of training; the same however large the corpus grows."""
    return index % _HELDOUT_EVERY == _HELDOUT_INDEX


def _claim(out: Path, synthesiser: Synthesiser, seed: int) -> None:
    """Bind the folder to one engine, set of voices and seed; refuse another one's."""
    recipe = {"engine": synthesiser.engine, "speakers": list(synthesiser.speakers), "seed": seed}
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    path = out / CORPUS_FILE
    if path.exists():
        if read_json(path).get("key") != key:
            raise WorkstationError(f"{out} holds a corpus of other voices, packages or seed; choose another folder")
        return
    write_json(path, {"key": key, **recipe})
    write_atomic(out / "LICENCE.txt", (synthesiser.licence_text.encode(),))


def _names(speakers: Iterable[str], index: int) -> Iterator[tuple[str, str]]:
    for speaker in speakers:
        safe = "".join(character if character.isalnum() or character in "_-." else "-" for character in speaker)
        yield speaker, f"clips/{index:05d}-{safe}.wav"


def _finished(out: Path, index: int) -> _Sentence | None:
    path = out / _SENTENCES_FOLDER / f"{index:05d}.json"
    if not path.exists():
        return None
    data = read_json(path)
    try:
        return _Sentence(
            index, str(data["text"]), float(data["seconds"]), bool(data["labelled"]), tuple(data["speakers"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WorkstationError(f"{path} is damaged; delete it and run collect again") from error


def _make(synthesiser: Synthesiser, out: Path, index: int, text: str) -> _Sentence | None:
    """Synthesise one sentence. Its own little file comes last, so a sentence that has one is complete."""
    utterance = synthesiser.synthesise(text, index)
    if utterance is None:
        return None
    lengths = {len(sound) for sound in utterance.sounds.values()}
    if len(lengths) != 1:
        raise WorkstationError(f"the voices of {text!r} differ in length ({sorted(lengths)}); report this fault")
    n_samples = lengths.pop()
    for speaker, file in _names(utterance.sounds, index):
        write_clip(out / file, level(utterance.sounds[speaker], CutSpec())[0])
    if utterance.phones is not None:
        if len(utterance.phones) != n_samples // HOP_LENGTH:
            raise WorkstationError(f"the phone labels of {text!r} do not fit its length; report this fault")
        write_labels(out / f"phones/{index:05d}.npy", utterance.phones)
    sentence = _Sentence(index, text, n_samples / SAMPLE_RATE_HZ, utterance.phones is not None, tuple(utterance.sounds))
    record = {key: value for key, value in asdict(sentence).items() if key != "index"}
    write_json(out / _SENTENCES_FOLDER / f"{index:05d}.json", record)
    return sentence


def _save(synthesiser: Synthesiser, out: Path, done: list[_Sentence], seed: int) -> Dataset:
    clips = tuple(
        Clip(
            file=file,
            speaker=speaker,
            seconds=sentence.seconds,
            split="heldout" if is_heldout(sentence.index) else "train",
            group=f"{seed}-{sentence.index:05d}",
            phones=f"phones/{sentence.index:05d}.npy" if sentence.labelled else None,
        )
        for sentence in done
        for speaker, file in _names(sentence.speakers, sentence.index)
    )
    if any(sentence.labelled for sentence in done):
        write_json(out / PHONES_FILE, list(PHONES))
    minutes = sum(clip.seconds for clip in clips) / 60.0
    source = DataSource(f"synthesised: {synthesiser.engine}", synthesiser.licence, round(minutes, 2))
    dataset = Dataset(out, clips, (source,), people=())
    save_dataset(dataset)
    return dataset
