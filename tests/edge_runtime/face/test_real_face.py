"""The real detector and face mesh, of the face model that comes with changeling, on a real photo: NASA's portrait of an
astronaut (public domain)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.face.finder import FaceFinder, photo_levels
from edge_runtime.face.geometry import align, square_transform
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face, unit_values
from edge_runtime.face.remap import sample
from edge_runtime.face.track import Tracker
from edge_runtime.media.image import read_photo
from train.face.parts import CROP, DETECTOR, LANDMARKS, TRACK, device_units, load_parts

pytest.importorskip("PIL")
PHOTO = Path(__file__).parents[2] / "assets" / "astronaut.jpg"
EYES = np.array([[203.0, 101.0], [246.0, 103.0]])
"""Her right and left eye in the photo, by sight, to a few pixels."""


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return edge_runtime.load(kind="face").finder


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return read_photo(PHOTO).pixels


def _faces(finder: FaceFinder, image: np.ndarray, **options: object) -> list[Face]:
    seen = finder.detector.find(image, **options)  # type: ignore[arg-type]
    found = [finder.landmarker.locate(image, one) for one in seen]
    return [face for face in found if face is not None]


def _levels(image: np.ndarray) -> int:
    return photo_levels(image.shape, DETECTOR.size_px)


def test_eyes_are_found_where_they_are(finder: FaceFinder, photo: np.ndarray) -> None:
    (face,) = _faces(finder, photo)
    assert face.presence > 0.9
    np.testing.assert_allclose(face.five[:2], EYES, atol=4.0)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_photo_on_its_side_gives_the_same_eyes(finder: FaceFinder, photo: np.ndarray, quarter: int) -> None:
    """As a phone's photo whose EXIF was lost."""
    turned = np.ascontiguousarray(np.rot90(photo, quarter))
    (face,) = _faces(finder, turned, turned=True)
    back = np.rot90(np.arange(photo.shape[0] * photo.shape[1]).reshape(photo.shape[:2]), quarter)
    x, y = np.rint(face.five[:2]).astype(int).T
    rows, columns = np.divmod(back[y, x], photo.shape[1])
    np.testing.assert_allclose(np.stack([columns, rows], axis=1), EYES, atol=5.0)


def test_a_tilted_head_is_aligned(finder: FaceFinder, photo: np.ndarray) -> None:
    """Tilted by 30 degrees, the aligned crop shows what it shows upright."""
    tilted = sample(photo, square_transform(np.array([225.0, 120.0]), 400.0, 0.52, 400).inverse(), (400, 400))
    (upright,), (leaning,) = _faces(finder, photo), _faces(finder, tilted)
    size = (CROP.size_px, CROP.size_px)
    first = sample(photo, align(upright.five, CROP).inverse(), size).astype(float)
    second = sample(tilted, align(leaning.five, CROP).inverse(), size).astype(float)
    middle = np.s_[30:100, 35:93]
    assert np.abs(first - second)[middle].mean() < 10.0
    assert np.abs(first - np.roll(second, 6, axis=1))[middle].mean() > 15.0


def test_twelve_small_faces(finder: FaceFinder, photo: np.ndarray) -> None:
    many = np.tile(photo[::2, ::2], (3, 4, 1))
    assert len(_faces(finder, np.ascontiguousarray(many), levels=_levels(many))) == 12


def test_no_face_in_what_has_none(finder: FaceFinder, photo: np.ndarray) -> None:
    """The rocket and the flag beside her, and noise."""
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    assert _faces(finder, np.ascontiguousarray(photo[250:, :150]), levels=3, turned=True) == []
    assert _faces(finder, noise, levels=3, turned=True) == []


def test_her_smile_is_measured(finder: FaceFinder, photo: np.ndarray) -> None:
    """She smiles broadly with open eyes; that is what the caps go by."""
    (face,) = _faces(finder, photo)
    values = unit_values(measure_face(face), device_units())
    units = dict(zip((unit.name for unit in device_units()), values.tolist(), strict=True))
    assert units["smile"] > 0.8
    assert units["jaw_open"] < 0.5


def test_tracking_is_steadier_than_finding(finder: FaceFinder, photo: np.ndarray) -> None:
    """Sensor noise makes the five points tremble; the filter takes most of that out."""
    rng = np.random.default_rng(4)
    tracker = Tracker(TRACK, finder.detector, finder.landmarker)
    raw, steady = [], []
    for i in range(30):
        noisy = np.clip(photo[:300, 80:380] + rng.normal(0.0, 8.0, (300, 300, 3)), 0, 255).astype(np.uint8)
        (tracked,) = tracker.update(noisy, i / 30.0)
        raw.append(tracked.face.five)
        steady.append(tracked.steady.five)
    assert np.std(steady[10:], axis=0).mean() < 0.6 * np.std(raw[10:], axis=0).mean()


def test_reference_holds_the_whole_face(finder: FaceFinder, photo: np.ndarray) -> None:
    """From above the brows to below the chin, with room for an open jaw."""
    (face,) = _faces(finder, photo)
    mesh = align(face.five, CROP).apply(face.points[:, :2])
    assert mesh.min() > 10.0
    assert mesh[:, 1].max() < CROP.size_px - 14.0


def test_the_shipped_parts_are_those_of_training(finder: FaceFinder, photo: np.ndarray) -> None:
    """Else crops on the board would not be those that were learnt from; half-float weights are all that differs."""
    manifest, graph = edge_runtime.load(kind="face").manifest, LANDMARKS.graph
    ridden = manifest.landmarks.graph
    assert ridden == dataclasses.replace(graph, sha256=ridden.sha256, source=f"{graph.source}, weights as half floats")
    landmarks = dataclasses.replace(manifest.landmarks, graph=graph)
    assert (manifest.detector, landmarks, manifest.crop) == (DETECTOR, LANDMARKS, CROP)
    ours, theirs = (_faces(where, photo)[0].points[:, :2] for where in (finder, load_parts().finder()))
    np.testing.assert_allclose(ours, theirs, atol=0.05)
