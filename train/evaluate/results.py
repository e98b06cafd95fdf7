"""What the evaluations of voices and of faces both write."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SkippedFile:
    """Something given that was left out."""

    file: str
    reason: str


@dataclass(frozen=True)
class Bar:
    """One bar of quality and whether it was reached."""

    name: str
    value: float | None
    """None when it was not measured."""
    limit: float
    at_least: bool
    """Whether the value must be at least the limit, or at most."""

    @property
    def met(self) -> bool | None:
        """None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit
