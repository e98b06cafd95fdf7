"""Every error a caller can meet, as one tree.

ChangelingError                  anything this project refuses to do; its text is one line that says what to do
├── InputError                   what the caller gave cannot be read or converted (a broken wav, NaNs, an empty file)
├── OutputError                  the result cannot be written (full disk, no permission, folder missing)
├── DeviceError                  a microphone, speaker, camera or screen cannot be opened, or went away
├── ControlError                 a control is out of its range, or names a voice or style the model does not have
├── ModelFileError               the model file is truncated, altered, of an unknown version, or not ours
│   └── FrontEndError            the file asks for a signal front end this runtime does not implement
├── ConsentError                 the model imitates a person who has not agreed to it, or does not any more
├── BackendError                 no interpreter is installed, or the interpreter refuses the graph
├── MissingDependencyError       an optional package is needed for this; the text names the extra to install
└── WorkstationError             a step of training or export failed (raised only by `train` and `export`)

The command line prints ``str(error)`` after ``changeling:`` and exits with ``exit_code``; no traceback is shown.
"""

from __future__ import annotations


class ChangelingError(Exception):
    """Base of all errors that are the caller's to mend; ``str(error)`` is one line."""

    exit_code: int = 1


class InputError(ChangelingError):
    """What the caller gave cannot be read or converted."""

    exit_code = 2


class OutputError(ChangelingError):
    """The result cannot be written; nothing was left half written."""

    exit_code = 3


class DeviceError(ChangelingError):
    """A microphone, speaker, camera or screen cannot be opened, or went away while it was used."""

    exit_code = 3


class ControlError(ChangelingError):
    """A control is out of its range, or names something the model does not have."""

    exit_code = 2


class ModelFileError(ChangelingError):
    """The model file is truncated, altered, of an unknown version, or not one of ours."""

    exit_code = 4


class FrontEndError(ModelFileError):
    """The model file asks for a front end this runtime does not implement."""


class ConsentError(ChangelingError):
    """The model imitates a person, and their permission is missing or has ended."""

    exit_code = 8


class BackendError(ChangelingError):
    """No interpreter is installed, or the interpreter refuses the graph."""

    exit_code = 5


class MissingDependencyError(ChangelingError):
    """An optional package is needed; the text names the extra that brings it."""

    exit_code = 6


class WorkstationError(ChangelingError):
    """A step of training or export failed, and the text says which and what to do."""

    exit_code = 7
