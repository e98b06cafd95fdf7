"""What is said: Moonshine tiny for English, Whisper base for every other language."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime.errors import InputError
from train.voice.evaluate import weights
from train.voice.evaluate.evaluators import RATE_HZ, missing
from train.voice.evaluate.judges import one_thread_options
from train.voice.evaluate.measures import Samples

_TOKENS_PER_S: Final = 6.5
"""Moonshine never needs more tokens than this for a second of speech; more means that it loops."""
_START, _END = 1, 2
_CACHE_SHAPE: Final = (1, 8, 0, 36)
"""Moonshine tiny's empty attention cache: batch, heads, positions, size of a head."""


class Moonshine:
    """Moonshine tiny, English (Jeffries et al. 2024), straight in ONNX Runtime, greedy."""

    name = "moonshine-tiny-en-0.0.49"

    def __init__(self) -> None:
        """Fetches the weights the first time. Raises `MissingDependencyError` and as `weights.moonshine_folder`."""
        try:
            import onnxruntime
        except ImportError:
            raise missing("onnxruntime") from None
        folder = weights.moonshine_folder()

        def open_graph(name: str) -> Any:
            options = one_thread_options(onnxruntime)
            return onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])

        self._encoder = open_graph("encoder_model.ort")
        self._decoder = open_graph("decoder_model_merged.ort")
        self._outputs = [value.name for value in self._decoder.get_outputs()]
        self._inputs = [value.name for value in self._decoder.get_inputs()]
        self._tokens = _read_tokens(folder / "tokenizer.bin")

    def transcribe(self, samples: Samples, language: str) -> str:
        """English text."""
        sound = samples[None].astype(np.float32)
        mask = np.ones(sound.shape, np.int64)
        hidden = self._encoder.run(None, {"input_values": sound, "attention_mask": mask})[0]
        tokens = self._decode(hidden, mask, round(len(samples) / RATE_HZ * _TOKENS_PER_S) + 8)
        text = b"".join(self._tokens[token] for token in tokens if _END < token < len(self._tokens))
        return text.decode("utf8", "replace").replace("\u2581", " ").strip()

    def _decode(self, hidden: Any, mask: Any, most: int) -> list[int]:
        cache = {name: np.zeros(_CACHE_SHAPE, np.float32) for name in self._inputs if name.startswith("past")}
        tokens: list[int] = []
        last = _START
        for step in range(most):
            feed = {"input_ids": np.array([[last]], np.int64), "encoder_hidden_states": hidden, **cache}
            feed["use_cache_branch"] = np.array([step > 0])
            if "encoder_attention_mask" in self._inputs:
                feed["encoder_attention_mask"] = mask
            logits, *present = self._decoder.run(None, feed)
            for name, value in zip(self._outputs[1:], present, strict=True):
                # What the decoder keeps of the encoder comes out of the first step only.
                if step == 0 or "decoder" in name:
                    cache[name.replace("present", "past_key_values")] = value
            last = int(logits[0, -1].argmax())
            if last == _END:
                break
            tokens.append(last)
        return tokens


class Whisper:
    """Whisper base (Radford et al. 2022) in 8-bit CTranslate2, greedy, told the language."""

    name = "whisper-base-int8-faster-whisper-1.2.1"

    def __init__(self) -> None:
        """Fetches the weights the first time. Raises `MissingDependencyError` and as `weights.whisper_folder`."""
        try:
            import faster_whisper
        except ImportError:
            raise missing("faster-whisper") from None
        folder = str(weights.whisper_folder())
        options = {"device": "cpu", "compute_type": "int8", "cpu_threads": 1, "local_files_only": True}
        self._model = faster_whisper.WhisperModel(folder, **options)

    def transcribe(self, samples: Samples, language: str) -> str:
        """Text in the given language. Raises `InputError` for one that Whisper does not know."""
        if language not in self._model.supported_languages:
            raise InputError(
                f"Whisper knows no language {language!r}; correct the table, or leave it out: --skip words"
            )
        parts, _ = self._model.transcribe(
            samples, language=language, beam_size=1, condition_on_previous_text=False, without_timestamps=True
        )
        return " ".join(part.text.strip() for part in parts)


def _read_tokens(path: Path) -> list[bytes]:
    """Moonshine's table: of each token the length (one byte, or two when the first has its top bit set), then it."""
    data = path.read_bytes()
    tokens: list[bytes] = []
    position = 0
    while position < len(data):
        length = data[position]
        position += 1
        if length >= 128:
            length = length - 128 + data[position] * 128
            position += 1
        tokens.append(data[position : position + length])
        position += length
    return tokens
