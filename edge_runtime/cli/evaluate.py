"""``changeling evaluate voice ...`` and ``face ...``: passed on to `train.evaluate.cli` in a checkout."""

from __future__ import annotations

from edge_runtime.cli.workstation import run_in_checkout


def run(argv: list[str]) -> int:
    """Run the verb. Raises `WorkstationError` when this is not a checkout."""
    return run_in_checkout("train", argv, verb="evaluate", module="evaluate.cli", environment="make evaluate")
