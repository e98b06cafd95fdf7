"""``changeling export ...``: passed on to `export.cli` in a checkout."""

from __future__ import annotations

from edge_runtime.cli.workstation import run_in_checkout


def run(argv: list[str]) -> int:
    """Run the verb. Raises `WorkstationError` when this is not a checkout."""
    return run_in_checkout("export", argv)
