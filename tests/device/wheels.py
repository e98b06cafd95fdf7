"""A board's packages, installed by this machine's pip for the board's Python: from the repository's locks, by hash.

pip judges a lock's markers by the machine it runs on, so they are judged here, for the board, and written out of the
way. Nothing is emulated, which makes it a matter of seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.device.boards import Board, Userland
from tests.device.no_board import NoBoardError

REPOSITORY = Path(__file__).parents[2]
_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
_DIGITS = 12
_GLIBC = {"bookworm": 36, "trixie": 41}
"""Minor version of the suite's C library: which manylinux wheels run there."""


def get_packages(cache: Path, board: Board) -> Path:
    """The folder with the packages of the board's lock, installed when it is not there. Raises `NoBoardError`."""
    pins = pins_for(board)
    folder = cache / f"{board.userland.name}-{board.lock.partition('.')[0]}-{_digest(pins.encode())}"
    if not folder.is_dir():
        print(f"emulated boards: installing {board.lock} for {board.userland.name}", file=sys.stderr, flush=True)
        stem = folder.name.rpartition("-")[0]
        _forget(cache, f"{stem}-{'?' * _DIGITS}")
        _forget(cache, f"{stem}-{'?' * _DIGITS}-without-*")
        with _requirements(cache / f".{folder.name}.txt", pins) as options:
            _install(folder, [*_platform_of(board.userland), *options])
    return folder


def download(cache: Path, board: Board, folder: Path) -> list[Path]:
    """The wheels of the board's lock, fetched into ``folder``. Raises `NoBoardError`."""
    with _requirements(cache / ".download.txt", pins_for(board)) as options:
        command = [*_PIP, "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
        _run([*command, *_platform_of(board.userland), *options], board.lock)
    return sorted(folder.glob("*.whl"))


def get_wheel(cache: Path, wheel: Path) -> Path:
    """The folder with the installed project, from its wheel; the same for all boards. Raises `NoBoardError`."""
    folder = cache / f"wheel-{_digest(wheel.read_bytes())}"
    if not folder.is_dir():
        _forget(cache, "wheel-*")
        _install(folder, [str(wheel)])
    return folder


def pins_for(board: Board) -> str:
    """Those lines of the board's lock that are for its machine and Python, their markers left out."""
    # part of every environment that has pytest; at the top it would be asked of environments that have not
    from packaging.requirements import Requirement

    environment = {
        "python_version": board.userland.python,
        "python_full_version": f"{board.userland.python}.2",
        "platform_machine": board.userland.machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    kept = []
    for entry in re.split(r"\n(?=\S)", (REPOSITORY / "locks" / board.lock).read_text(encoding="utf-8").strip()):
        first, _, hashes = entry.partition("\\\n")
        requirement = Requirement(first.strip())
        fits = requirement.marker is None or requirement.marker.evaluate(environment)
        if requirement.name in board.only if board.only else fits:
            kept.append(f"{requirement.name}{requirement.specifier} \\\n{hashes}")
    return "\n".join(kept) + "\n"


def _platform_of(userland: Userland) -> list[str]:
    """pip's options for a foreign machine; it does not know that newer C libraries run what older ones do."""
    tags = [f"manylinux_2_{minor}" for minor in range(_GLIBC[userland.suite], 16, -1)] + ["manylinux2014"]
    options = [word for tag in tags for word in ("--platform", f"{tag}_{userland.machine}")]
    return [*options, "--implementation", "cp", "--python-version", userland.python, "--ignore-requires-python"]


@contextlib.contextmanager
def _requirements(path: Path, pins: str) -> Iterator[list[str]]:
    """pip's options for ``pins``, which stand in a file at ``path`` for the while."""
    path.write_text(pins, encoding="utf-8")
    try:
        yield ["--require-hashes", "-r", str(path)]
    finally:
        path.unlink()


def _install(folder: Path, what: list[str]) -> None:
    parts = folder.with_name(f".making-{folder.name}")
    shutil.rmtree(parts, ignore_errors=True)
    command = [*_PIP, "install", "--no-compile", "--no-deps", "--only-binary", ":all:", "--target", str(parts)]
    _run([*command, *what], folder.name)
    parts.rename(folder)


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise NoBoardError(f"pip cannot install {what}: {said[0]}")


def _forget(cache: Path, pattern: str) -> None:
    for old in cache.glob(pattern):
        shutil.rmtree(old)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
