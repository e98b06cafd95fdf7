"""ARM userlands and QEMU out of Debian packages: no root, and nothing of this machine's own packages is touched.

apt-get runs with folders of its own for all of its state, and the packages are unpacked, not installed. What was built
once is found again: a folder takes its final name when it is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.device.boards import Userland
from tests.device.no_board import NoBoardError

_QEMU_PACKAGES = ("qemu-user", "libcapstone4", "liburing2")
"""The dynamic QEMU can load plugins (the static one cannot), and needs two libraries that servers often lack."""
_ROOM_MB = 2500
"""Two userlands with LiteRT, OpenCV and PyAV, a 32-bit one, and what apt and pip hold meanwhile."""
_EMPTY_STATUS = "status"


def check_host(cache: Path) -> None:
    """Make the cache folder. Raises `NoBoardError` where boards cannot be emulated."""
    for tool in ("apt-get", "dpkg", "dpkg-deb", "tar"):
        if shutil.which(tool) is None:
            raise NoBoardError(f"{tool} is not there; emulated boards need Debian or a derivative (no root)")
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    if architecture != "amd64":
        raise NoBoardError(f"this machine is {architecture} and not amd64")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        free_mb = shutil.disk_usage(cache).free // 1_000_000
    except OSError as error:
        raise NoBoardError(f"{cache} cannot be made ({error.strerror})") from None
    if not os.access(cache, os.W_OK):
        raise NoBoardError(f"{cache} may not be written to")
    if free_mb < _ROOM_MB and not any(cache.iterdir()):
        raise NoBoardError(f"{free_mb} MB are free at {cache} and emulated boards take up to {_ROOM_MB} MB")


@contextlib.contextmanager
def locked(cache: Path) -> Iterator[None]:
    """One process at a time builds in the cache."""
    with (cache / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def get_qemu(cache: Path) -> Path:
    """The folder of QEMU's user-mode emulators, fetched when it is not there. Raises `NoBoardError`."""
    folder = cache / "qemu"
    if not folder.is_dir():
        with _building(folder) as parts:
            apt = _Apt(parts / "apt", "amd64", Path("/var/lib/dpkg/status"), [])
            _unpack(apt.fetch(_QEMU_PACKAGES, again=True), parts / "root")
            for program in (parts / "root" / "usr" / "bin").iterdir():
                if program.name not in ("qemu-aarch64", "qemu-arm"):
                    program.unlink()
    return folder


def get_root(cache: Path, userland: Userland) -> Path:
    """The root folder of ``userland``, built when it is not there. Raises `NoBoardError`."""
    folder = cache / userland.name
    if not folder.is_dir():
        with _building(folder) as parts:
            (parts / "apt").mkdir()
            (parts / _EMPTY_STATUS).touch()
            sources = _sources_of(userland.suite, parts / "sources")
            apt = _Apt(parts / "apt", userland.architecture, parts / _EMPTY_STATUS, sources)
            packages = apt.fetch(userland.packages)
            for name in ("lib", "bin", "sbin"):  # merged /usr, which Trixie's packages take for granted
                (parts / "root" / "usr" / name).mkdir(parents=True)
                (parts / "root" / name).symlink_to(f"usr/{name}")
            _unpack(packages, parts / "root")
    return folder


@contextlib.contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A scratch folder whose ``root`` becomes ``folder`` when the block ends well; what apt said goes with it."""
    print(f"emulated boards: making {folder.name}", file=sys.stderr, flush=True)
    parts = folder.with_name(f".making-{folder.name}")
    shutil.rmtree(parts, ignore_errors=True)
    (parts / "root").mkdir(parents=True)
    yield parts
    (parts / "root").rename(folder)
    shutil.rmtree(parts)


def _sources_of(suite: str, folder: Path) -> list[str]:
    """Options that make apt read this machine's own sources, for another suite."""
    host = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    if suite == host:
        return []
    folder.mkdir()
    etc = Path("/etc/apt")
    files = [etc / "sources.list", *etc.glob("sources.list.d/*.list"), *etc.glob("sources.list.d/*.sources")]
    for file in files:
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if host and re.search(rf"\b{host}\b", text):
            (folder / file.name).write_text(re.sub(rf"\b{host}\b", suite, text), encoding="utf-8")
    return ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={folder}"]


class _Apt:
    """apt-get with all of its state below ``state``."""

    def __init__(self, state: Path, architecture: str, status: Path, sources: list[str]) -> None:
        self._archives = state / "cache" / "archives"
        for folder in (state / "lists" / "partial", self._archives / "partial"):
            folder.mkdir(parents=True)
        options: dict[str, str | Path] = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "Dir::State": state,
            "Dir::State::Lists": state / "lists",
            "Dir::State::status": status,
            "Dir::Cache": state / "cache",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": _user(),
            "APT::Keep-Downloaded-Packages": "true",
            "APT::Update::Post-Invoke": "",
            "APT::Update::Post-Invoke-Success": "",
            "DPkg::Post-Invoke": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Debug::NoLocking": "1",
        }
        settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self._command = ["apt-get", "-qq", *settings, *sources]

    def fetch(self, names: tuple[str, ...], *, again: bool = False) -> list[Path]:
        """The package files of ``names`` and of all they depend on. Raises `NoBoardError`.

        ``again`` fetches the named ones only, those too that this machine has.
        """
        # An index that is out of step with its mirror makes this fail and leaves all others usable.
        subprocess.run([*self._command, "update"], capture_output=True)
        install = ["-y", "--download-only", *(["--reinstall"] if again else []), "install", *names]
        done = subprocess.run([*self._command, *install], capture_output=True, text=True)
        packages = sorted(self._archives.glob("*.deb"))
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NoBoardError(f"apt-get cannot fetch {', '.join(names)}: {said}")
        return [path for path in packages if path.name.split("_")[0] in names] if again else packages


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _unpack(packages: list[Path], root: Path) -> None:
    """Contents of Debian packages below ``root``; links from /lib to /usr/lib stay links."""
    for package in packages:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as archive:
            command = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", str(root)]
            done = subprocess.run(command, stdin=archive.stdout, capture_output=True)
        if done.returncode or archive.returncode:
            raise NoBoardError(f"{package.name} cannot be unpacked; remove {root.parent} and try again")
