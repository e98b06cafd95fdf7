"""Runs each conversion in a process of its own, with a time-out, and survives its death.

Converters are native code: they crash (a while loop under full-integer quantisation ends in a segmentation fault)
and they hang. Importing TensorFlow costs ten seconds, so the processes are forked from one server process that has
imported it and done nothing else with it: it has a single thread, which is what makes forking from it safe.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Any

_PRELOAD = ("tensorflow",)
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "TF_ENABLE_ONEDNN_OPTS": "0"}
_LOG_TAIL_BYTES = 8000


@dataclass(frozen=True)
class Job:
    """A call to run in a child: ``function`` must be importable by name and ``arguments`` picklable."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    job: Job
    value: Any
    """What the function returned; None when it did not get that far."""
    failure: str
    """One of "" (fine), "error" (it raised), "crash" (the process died), "timeout" (it was killed)."""
    text: str
    """The exception's text, or which signal or exit code ended the process."""
    log: str
    """The tail of what the process wrote to its standard output and error."""
    seconds: float

    @property
    def ok(self) -> bool:
        """True when the function returned."""
        return not self.failure


@dataclass
class _Running:
    index: int
    job: Job
    process: Any
    receiver: connection.Connection
    log: Path
    start_s: float


def start_server() -> None:
    """Start the server process; returns at once, while it imports TensorFlow in the background."""
    multiprocessing.set_forkserver_preload(list(_PRELOAD))
    with _environment(_ENVIRONMENT), _quiet_standard_error():
        forkserver.ensure_running()


def run_jobs(
    jobs: Sequence[Job],
    *,
    timeout_s: float,
    parallel: int = 2,
    on_end: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Run ``jobs``, at most ``parallel`` at a time, each at most ``timeout_s``; outcomes in the order of the jobs.

    ``on_end`` is called as each one ends. An interrupt kills every child before it goes on.
    """
    start_server()
    waiting = list(enumerate(jobs))[::-1]
    running: list[_Running] = []
    outcomes: dict[int, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="changeling-worker-") as folder:
        try:
            while waiting or running:
                while waiting and len(running) < parallel:
                    running.append(_start(*waiting.pop(), Path(folder)))
                for entry in _ended(running, timeout_s):
                    running.remove(entry)
                    outcome = _finish(entry, timeout_s)
                    outcomes[entry.index] = outcome
                    if on_end is not None:
                        on_end(outcome)
        finally:
            for entry in running:
                entry.process.kill()
                entry.process.join()
    return [outcomes[i] for i in range(len(jobs))]


def _start(index: int, job: Job, folder: Path) -> _Running:
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    log = folder / f"{index}.log"
    process = context.Process(target=_child, args=(sender, str(log), job), daemon=True)
    process.start()  # waits for the server's import, which therefore does not count as the job's time
    sender.close()
    return _Running(index, job, process, receiver, log, time.monotonic())


def _ended(running: list[_Running], timeout_s: float) -> list[_Running]:
    """Wait until at least one has something to say, has died, or is out of time."""
    left = [entry.start_s + timeout_s - time.monotonic() for entry in running]
    handles = [handle for entry in running for handle in (entry.receiver, entry.process.sentinel)]
    ready = set(connection.wait(handles, timeout=max(0.0, min(left))))
    now = time.monotonic()
    return [
        entry
        for entry in running
        if entry.receiver in ready or entry.process.sentinel in ready or now >= entry.start_s + timeout_s
    ]


def _finish(entry: _Running, timeout_s: float) -> Outcome:
    seconds = time.monotonic() - entry.start_s
    value, failure, text = None, "", ""
    try:
        if entry.receiver.poll():
            failure, text, value = entry.receiver.recv()
        elif entry.process.is_alive():
            failure, text = "timeout", f"no result after {timeout_s:.0f} s"
    except EOFError:
        pass
    if failure == "timeout":
        entry.process.kill()
    entry.process.join()
    entry.receiver.close()
    if not failure and value is None and entry.process.exitcode != 0:
        failure, text = "crash", _death(entry.process.exitcode)
    return Outcome(entry.job, value, failure, text, _tail(entry.log), seconds)


def _death(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _tail(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
    return ""


def _child(sender: connection.Connection, log: str, job: Job) -> None:
    """Runs in the child: everything it prints goes to ``log``, its result or exception to ``sender``."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        value = job.function(*job.arguments)
    except Exception as error:
        sender.send(("error", f"{type(error).__name__}: {error}", None))
    else:
        sender.send(("", "", value))
    sender.close()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for what is started inside, then put the old ones back."""
    old = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in old.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """What is started inside gets no standard error: TensorFlow greets on it whatever its log level is."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
