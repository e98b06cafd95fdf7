"""Changeling's device runtime: change voices and faces with NumPy and one interpreter.

>>> import edge_runtime
>>> voice = edge_runtime.load()  # the voices that come with it; load("voice.dynamic_int8.tflite") for your own
>>> converted = voice.convert(samples, sample_rate=16_000)
>>> face = edge_runtime.load(kind="face")
>>> smiling = face.convert(photo, smile=0.8)  # uint8 RGB (height, width, 3)
"""

from __future__ import annotations

from os import PathLike
from typing import Literal, overload

from edge_runtime.default_model import open_model_or_default
from edge_runtime.errors import (
    BackendError,
    ChangelingError,
    ConsentError,
    ControlError,
    DeviceError,
    FrontEndError,
    InputError,
    MissingDependencyError,
    ModelFileError,
    OutputError,
)
from edge_runtime.face.controls import FaceControls
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.editor import default_editor
from edge_runtime.face.stream import FaceStream
from edge_runtime.face.swap_controls import SwapControls
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.face.swap_stream import SwapStream
from edge_runtime.manifests import FACE, SWAP
from edge_runtime.voice.controls import Controls
from edge_runtime.voice.converter import VoiceConverter
from edge_runtime.voice.stream import VoiceStream

__all__ = [
    "BackendError",
    "ChangelingError",
    "ConsentError",
    "ControlError",
    "Controls",
    "DeviceError",
    "FaceControls",
    "FaceConverter",
    "FaceStream",
    "FrontEndError",
    "InputError",
    "MissingDependencyError",
    "ModelFileError",
    "OutputError",
    "SwapControls",
    "SwapConverter",
    "SwapStream",
    "VoiceConverter",
    "VoiceStream",
    "load",
]


@overload
def load(
    path: None = None, *, kind: Literal["voice"] | None = None, backend: str | None = None, threads: int = 1
) -> VoiceConverter: ...
@overload
def load(
    path: str | PathLike[str] | None, *, kind: Literal["voice"], backend: str | None = None, threads: int = 1
) -> VoiceConverter: ...
@overload
def load(
    path: str | PathLike[str] | None = None, *, kind: Literal["face"], backend: str | None = None, threads: int = 1
) -> FaceConverter: ...
@overload
def load(
    path: str | PathLike[str], *, kind: Literal["swap"], backend: str | None = None, threads: int = 1
) -> SwapConverter: ...
@overload
def load(
    path: str | PathLike[str] | None, *, kind: None = None, backend: str | None = None, threads: int = 1
) -> VoiceConverter | FaceConverter | SwapConverter: ...
def load(
    path: str | PathLike[str] | None = None,
    *,
    kind: Literal["voice", "face", "swap"] | None = None,
    backend: str | None = None,
    threads: int = 1,
) -> VoiceConverter | FaceConverter | SwapConverter:
    """Open a model file, check every byte of it, and make it ready to convert voices or faces, as the file says.

    Without ``path`` it is the model of that ``kind`` that comes with changeling, the voices when it is not given; with
    both, a file of another kind is refused. ``backend`` is "litert", "tflite" or "onnx"; by default whatever is
    installed. Raises `ModelFileError` or `BackendError`, and `ConsentError` for a person who has not agreed.
    """
    model = open_model_or_default(path, kind)
    if model.manifest.kind == FACE:
        return FaceConverter(model, backend=backend, threads=threads)
    if model.manifest.kind == SWAP:
        return SwapConverter(model, default_editor(backend, threads), backend=backend, threads=threads)
    return VoiceConverter(model, backend=backend, threads=threads)
