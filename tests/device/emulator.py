"""A running board: ARM programs through QEMU's user-mode emulation, in a root of the board's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.device.boards import Board
from tests.device.no_board import NoBoardError
from tests.device.pretence import write_pretence
from tests.device.userland import check_host, get_qemu, get_root, locked
from tests.device.wheels import get_packages, get_wheel

_LONGEST_S = 900.0


@dataclass(frozen=True)
class EmulatedBoard:
    """A board that is ready to run programs."""

    board: Board
    root: Path
    qemu: Path
    packages: Path
    wheel: Path

    def changeling(self, *arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run the installed command, as a user of the board would, in ``folder``."""
        return self.python(self.wheel / "bin" / "changeling", *arguments, folder=folder)

    def python(
        self, *arguments: str | Path, folder: Path, plugin: str = "", without: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run the board's Python in ``folder``; ``plugin`` is QEMU's ``FILE,OPTION=VALUE``.

        ``without`` names installed packages that must not be found. A program that dies of a signal has a negative exit
        code, as ever.
        """
        userland = self.board.userland
        libraries = self.root / "usr" / "lib" / userland.triplet
        search = [self.wheel, self.packages]
        if without:
            search[1] = _packages_without(self.packages, without)
        if self.board.is_64_bit:
            linker = ["-U", "LD_LIBRARY_PATH"]  # that of QEMU itself, below
        else:  # where Debian's alternatives would put BLAS
            search.append(self.root / "usr" / "lib" / "python3" / "dist-packages")
            linker = ["-E", f"LD_LIBRARY_PATH={libraries / 'blas'}:{libraries / 'lapack'}"]
        settings = {
            "PYTHONPATH": ":".join(str(path) for path in search),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [
            str(self.qemu / "usr" / "bin" / userland.qemu),
            *("-L", str(self.root)),
            *("-cpu", "cortex-a7" if not self.board.is_64_bit else self.board.hardware.qemu_cpu),
            *(["-plugin", plugin] if plugin else []),
            *linker,
            *(word for name, value in settings.items() for word in ("-E", f"{name}={value}")),
            str(self.root / "usr" / "bin" / f"python{userland.python}"),
            "-sS",  # paths that the root lacks are this machine's: its packages must not be found
            *(str(argument) for argument in arguments),
        ]
        environment = _qemu_environment(self.qemu)
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_LONGEST_S)

    def qemu_version(self) -> str:
        """Such as "7.2.17". Raises `NoBoardError` where QEMU does not start."""
        command = [str(self.qemu / "usr" / "bin" / self.board.userland.qemu), "--version"]
        done = subprocess.run(command, env=_qemu_environment(self.qemu), capture_output=True, text=True)
        found = re.search(r"version (\S+)", done.stdout)
        if found is None:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NoBoardError(
                f"QEMU does not start ({said}); install what it lacks (on Debian: apt install qemu-user)"
            )
        return found.group(1)


def prepare(board: Board, cache: Path, wheel: Path) -> EmulatedBoard:
    """Build what ``board`` needs in ``cache``, or find it there. Raises `NoBoardError`, with the reason."""
    check_host(cache)
    with locked(cache):
        qemu = get_qemu(cache)
        root = _own_root(get_root(cache, board.userland), cache / board.name)
        packages = get_packages(cache, board)
        project = get_wheel(cache, wheel)
        write_pretence(root, board.hardware, is_64_bit=board.is_64_bit)
    emulated = EmulatedBoard(board, root, qemu, packages, project)
    emulated.qemu_version()
    return emulated


def _qemu_environment(qemu: Path) -> dict[str, str]:
    libraries = str(qemu / "usr" / "lib" / "x86_64-linux-gnu")
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "LD_LIBRARY_PATH": libraries}


def _own_root(userland: Path, root: Path) -> Path:
    """The userland's files, linked and not copied, with room for what a board tells of itself."""
    if not root.is_dir():
        parts = root.with_name(f".making-{root.name}")
        shutil.rmtree(parts, ignore_errors=True)
        shutil.copytree(userland, parts, symlinks=True, copy_function=os.link)
        parts.rename(root)
    return root


def _packages_without(packages: Path, without: tuple[str, ...]) -> Path:
    """A folder of links to the packages but for those that are left out."""
    folder = packages.with_name(f"{packages.name}-without-{'-'.join(without)}")
    if not folder.is_dir():
        folder.mkdir()
        for entry in packages.iterdir():
            if entry.name not in without:
                (folder / entry.name).symlink_to(entry)
    return folder
