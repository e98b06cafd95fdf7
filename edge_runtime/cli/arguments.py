"""Argument parsing that all verbs share: one-line errors, checked numbers, and which model is meant."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from edge_runtime.errors import InputError

MODEL_VARIABLE = "CHANGELING_MODEL"
BACKENDS = ("litert", "tflite", "onnx")
_MAX_THREADS = 64


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error here."""

    def __init__(self, prog: str, description: str, **options: Any) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Raise `InputError` in place of printing the usage and leaving."""
        raise InputError(f"{message}; see {self.prog} --help")


def number(text: str) -> float:
    """A finite number; argparse shows the name of this function when it is not one."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def thread_count(text: str) -> int:
    """1 to 64."""
    value = int(text)
    if not 1 <= value <= _MAX_THREADS:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {_MAX_THREADS}")
    return value


def add_model(parser: argparse.ArgumentParser) -> None:
    """``--model``, ``--backend`` and ``--threads``, as every verb that runs a model takes them."""
    parser.add_argument(
        "--model",
        metavar="FILE",
        help=f"a .tflite or .onnx of `changeling export` (or set {MODEL_VARIABLE}); by default changeling's own voices",
    )
    parser.add_argument("--backend", choices=BACKENDS, help="the interpreter; by default the best that is installed")
    parser.add_argument("--threads", type=thread_count, default=1, metavar="N", help="threads of the interpreter (1)")


def model_path(given: str | None) -> Path | None:
    """The model that is named on the command line or in the environment; None means the voices of changeling itself."""
    name = given or os.environ.get(MODEL_VARIABLE)
    return Path(name) if name else None


def with_bare_values(argv: Sequence[str], values: dict[str, str]) -> list[str]:
    """Give an option that stands without a number its value: ``--robot in.wav`` means ``--robot=1 in.wav``.

    argparse would take the file's name for the number.
    """
    filled: list[str] = []
    for position, argument in enumerate(argv):
        if argument == "--":
            return [*filled, *argv[position:]]
        bare = argument in values and not _is_number(argv[position + 1] if position + 1 < len(argv) else "")
        filled.append(f"{argument}={values[argument]}" if bare else argument)
    return filled


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
