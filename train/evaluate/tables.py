"""Numbers as text, and tables as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from train.evaluate.intervals import Interval
from train.evaluate.results import Bar


def number_text(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}"


def interval_text(interval: Interval | None, form: str, scale: float = 1.0) -> str:
    """``mean [low, high]``, the mean alone where there were too few, a dash where there is nothing."""
    if interval is None:
        return "–"
    mean = form.format(interval.mean * scale)
    if interval.low is None or interval.high is None:
        return mean
    return f"{mean} [{form.format(interval.low * scale)}, {form.format(interval.high * scale)}]"


def bar_cells(bar: Bar, shown: Callable[[float], str] = number_text) -> tuple[str, str, str, str]:
    """Name, value, limit, and yes, no or not measured; ``shown`` makes text of its numbers."""
    limit = f"{'≥' if bar.at_least else '≤'} {shown(bar.limit)}"
    verdict = {True: "yes", False: "no", None: "not measured"}[bar.met]
    return bar.name, "–" if bar.value is None else shown(bar.value), limit, verdict


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines for a terminal, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return lines + [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
