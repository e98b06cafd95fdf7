"""The door from the command to `train` and `export`, which are there in a checkout and never in the wheel."""

from __future__ import annotations

import importlib
from importlib import util
from pathlib import Path

from edge_runtime.errors import WorkstationError


def run_in_checkout(
    package: str, argv: list[str], *, verb: str = "", module: str = "cli", environment: str = "make setup"
) -> int:
    """Hand ``argv`` to ``PACKAGE.MODULE.main`` of the checkout that this code runs from.

    ``verb`` is what the user typed (the package's name by default) and ``environment`` makes what it needs. Raises
    `WorkstationError` when this is an installed wheel.
    """
    if not _beside_us(package):
        raise WorkstationError(
            f"`changeling {verb or package}` runs from a checkout on a workstation (`{environment}` there), "
            "not on a board"
        )
    return int(importlib.import_module(f"{package}.{module}").main(argv))


def _beside_us(package: str) -> bool:
    """Whether the importable package of that (common) name is the one that lies beside `edge_runtime`."""
    found = util.find_spec(package)
    checkout = Path(__file__).resolve().parents[2]
    return found is not None and found.origin is not None and Path(found.origin).resolve().parents[1] == checkout
