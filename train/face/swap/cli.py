"""``changeling train face swap``: which step is meant; without one, a person's face from their pictures."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Final

from edge_runtime.errors import InputError

STEPS: Final = {
    "collect": "render pairs of heads: the truth of a swap, for the base",
    "fit": "train the base on them; goes on where it was stopped",
    "predict": "swap the faces of a photo with the Keras model of a run",
}


def main(argv: Sequence[str]) -> int:
    """Run the step, or adapt to a person. Raises `ChangelingError`."""
    arguments = list(argv)
    if not arguments:
        raise InputError(f"say whose face with --target, or a step: {', '.join(STEPS)}; see --help")
    if arguments[0].startswith("-"):
        return int(importlib.import_module("train.face.swap.adapt").main(arguments))
    if arguments[0] not in STEPS:
        raise InputError(f"there is no step {arguments[0]!r}; there are: {', '.join(STEPS)}")
    return int(importlib.import_module(f"train.face.swap.{arguments[0]}").main(arguments[1:]))
