"""People's own pictures: faces aligned and judged, and a reason for everything that is not kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import InputError
from edge_runtime.face.landmarks import Face
from train.face.photos import PHOTOS_FILE, SIZE_PX, PhotoSet, collect_photos, pose_deg, sharpness
from train.face.pictures import find_files
from train.records import load_json

pytest.importorskip("PIL")

FIVE = np.array(((0.378, 0.42), (0.622, 0.42), (0.5, 0.565), (0.40, 0.675), (0.60, 0.675)), np.float32)


def _face(side_px: float = 160.0, left: float = 30.0, top: float = 20.0, depth: float = 0.0) -> Face:
    """A face whose aligned picture is the square (left, top, side); ``depth`` px turns it to its left."""
    points = np.zeros((468, 3), np.float32)
    five = FIVE * side_px + (left, top)
    points[33, :2], points[263, :2] = five[0], five[1]
    points[263, 2] = depth
    points[10, :2], points[152, :2] = (left + side_px / 2, top), (left + side_px / 2, top + side_px)
    return Face(points, five.astype(np.float32), 0.9)


def _picture(path: Path, seed: int = 1, *, blurred: bool = False) -> Path:
    picture = np.random.default_rng(seed).integers(0, 256, (220, 240, 3)).astype(np.uint8)
    if blurred:
        picture = cv2.resize(picture[:4, :4], (240, 220), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), picture)
    return path


def test_a_face_is_kept_aligned_with_its_measures(tmp_path: Path) -> None:
    """The points come to lie where every other face has them."""
    _picture(tmp_path / "in.png")
    photos = collect_photos([tmp_path / "in.png"], tmp_path / "out", lambda picture: [_face()])
    (record,) = photos.faces
    picture = cv2.imread(str(tmp_path / "out" / record.file))
    assert picture.shape == (SIZE_PX, SIZE_PX, 3)
    assert np.allclose(record.five, FIVE * SIZE_PX, atol=0.5)
    assert record.source == "in.png"
    assert record.eye_distance_px == pytest.approx(0.244 * 160.0, abs=0.1)
    assert load_json(tmp_path / "out" / PHOTOS_FILE, PhotoSet) == photos


@pytest.mark.parametrize(
    ("faces", "blurred", "reason"),
    [
        ([], False, "no face found"),
        ([_face(side_px=60.0)], False, "too small"),
        ([_face(depth=60.0)], False, "turned away"),
        ([_face()], True, "blurred"),
    ],
)
def test_every_rejection_has_its_reason(tmp_path: Path, faces: Sequence[Face], blurred: bool, reason: str) -> None:
    """In the list beside what was kept, which here is another picture's face."""
    _picture(tmp_path / "bad.png", blurred=blurred)
    _picture(tmp_path / "good.png", seed=2)
    good = cv2.imread(str(tmp_path / "good.png"))[..., ::-1]

    def find(picture: np.ndarray) -> Sequence[Face]:
        return [_face()] if np.array_equal(picture, good) else faces

    photos = collect_photos([tmp_path], tmp_path / "out", find)
    assert len(photos.faces) == 1
    (left_out,) = photos.left_out
    assert left_out.source == "bad.png"
    assert left_out.reason.startswith(reason)
    assert f"1 left out: {reason}" in str(photos)


def test_the_same_picture_twice_is_kept_once(tmp_path: Path) -> None:
    """Or it would weigh twice, and might be held out and trained on."""
    for name in ("a.png", "b.png"):
        _picture(tmp_path / name)
    photos = collect_photos([tmp_path], tmp_path / "out", lambda picture: [_face()])
    assert len(photos.faces) == 1
    assert photos.left_out[0].reason == "the same picture again"


def test_an_unreadable_file_is_listed_and_the_others_are_used(tmp_path: Path) -> None:
    """One broken photo of three hundred must not stop the rest."""
    _picture(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"not a photo")
    photos = collect_photos([tmp_path], tmp_path / "out", lambda picture: [_face()])
    assert len(photos.faces) == 1
    assert photos.left_out[0].source == "broken.jpg"
    assert photos.left_out[0].reason.startswith("unreadable")


def test_nothing_usable_is_one_line(tmp_path: Path) -> None:
    """With the reasons counted, and no description of an empty set."""
    sources = [_picture(tmp_path / f"{name}.png") for name in "ab"]
    with pytest.raises(InputError, match="2 no face found") as caught:
        collect_photos(sources, tmp_path / "out", lambda picture: [])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / PHOTOS_FILE).exists()


def test_missing_and_empty_sources_are_refused(tmp_path: Path) -> None:
    """Before any face is looked for."""
    with pytest.raises(InputError, match="does not exist"):
        find_files([tmp_path / "missing"])
    with pytest.raises(InputError, match="no photo"):
        find_files([tmp_path])


def test_sharpness_falls_with_blur_and_not_with_contrast() -> None:
    """A soft light is no reason to reject a photo."""
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    flat = (picture // 2 + 60).astype(np.uint8)
    assert sharpness(cv2.GaussianBlur(picture, (0, 0), 3.0)) < 0.3 * sharpness(picture)
    assert sharpness(flat) == pytest.approx(sharpness(picture), rel=0.05)


def test_pose_comes_from_the_depth_of_the_mesh() -> None:
    """45 degrees when one eye is as much farther away as it is aside."""
    face = _face()
    across = float(face.points[263, 0] - face.points[33, 0])
    assert pose_deg(_face(depth=across))[0] == pytest.approx(45.0, abs=0.1)
    assert pose_deg(face) == pytest.approx((0.0, 0.0, 0.0), abs=1e-3)
