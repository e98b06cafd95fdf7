"""Changeling's device runtime: change a voice with NumPy and one interpreter, nothing else.

>>> import edge_runtime
>>> converter = edge_runtime.load()  # the voices that come with it; load("voice.dynamic_int8.tflite") for your own
>>> converted = converter.convert(samples, sample_rate=16_000)
"""

from __future__ import annotations

from os import PathLike

from edge_runtime.default_model import open_model_or_default
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


def load(path: str | PathLike[str] | None = None, *, backend: str | None = None, threads: int = 1) -> VoiceConverter:
    """Open a model file, check every byte of it, and make it ready to convert.

    Without ``path`` these are the voices that come with changeling. ``backend`` is "litert", "tflite" or "onnx"; by
    default whatever is installed. Raises `ModelFileError` or `BackendError`.
    """
    return VoiceConverter(open_model_or_default(path), backend=backend, threads=threads)
