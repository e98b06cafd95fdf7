"""The system's own sound libraries through ctypes: they are on every board, and need no package."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util

from edge_runtime.errors import MissingDependencyError


def load_library(name: str, soname: str, package: str) -> ctypes.CDLL:
    """Load ``lib<name>``. Raises `MissingDependencyError`, which names Debian's ``package``."""
    for candidate in (soname, ctypes.util.find_library(name)):
        if candidate:
            with contextlib.suppress(OSError):
                return ctypes.CDLL(candidate)
    raise MissingDependencyError(f"{soname} is not installed: sudo apt install {package}")
