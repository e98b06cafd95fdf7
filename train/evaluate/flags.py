"""Words of the command line that both kinds of evaluation take."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence


def count(text: str) -> int:
    """A number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 1")
    return value


def some_of(measures: Sequence[str]) -> Callable[[str], frozenset[str]]:
    """Reads names of ``measures`` with commas between them."""

    def read(text: str) -> frozenset[str]:
        given = names(text)
        if unknown := [name for name in given if name not in measures]:
            raise argparse.ArgumentTypeError(f"there is no measure {unknown[0]!r:.40}; there are {', '.join(measures)}")
        return frozenset(given)

    return read


def names(text: str) -> list[str]:
    """What stands between commas, each once."""
    return [name for name in dict.fromkeys(part.strip() for part in text.split(",")) if name]
