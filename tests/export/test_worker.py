"""Conversions run in children: a crash, a hang or an exception of one must end that one only, and be told apart."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest

from export.worker import Job, Outcome, run_jobs

pytestmark = pytest.mark.tensorflow


def _by_name(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.job.name: outcome for outcome in outcomes}


def test_a_dying_child_does_not_take_the_others_along() -> None:
    jobs = [
        Job("value", divmod, (7, 3)),
        Job("crash", signal.raise_signal, (signal.SIGSEGV,)),
        Job("hang", time.sleep, (600.0,)),
        Job("error", int, ("seven",)),
        Job("exit", os._exit, (3,)),
        Job("last", divmod, (9, 2)),
    ]
    seen: list[str] = []
    start = time.monotonic()
    outcomes = run_jobs(jobs, timeout_s=3.0, on_end=lambda outcome: seen.append(outcome.job.name))
    assert [outcome.job for outcome in outcomes] == jobs  # in the order of the jobs, whatever ended first
    assert sorted(seen) == sorted(job.name for job in jobs)
    found = _by_name(outcomes)
    assert found["value"].value == (2, 1)
    assert found["last"].value == (4, 1)
    assert (found["crash"].failure, found["crash"].text) == ("crash", "signal 11")
    assert (found["exit"].failure, found["exit"].text) == ("crash", "exit code 3")
    assert found["hang"].failure == "timeout"
    assert "after 3 s" in found["hang"].text
    assert found["error"].failure == "error"
    assert "'seven'" in found["error"].text
    assert time.monotonic() - start < 60.0


def test_what_a_child_prints_is_kept_and_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_jobs([Job("noisy", os.write, (2, b"from the converter\n"))], timeout_s=30.0)[0]
    assert outcome.log == "from the converter\n"
    captured = capfd.readouterr()
    assert "from the converter" not in captured.out + captured.err


def test_an_interrupt_kills_the_children() -> None:
    """Ctrl-C while a converter hangs must not leave the converter behind, eating memory."""

    def stop(_: Outcome) -> None:
        raise KeyboardInterrupt

    jobs = [Job("quick", divmod, (1, 1)), Job("hang", time.sleep, (600.0,))]
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, timeout_s=60.0, on_end=stop)
    assert multiprocessing.active_children() == []
