"""How far a long conversion is, on stderr: a line redrawn on a terminal, a new line now and then anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_REDRAW_S = 0.1
_LINE_S = 10.0
_QUIET_S = 1.0
"""A conversion that takes less than this needs no progress."""
_CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Call it with the finished share, 0..1; `close` wipes the line. The clock gives seconds."""

    def __init__(
        self, label: str, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._terminal = self._stream.isatty()
        self._interval_s = _REDRAW_S if self._terminal else _LINE_S
        self._start_s = clock()
        self._next_s = self._start_s + max(_QUIET_S, self._interval_s)
        self._drawn = False

    def __call__(self, share: float) -> None:
        """Show the share if it is time to."""
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._interval_s
        self._drawn = True
        left = f", about {(now_s - self._start_s) * (1.0 - share) / share:.0f} s left" if share > 0.0 else ""
        text = f"{self._label} {100.0 * share:3.0f} %{left}"
        self._stream.write(f"{_CLEAR_LINE}{text}" if self._terminal else f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._drawn and self._terminal:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()
        self._drawn = False
