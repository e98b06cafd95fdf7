"""The conversion itself: an interpreter, its fast kernels, and a model that gives the numbers it should.

The model runs in a process of its own: an interpreter that was built for another processor does not raise, it dies, and
what it says of its kernels it says on standard error.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_runtime.backends.litert import DELEGATE_LINE
from edge_runtime.doctor.check import FAIL, OK, WARN, Check

_OURS = "changeling:"
_TIMEOUT_S = 120.0
_INSTALL = "pip install ai-edge-litert (32-bit: pip install tflite-runtime==2.14.0 'numpy<2')"


@dataclass(frozen=True)
class Outcome:
    """How a process ended."""

    code: int
    """Exit code; the negative number of the signal that ended it."""
    out: str
    err: str


def run_selftest(arguments: Sequence[str]) -> Outcome:
    """``changeling selftest`` with ``arguments`` in a process of its own."""
    command = [sys.executable, "-m", "edge_runtime", "selftest", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Outcome(-1, "", f"changeling: the test did not end ({type(problem).__name__})")
    return Outcome(done.returncode, done.stdout, done.stderr)


def check_model(
    kind: str, arguments: Sequence[str], run: Callable[[Sequence[str]], Outcome] = run_selftest
) -> list[Check]:
    """The model of ``kind`` that ``arguments`` name: its golden vectors, and whether XNNPACK ran it."""
    outcome = run(["--kind", kind, *arguments])
    name = f"{kind} model"
    last = (outcome.out.strip().splitlines() or [""])[-1]
    if outcome.code == 0:
        return [Check(name, OK, last), _kernels(kind, outcome)]
    if outcome.code < -1:
        died = signal.Signals(-outcome.code).name
        fix = f"the interpreter is not for this processor; {_INSTALL}"
        return [Check(name, FAIL, f"the interpreter died of {died}", fix)]
    if outcome.code == 1 and "does NOT agree" in last:
        return [Check(name, FAIL, last, "try another interpreter (--backend), and copy the model file again")]
    lines = [line for line in outcome.err.splitlines() if line.startswith(_OURS)]
    text = lines[-1].removeprefix(_OURS).strip() if lines else "it ended for an unknown reason"
    what, _, remedy = text.rpartition("; ")
    return [Check(name, FAIL, what or text, remedy if what else _INSTALL)]


def _kernels(kind: str, outcome: Outcome) -> Check:
    name = f"{kind} kernels"
    if DELEGATE_LINE in outcome.err:
        return Check(name, OK, "XNNPACK is in use")
    if "onnxruntime" in outcome.out:
        return Check(name, OK, "ONNX Runtime's own")
    text = "XNNPACK is not in use: conversion is two to four times slower"
    return Check(name, WARN, text, f"use a 64-bit system; {_INSTALL}")
