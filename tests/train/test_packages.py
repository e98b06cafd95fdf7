"""Packages from registries: pinned by hash, kept once fetched, and clear words when something is missing."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from edge_runtime.errors import ChangelingError, MissingDependencyError, WorkstationError
from train import packages
from train.packages import Package, cache_dir, fetch

CONTENT = b"the package"


def _package(content: bytes = CONTENT) -> Package:
    return Package("npm", "toy", "1.0.0", "toy-1.0.0.tgz", hashlib.sha256(content).hexdigest(), "MIT")


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client that writes the package where it is told and counts its calls in a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "npm"
    script.write_text(
        f'#!/bin/sh\nprintf "%s" "{CONTENT.decode()}" > "$4/toy-1.0.0.tgz"\necho "$2" >> "{folder}/calls"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return script


def test_a_package_is_fetched_once_and_kept(npm: Path, tmp_path: Path) -> None:
    for _ in range(2):
        path = fetch(_package(), tmp_path / "cache")
        assert path.read_bytes() == CONTENT
    assert (npm.parent / "calls").read_text().split() == ["toy@1.0.0"]


def test_a_damaged_cache_is_fetched_again(npm: Path, tmp_path: Path) -> None:
    path = fetch(_package(), tmp_path / "cache")
    path.write_bytes(b"damaged")
    assert fetch(_package(), tmp_path / "cache").read_bytes() == CONTENT


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(npm: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkstationError, match="not the pinned one"):
        fetch(_package(b"what was expected"), tmp_path / "cache")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_a_failing_download_is_one_line(npm: Path, tmp_path: Path) -> None:
    npm.write_text("#!/bin/sh\necho 'npm error network\nnpm error getaddrinfo ENOTFOUND' >&2\nexit 1\n")
    with pytest.raises(WorkstationError, match="check the network") as caught:
        fetch(_package(), tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_a_missing_client_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="npm"):
        fetch(_package(), tmp_path / "cache")
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    wheel = Package("pypi", "toy", "1.0", "toy-1.0-py3-none-any.whl", "0" * 64, "MIT")
    with pytest.raises(MissingDependencyError, match="pip"):
        fetch(wheel, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_says_which_variable_moves_it(npm: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ChangelingError, match="CHANGELING_CACHE"):
        fetch(_package(), tmp_path / "file")


def test_the_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGELING_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("CHANGELING_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "changeling"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == Path.home() / ".cache" / "changeling"


def test_every_pin_is_complete() -> None:
    pins = (*packages.KOKORO_MODEL, packages.KOKORO_VOICES)
    assert len({package.sha256 for package in pins}) == 5
    assert all(len(bytes.fromhex(package.sha256)) == 32 for package in pins)
