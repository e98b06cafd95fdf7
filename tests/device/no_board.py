"""Why there is no emulated board here."""

from __future__ import annotations

from edge_runtime.errors import WorkstationError


class NoBoardError(WorkstationError):
    """This machine cannot build or run an emulated board; the text is one line that says why."""
