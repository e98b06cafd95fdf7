"""What the evaluations of voices and of faces both write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True)
class BarSpec:
    """A bar before anything was measured."""

    key: str
    """Of the measured values."""
    name: str
    limit: float
    at_least: bool
    percent: bool = False
    """Whether its numbers are read in per cent."""


def make_bars(specs: Iterable[BarSpec], values: Mapping[str, float | None]) -> tuple[Bar, ...]:
    """All bars with what was measured of them, by key."""
    return tuple(Bar(spec.name, values.get(spec.key), spec.limit, spec.at_least) for spec in specs)
