"""Finds the verb, runs it, and turns every way it can end into one line and an exit code.

Exit codes: 0 done; 1 to 7 a `ChangelingError` (see `edge_runtime.errors`); 70 an error that is ours; 130 stopped by
Ctrl-C; 141 the reader of a pipe went away.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from edge_runtime.errors import ChangelingError, InputError

VERBS: dict[str, str] = {
    "convert": "convert a recording, a photo, a video, a folder of them, or raw sound from stdin",
    "live": "convert a microphone's sound or a camera's pictures while they come",
    "extract": "get aligned crops, landmarks, expressions and features of faces as files",
    "info": "show what a model file is, can do and was trained on",
    "selftest": "check on this machine that a model gives the numbers it gave when it was exported",
    "bench": "measure speed, memory and start-up of a model on this machine",
    "doctor": "find out what keeps this machine from converting, and how to mend it",
    "verify": "tell whether a file is marked as converted",
    "train": "make a voice from recordings (from a checkout, on a workstation)",
    "evaluate": "score a model on recordings or faces, as a page (from a checkout, on a workstation)",
    "export": "turn a trained voice into model files (from a checkout, on a workstation)",
}

_INTERNAL_EXIT_CODE = 70
_STOPPED_EXIT_CODE = 130
_PIPE_EXIT_CODE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``changeling`` with ``argv`` (the process's own arguments by default) and give its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except ChangelingError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("stopped")
        return _STOPPED_EXIT_CODE
    except BrokenPipeError:
        _abandon_stdout()
        return _PIPE_EXIT_CODE
    except Exception as error:
        if os.environ.get("CHANGELING_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        _complain(f"internal error: {what}; run with CHANGELING_DEBUG=1 for details")
        return _INTERNAL_EXIT_CODE


def _dispatch(arguments: list[str]) -> int:
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help", "help"):
        print(_help_text())
        return 0
    if verb in ("-V", "--version"):
        print(f"changeling {_version()}")
        return 0
    if verb not in VERBS:
        raise InputError(f"unknown verb {verb!r}; there are: {', '.join(VERBS)}")
    module = importlib.import_module(f"edge_runtime.cli.{verb}")
    return int(module.run(arguments[1:]))


def _help_text() -> str:
    width = max(map(len, VERBS))
    lines = [
        "usage: changeling VERB ...",
        "",
        "Turns voices and faces into others, on a small board.",
        "",
        *(f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items()),
        "",
        "`changeling VERB --help` tells more; `changeling --version` tells the version.",
    ]
    return "\n".join(lines)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("changeling")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _complain(text: str) -> None:
    print(f"changeling: {' '.join(text.split())}", file=sys.stderr)


def _abandon_stdout() -> None:
    """Point stdout nowhere, or the interpreter complains at exit that it cannot flush into the closed pipe."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # stdout is not a file, for instance in a test
