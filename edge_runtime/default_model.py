"""The models that come with changeling: one file of each kind inside the package, used when no other is named.

They lie in ``edge_runtime/models/`` and are found through the import system, so that an installed wheel, an editable
checkout and a zip on ``sys.path`` all work. ``MODEL_CARD.md`` says what they were made of and how good they are.
"""

from __future__ import annotations

import dataclasses

from edge_runtime.errors import ModelFileError
from edge_runtime.files import Path, reason
from edge_runtime.manifests import FACE, SWAP, VOICE
from edge_runtime.model_file import ModelFile, open_model

VOICES = "voices.tflite"
"""Name of the default voice model in the folder `FOLDER` of this package."""
FACES = "faces.tflite"
"""The same for faces."""
FOLDER = "models"

_DEFAULTS = {
    VOICE: (VOICES, "the voices that come with changeling"),
    FACE: (FACES, "the face model that comes with changeling"),
}
_NEEDED = {
    VOICE: "sound needs a voice model",
    FACE: "photos and video need a face model",
    SWAP: "--swap needs a swap model",
}
_REMEDY = "install changeling again, or name a model file of your own"


def open_model_or_default(path: Path | None = None, kind: str | None = None) -> ModelFile:
    """Read and verify the model file at ``path``, or the one of ``kind`` (voice when None) that comes with changeling.

    Raises as `edge_runtime.model_file.open_model` does, also for a file of another kind than ``kind``; a missing or
    damaged default says that it is changeling's own.
    """
    if path is None:
        return _open_default(kind or VOICE)
    model = open_model(path)
    if kind is not None and model.manifest.kind != kind:
        raise ModelFileError(f"{model.path} is a {model.manifest.kind} model; {_NEEDED[kind]}")
    return model


def _open_default(kind: str) -> ModelFile:
    from importlib import resources  # costs a board some ten milliseconds, which a named model need not pay

    if kind not in _DEFAULTS:
        raise ModelFileError(f"no {kind} model comes with changeling; name the file of one")
    file_name, what = _DEFAULTS[kind]
    resource = resources.files("edge_runtime").joinpath(FOLDER).joinpath(file_name)
    if not resource.is_file():
        raise ModelFileError(f"this installation lacks {what} ({resource}); {_REMEDY}")
    try:
        with resources.as_file(resource) as file:  # the file itself, or a copy of it where the package lies in a zip
            model = open_model(file)
    except ModelFileError as error:
        raise type(error)(f"{what} cannot be used ({error}); {_REMEDY}") from None
    except OSError as problem:
        raise ModelFileError(f"{what} cannot be used ({reason(problem)}); {_REMEDY}") from None
    return dataclasses.replace(model, path=str(resource))
