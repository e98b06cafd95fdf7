"""Recordings out of Debian packages: found, unpacked once, and collected as a person's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_runtime.errors import InputError
from tests.edge_runtime.voice.signals import speechlike
from train.voice.collect import main
from train.voice.corpus import debian, festvox
from train.voice.dataset import load_dataset, write_clip

_FOLDER = "usr/share/festival/voices/russian/msu_ru_nsh_clunits/wav"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds a small package of that name."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not there; packages are read with it")
    monkeypatch.setenv("CHANGELING_CACHE", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    (tree / _FOLDER).mkdir(parents=True)
    (tree / "DEBIAN").mkdir()
    control = "Package: festvox-ru\nVersion: 1\nArchitecture: all\nMaintainer: nobody <no@body>\nDescription: test\n"
    (tree / "DEBIAN" / "control").write_text(control)
    for number in range(3):
        write_clip(tree / _FOLDER / f"ru_{number}.wav", speechlike(3.0, seed=number))
    packages = tmp_path / "cache" / "debian"
    packages.mkdir(parents=True)
    subprocess.run(
        ["dpkg-deb", "-b", str(tree), str(packages / "festvox-ru_1_all.deb")], check=True, capture_output=True
    )
    return tmp_path / "cache"


def test_recordings_are_collected_as_those_of_a_person(cache: Path, tmp_path: Path) -> None:
    assert main(["--corpus", "festvox-ru", "-o", str(tmp_path / "data"), "--min-snr", "0"]) == 0
    dataset = load_dataset(tmp_path / "data")
    assert dataset.people == dataset.speakers == ("nsh",)
    assert "festvox-ru" in dataset.sources[0].name
    assert "Shmyrev" in dataset.sources[0].licence
    assert len(list((cache / "festvox-ru").glob("*.wav"))) == 3


def test_an_interrupted_unpacking_is_done_again(cache: Path) -> None:
    folder = festvox.unpack_recordings()
    (folder / "complete").unlink()
    (folder / "ru_0.wav").unlink()
    assert len(list(festvox.unpack_recordings().glob("*.wav"))) == 3


def test_what_is_no_package_is_one_line(cache: Path) -> None:
    (cache / "debian" / "other_1_all.deb").write_bytes(b"no package")
    with pytest.raises(InputError, match="not a readable Debian package"):
        debian.find_package("other", cache / "debian")
    with pytest.raises(InputError, match="has no"):
        debian.find_package("festvox-ru", cache / "debian").read("usr/share/nothing")
