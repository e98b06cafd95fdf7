"""Hibari, a small English synthesiser from PyPI: its bundled voice, and its text-to-phones converter.

The package (``hibari-tts``, Apache-2.0) is pinned among the training dependencies and imported here only.
"""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime.errors import MissingDependencyError
from edge_runtime.media.resample import resample
from train.voice.clips import CutSpec, speech_span
from train.voice.corpus.build import Utterance
from train.voice.dataset import SAMPLE_RATE_HZ

HIBARI_VERSION: Final = "0.2.1"
RATE_HZ: Final = 24_000
_CLIPPED: Final = "/Clip_output_0"
_INJECTED: Final = "durations"
_LICENCE_TEXT: Final = """\
The sound in this folder was synthesised. It is nobody's recording; the voice is that of a model.

Engine   hibari-tts {version}, voice "heart", model sha256 {digest}
         Copyright 2026 Maureese Williams, Apache License 2.0
         distilled from Kokoro-82M (voice af_heart) by hexgrad, Apache License 2.0
Text     the sentence grammar of Changeling, under Changeling's own licence
"""


class Phonemizer:
    """Text to American English phones; one string, or "" for text without words."""

    def __init__(self) -> None:
        self._convert: Any = _g2p()

    def __call__(self, text: str) -> str:
        """The phones of a sentence in the alphabet of `train.voice.corpus.phones`."""
        return str(self._convert(text))


class TimedHibari:
    """Hibari with its durations as an input. They are Kokoro's, in the same units, because it was distilled from it.

    Measured: with Kokoro's durations the envelopes of the two lie on each other (lag 0, correlation 0.88 to 0.96).
    """

    def __init__(self) -> None:
        module = _module()
        import onnxruntime

        voice: Any = module.Hibari(voice="heart", threads=1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        graphs = [_timed_graph(voice.model_path, injected) for injected in (False, True)]
        self._durations, self._speech = (
            onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]) for graph in graphs
        )
        self._ids: Any = voice.ids
        self._digest = hashlib.sha256(Path(voice.model_path).read_bytes()).hexdigest()
        self.engine = f"hibari-tts {HIBARI_VERSION} heart {self._digest[:16]}"

    def units(self, characters: str) -> np.ndarray:
        """Its own durations, int64 (len(characters) + 2,), in units of 25 ms."""
        feeds = {"ids": np.asarray([self._ids(characters)], np.int64), "speed": np.ones(1, np.float32)}
        return np.asarray(self._durations.run([_CLIPPED], feeds)[0]).reshape(-1).astype(np.int64)

    def speak(self, characters: str, units: np.ndarray, seed: int) -> np.ndarray:
        """Sound (sum(units) * 600,) at 24 kHz with these durations; the noise in it is seeded."""
        from hibari import dsp

        feeds = {
            "ids": np.asarray([self._ids(characters)], np.int64),
            "speed": np.ones(1, np.float32),
            _INJECTED: units.astype(np.float32),
        }
        parts = [part[0] for part in self._speech.run(None, feeds)]
        return np.asarray(dsp.synth(*parts, np.random.default_rng(seed)), np.float32)


def _timed_graph(path: Path | str, injected: bool) -> bytes:
    """The model with its durations as a further output, or with their place taken by an input."""
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError as error:
        raise MissingDependencyError(
            'the ensemble corpus needs onnx; install it with: pip install -e ".[train,export]"'
        ) from error
    model = onnx.load(str(path))
    if not injected:
        model.graph.output.append(onnx.ValueInfoProto(name=_CLIPPED))
        return bytes(model.SerializeToString())
    for node in model.graph.node:
        if _CLIPPED in node.output:
            node.input[0] = _INJECTED
    model.graph.input.append(helper.make_tensor_value_info(_INJECTED, TensorProto.FLOAT, ["L"]))
    return bytes(model.SerializeToString())


class HibariSynthesiser:
    """The bundled voice "heart": one female voice of no person, about 100 times faster than real time."""

    speakers: tuple[str, ...] = ("heart",)
    licence = "Apache-2.0 (hibari-tts, distilled from Kokoro-82M)"

    def __init__(self) -> None:
        module = _module()
        self._voice: Any = module.Hibari(voice="heart", threads=1)
        self._digest = hashlib.sha256(Path(self._voice.model_path).read_bytes()).hexdigest()
        self.engine = f"hibari-tts {HIBARI_VERSION} heart {self._digest[:16]}"
        self.licence_text = _LICENCE_TEXT.format(version=HIBARI_VERSION, digest=self._digest)

    def synthesise(self, text: str, index: int) -> Utterance | None:
        """Read one sentence; the noise in the voice is seeded with ``index``, so the result is always the same."""
        sound = np.asarray(self._voice(text, seed=index), np.float32)
        if len(sound) == 0:
            return None
        sound = resample(sound, RATE_HZ, SAMPLE_RATE_HZ)
        start, stop = speech_span(sound)
        pad = round(CutSpec().pad_s * SAMPLE_RATE_HZ)
        return Utterance({"heart": sound[max(start - pad, 0) : stop + pad]}, None) if stop else None


def _module() -> Any:
    try:
        import hibari

        installed = metadata.version("hibari-tts")
    except ImportError as error:
        raise MissingDependencyError(
            f'the corpus needs hibari-tts {HIBARI_VERSION}; install it with: pip install -e ".[train]"'
        ) from error
    if installed != HIBARI_VERSION:
        raise MissingDependencyError(
            f"the corpus needs hibari-tts {HIBARI_VERSION} and {installed} is installed; "
            f"install it with: pip install hibari-tts=={HIBARI_VERSION}"
        )
    return hibari


def _g2p() -> Any:
    _module()
    from hibari.g2p import G2P

    return G2P()
