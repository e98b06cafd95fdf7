"""Progress with an estimate of the time left, for terminals and for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_REDRAW_S = 0.1
_LINE_S = 10.0
_CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Tells how far a step is: one line redrawn on a terminal, a line every ten seconds anywhere else.

    The estimate counts only work done since the first `update`, so that a resumed step is not taken for a fast one.

    ``total`` is in any unit that `update` shares (steps, seconds of sound); ``label`` names the step. The clock gives
    seconds and only differences matter.
    """

    def __init__(
        self, total: float, label: str, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = max(float(total), 1e-9)
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._clock = clock
        self._start_s = clock()
        self._first: tuple[float, float] | None = None
        self._shown_s = -float("inf")
        self._line = ""

    def update(self, done: float, note: str = "") -> None:
        """Show that ``done`` of the total is finished; ``note`` is a short remark such as a loss."""
        now_s = self._clock()
        if self._first is None:
            self._first = (now_s, done)
        self._line = self._render(done, note, now_s)
        if now_s - self._shown_s >= (_REDRAW_S if self._terminal else _LINE_S):
            self._show(now_s)

    def close(self) -> None:
        """Show the last state for good and end the line."""
        if self._line:
            self._show(self._clock())
        if self._terminal and self._shown_s > -float("inf"):
            self._stream.write("\n")
            self._stream.flush()
        self._line = ""
        self._shown_s = -float("inf")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _show(self, now_s: float) -> None:
        self._stream.write(f"{_CLEAR_LINE}{self._line}" if self._terminal else f"{self._line}\n")
        self._stream.flush()
        self._shown_s = now_s
        self._line = self._line if self._terminal else ""

    def _render(self, done: float, note: str, now_s: float) -> str:
        percent = 100.0 * min(done / self._total, 1.0)
        parts = [f"{self._label} {percent:3.0f} %", f"{_clock_text(now_s - self._start_s)} gone"]
        left_s = self._left_s(done, now_s)
        if left_s is not None:
            parts.append(f"about {_clock_text(left_s)} left")
        if note:
            parts.append(note)
        return "  ".join(parts)

    def _left_s(self, done: float, now_s: float) -> float | None:
        if self._first is None or done >= self._total:
            return None
        since_s, since_done = now_s - self._first[0], done - self._first[1]
        if since_s <= 0.0 or since_done <= 0.0:
            return None
        return (self._total - done) * since_s / since_done


def _clock_text(seconds: float) -> str:
    """``m:ss`` below an hour, ``h:mm:ss`` above."""
    whole = round(max(seconds, 0.0))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
