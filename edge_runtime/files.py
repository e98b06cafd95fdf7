"""Opening what a user names and writing what a user keeps: hostile paths in, whole files or none out."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from edge_runtime.errors import ChangelingError, InputError, OutputError

Path = str | os.PathLike[str]

_READ_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a FIFO must not block the open


def shown(path: Path) -> str:
    """``path`` as it stands in a message: always one line, whatever bytes the file's name holds."""
    name = os.fspath(path)
    return name if name.isprintable() and name else ascii(name)


def open_input(path: Path, *, max_bytes: int, error: type[ChangelingError] = InputError) -> tuple[BinaryIO, int]:
    """Open a regular, non-empty file of at most ``max_bytes`` for reading; return it with its size in bytes.

    The size is checked before a byte is read, so an oversized (or sparse) file costs nothing. Raises ``error``.
    """
    name = shown(path)
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        raise error(f"{name} does not exist; check the path") from None
    except PermissionError:
        raise error(f"{name} may not be read; give yourself permission to read it") from None
    except (OSError, ValueError) as problem:
        raise error(f"{name} cannot be opened ({reason(problem)}); check the path") from None
    try:
        status = os.fstat(descriptor)
        _check_status(status, name, max_bytes, error)
        return os.fdopen(descriptor, "rb"), status.st_size
    except BaseException:
        os.close(descriptor)
        raise


def _check_status(status: os.stat_result, name: str, max_bytes: int, error: type[ChangelingError]) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise error(f"{name} is a folder; name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{name} is not a regular file; copy its contents to one first")
    if status.st_size == 0:
        raise error(f"{name} is empty; check how it was made or copied")
    if status.st_size > max_bytes:
        raise error(
            f"{name} has {status.st_size / 1e6:.0f} MB and at most {max_bytes / 1e6:.0f} MB are read; "
            "cut it into smaller files"
        )


def reason(problem: Exception) -> str:
    """The short cause of an operating system's error, on one line."""
    text = (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__
    return " ".join(text.split())


def write_atomic(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write ``parts`` as the whole content of ``path``, or leave ``path`` as it was.

    The bytes go to a temporary file in the same folder, reach the disk, and then take the name in one step. A symbolic
    link is followed. Raises `OutputError`; the temporary file is removed whatever happens.
    """
    with atomic_path(path) as temporary, open(temporary, "xb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[str]:
    """A name beside ``path`` to write to; what lies there takes the name ``path`` when the block ends well.

    The file is removed when it does not. A symbolic link is followed. Raises `OutputError`, also for an `OSError` or
    `ValueError` of the block.
    """
    name = shown(path)
    temporary = ""
    try:
        target = os.path.realpath(path)
        if os.path.lexists(target) and not os.path.isfile(target):
            # replacing a device or a folder by a file would be worse than not writing
            raise OutputError(f"{name} exists and is not a regular file; choose another name")
        temporary = os.path.join(os.path.dirname(target), f".changeling-{os.urandom(8).hex()}.part")
        yield temporary
        os.replace(temporary, target)
        temporary = ""
    except (OSError, ValueError) as problem:
        raise OutputError(f"{name} cannot be written ({reason(problem)}); {remedy(problem)}") from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.remove(temporary)


def remedy(problem: Exception) -> str:
    """What to do about an error of writing."""
    number = problem.errno if isinstance(problem, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "free some space or choose another disk"
    if number == errno.ENOENT:
        return "create the folder first"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "choose a folder you may write to"
    return "choose another place"


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Raises `OutputError`."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as problem:
        raise OutputError(f"{shown(path)} cannot be made ({reason(problem)}); choose another folder") from problem
