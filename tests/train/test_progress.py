"""Progress must be readable on a terminal, in a log, and honest after a resume."""

from __future__ import annotations

import io

from train.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_log_gets_a_line_every_ten_seconds_and_the_last_state() -> None:
    stream, clock = io.StringIO(), _Clock()
    with Progress(100, "fit", stream=stream, clock=clock) as progress:
        for step in range(1, 26):
            clock.now_s += 1.0
            progress.update(step, f"loss {step}")
    lines = stream.getvalue().splitlines()
    assert [line.split("loss ")[1] for line in lines] == ["1", "11", "21", "25"]
    assert "\r" not in stream.getvalue()
    assert "25 %" in lines[-1]
    assert "0:25 gone" in lines[-1]
    assert "about 1:15 left" in lines[-1]


def test_a_terminal_gets_one_line_that_is_redrawn() -> None:
    stream, clock = _Terminal(), _Clock()
    progress = Progress(2, "collect", stream=stream, clock=clock)
    for done in (1, 2):
        clock.now_s += 1.0
        progress.update(done)
    progress.close()
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert text.count("\r\x1b[K") >= 2


def test_the_estimate_of_a_resumed_step_counts_only_new_work() -> None:
    """90 of 100 were done before: at a second each the rest takes 9 more seconds, not a tenth of one."""
    stream, clock = io.StringIO(), _Clock()
    progress = Progress(100, "fit", stream=stream, clock=clock)
    progress.update(90)
    clock.now_s += 10.0
    progress.update(91)
    assert "about 1:30 left" in stream.getvalue()


def test_closing_without_any_update_prints_nothing() -> None:
    stream = _Terminal()
    Progress(10, "idle", stream=stream).close()
    assert stream.getvalue() == ""
