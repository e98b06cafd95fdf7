"""``changeling evaluate voice ...``, ``... face ...`` and ``... swap ...``: tells them apart."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from edge_runtime.errors import InputError

_KINDS = {
    "voice": "RECORDINGS -o OUT: score a voice model on recordings",
    "face": "[FOOTAGE] [--data DATA] -o OUT: score a face model on photos, videos and rendered heads",
    "swap": "[FOOTAGE] [--data DATA] --model FILE -o OUT: the same of a model of another person's face",
}


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises `ChangelingError`."""
    given = list(argv)
    if given and given[0] in ("-h", "--help"):
        lines = [f"usage: changeling evaluate {kind} {text}" for kind, text in _KINDS.items()]
        print("\n".join([*lines, "", "`changeling evaluate voice --help` and `... face --help` tell more."]))
        return 0
    if not given or given[0] not in _KINDS:
        raise InputError("say what is to be evaluated: changeling evaluate voice ... or evaluate face ...; see --help")
    room = "face.swap" if given[0] == "swap" else given[0]
    return int(importlib.import_module(f"train.{room}.evaluate.cli").main(given[1:]))
