"""The voices that come with changeling: one model file inside the package, used when no other is named.

It lies in ``edge_runtime/models/`` and is found through the import system, so that an installed wheel, an editable
checkout and a zip on ``sys.path`` all work. ``MODEL_CARD.md`` says what its voices were made of and how good they are.
"""

from __future__ import annotations

import dataclasses

from edge_runtime.errors import ModelFileError
from edge_runtime.files import Path, reason
from edge_runtime.model_file import ModelFile, open_model

VOICES = "voices.tflite"
"""Name of the default voice model in the folder `FOLDER` of this package."""
FOLDER = "models"

_BROKEN = "the voices that come with changeling cannot be used"
_REMEDY = "install changeling again, or name a model file of your own"


def open_model_or_default(path: Path | None = None) -> ModelFile:
    """Read and verify the model file at ``path``, or the one that comes with changeling when that is None.

    Raises as `edge_runtime.model_file.open_model` does; a missing or damaged default says that it is changeling's own.
    """
    return _open_default() if path is None else open_model(path)


def _open_default() -> ModelFile:
    from importlib import resources  # costs a board some ten milliseconds, which a named model need not pay

    resource = resources.files("edge_runtime").joinpath(FOLDER).joinpath(VOICES)
    if not resource.is_file():
        raise ModelFileError(f"this installation lacks the voices that come with changeling ({resource}); {_REMEDY}")
    try:
        with resources.as_file(resource) as file:  # the file itself, or a copy of it where the package lies in a zip
            model = open_model(file)
    except ModelFileError as error:
        raise type(error)(f"{_BROKEN} ({error}); {_REMEDY}") from None
    except OSError as problem:
        raise ModelFileError(f"{_BROKEN} ({reason(problem)}); {_REMEDY}") from None
    return dataclasses.replace(model, path=str(resource))
