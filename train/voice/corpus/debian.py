"""Recordings that lie in Debian packages: fetched with ``apt-get download``, which needs no root, and read in place."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from edge_runtime.errors import InputError


class DebianPackage:
    """A Debian package file, read member by member."""

    def __init__(self, path: Path) -> None:
        """Raises `InputError` when dpkg is not there or the file is no package."""
        self.path = path
        try:
            done = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], capture_output=True, check=True)
        except FileNotFoundError:
            raise InputError("dpkg-deb is not there; do this on Debian or a derivative") from None
        except subprocess.CalledProcessError:
            raise InputError(f"{path} is not a readable Debian package; remove it and try again") from None
        self._archive = tarfile.open(fileobj=io.BytesIO(done.stdout))  # noqa: SIM115

    def members(self, folder: str) -> tuple[str, ...]:
        """Files right below ``folder``, sorted."""
        names = (name.removeprefix("./") for name in self._archive.getnames())
        return tuple(sorted(name for name in names if name.rpartition("/")[0] == folder))

    def read(self, member: str) -> bytes:
        """The content of one file. Raises `InputError` when the package has it not."""
        try:
            file = self._archive.extractfile(f"./{member}")
        except KeyError:
            file = None
        if file is None:
            raise InputError(f"{self.path.name} has no {member}; the package has changed, pick other recordings")
        return file.read()


def find_package(name: str, folder: Path) -> DebianPackage:
    """Package ``name`` from ``folder``, fetched with apt when it is not there. Raises `InputError`."""
    found = sorted(folder.glob(f"{name}_*.deb"))
    if not found:
        apt = shutil.which("apt-get")
        if apt is None:
            raise InputError(f"{folder} has no {name} and there is no apt-get; fetch the package there on Debian")
        print(f"fetching {name}", file=sys.stderr)
        done = subprocess.run([apt, "download", name], cwd=folder, capture_output=True, text=True, check=False)
        found = sorted(folder.glob(f"{name}_*.deb"))
        if done.returncode or not found:
            raise InputError(
                f"apt-get knows no {name}; run `apt-get update` once (as root), with Debian's main enabled"
            )
    return DebianPackage(found[-1])
