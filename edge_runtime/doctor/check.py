"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """One finding."""

    name: str
    verdict: str
    """`OK`; `WARN`: something works worse than it could, or not at all where it may not be wanted; `FAIL`."""
    text: str
    """What was found."""
    fix: str = ""
    """What to do about it, in one line; empty for `OK`."""
