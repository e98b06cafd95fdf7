"""What a live conversion tells: one line a second of JSON for programs, a line that is redrawn for people, and events.

Sound or pictures on stdout keep it for themselves; then, and for people always, stderr is written to.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from typing import Protocol, TextIO

STYLES = ("line", "json", "none")
_JSON_S = 1.0
_REDRAW_S = 0.2
_LOG_S = 10.0
_CLEAR_LINE = "\r\x1b[K"


class Stats(Protocol):
    """A frozen dataclass of figures that can also be said to a person."""

    def line(self) -> str:
        """All that matters, in one line of a terminal."""


class Console:
    """`due` says when a line is wanted, so that figures are gathered only then."""

    def __init__(
        self, style: str, figures: TextIO, people: TextIO, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """JSON goes to ``figures``, everything else to ``people``."""
        self._style = style
        self._figures, self._people = figures, people
        self._terminal = people.isatty()
        self._clock = clock
        self._interval_s = _JSON_S if style == "json" else _REDRAW_S if self._terminal else _LOG_S
        self._next_s = clock() + (_JSON_S if style == "json" else self._interval_s)
        self._drawn = False

    def due(self) -> bool:
        """Whether it is time for the next line."""
        return self._style != "none" and self._clock() >= self._next_s

    def show(self, stats: Stats) -> None:
        """Show the figures; the next line is due an interval after the last one was, not after now."""
        now_s = self._clock()
        self._next_s = max(self._next_s + self._interval_s, now_s)
        if self._style == "json":
            figures = dataclasses.asdict(stats)  # type: ignore[call-overload]
            print(json.dumps(figures, separators=(",", ":"), allow_nan=False), file=self._figures, flush=True)
        elif self._terminal:
            self._people.write(f"{_CLEAR_LINE}{stats.line()}")
            self._people.flush()
            self._drawn = True
        else:
            print(stats.line(), file=self._people, flush=True)

    def say(self, text: str) -> None:
        """An event, in a line of its own."""
        self.clear()
        print(f"changeling: {' '.join(text.split())}", file=self._people, flush=True)

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._drawn:
            self._people.write(_CLEAR_LINE)
            self._people.flush()
            self._drawn = False
