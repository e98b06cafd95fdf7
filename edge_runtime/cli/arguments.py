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

    def knows(self, flag: str) -> bool:
        """Whether the flag was added."""
        return flag in self._option_string_actions  # argparse has no public way to ask


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
        help=f"a .tflite or .onnx of `changeling export` (or set {MODEL_VARIABLE}); by default changeling's own",
    )
    parser.add_argument("--backend", choices=BACKENDS, help="the interpreter; by default the best that is installed")
    parser.add_argument("--threads", type=thread_count, default=1, metavar="N", help="threads of the interpreter (1)")


def add_kind(parser: argparse.ArgumentParser) -> None:
    """``--kind``: which of changeling's own models is meant where no other is named."""
    parser.add_argument("--kind", choices=("voice", "face"), help="changeling's own voices (default), or its faces")


def model_path(given: str | None) -> Path | None:
    """The model that is named on the command line or in the environment; None means those of changeling itself."""
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


def take_units(argv: Sequence[str], parser: Parser) -> tuple[list[str], dict[str, float]]:
    """Take out flags that the parser does not know: ``--smile 0.8``, ``--smile=0.8``, bare ``--blink`` are sliders.

    A model has the sliders it has, so they are checked when it is open. Gives the rest, and value by name with
    underscores; a bare one is 1. Raises `InputError` for a value that is no number.
    """
    rest: list[str] = []
    units: dict[str, float] = {}
    position = 0
    while position < len(argv):
        argument = argv[position]
        position += 1
        flag, equals, text = argument.partition("=")
        if argument == "--":
            return [*rest, argument, *argv[position:]], units
        if not flag.startswith("--") or parser.knows(flag):
            rest.append(argument)
            continue
        if not equals and position < len(argv) and _is_number(argv[position]):
            text = argv[position]
            position += 1
        try:
            units[flag[2:].replace("-", "_")] = number(text) if equals or text else 1.0
        except ValueError:
            raise InputError(f"{flag} needs a number, and {text!r:.40} is none") from None
    return rest, units


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
