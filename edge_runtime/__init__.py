"""Changeling's device runtime: change a voice with NumPy and one interpreter, nothing else.

>>> import edge_runtime
>>> converter = edge_runtime.load("voice.dynamic_int8.tflite")
>>> converted = converter.convert(samples, sample_rate=16_000)
"""

from __future__ import annotations

from os import PathLike

from edge_runtime.errors import (
    BackendError,
    ChangelingError,
    ControlError,
    FrontEndError,
    InputError,
    MissingDependencyError,
    ModelFileError,
    OutputError,
)
from edge_runtime.model_file import open_model
from edge_runtime.voice.controls import Controls
from edge_runtime.voice.converter import VoiceConverter
from edge_runtime.voice.stream import VoiceStream

__all__ = [
    "BackendError",
    "ChangelingError",
    "ControlError",
    "Controls",
    "FrontEndError",
    "InputError",
    "MissingDependencyError",
    "ModelFileError",
    "OutputError",
    "VoiceConverter",
    "VoiceStream",
    "load",
]


def load(path: str | PathLike[str], *, backend: str | None = None, threads: int = 1) -> VoiceConverter:
    """Open a model file, check every byte of it, and make it ready to convert.

    ``backend`` is "litert", "tflite" or "onnx"; by default whatever is installed. Raises `ModelFileError` or
    `BackendError`.
    """
    return VoiceConverter(open_model(path), backend=backend, threads=threads)
