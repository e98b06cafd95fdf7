"""`edge_runtime.face.follow`: what a painted face lacks is told by landmarks and given back, and nothing else is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.errors import ControlError
from edge_runtime.face.editor import Editor, default_editor
from edge_runtime.face.follow import (
    DISTANCES,
    RESPONSE,
    SHAPE,
    Follower,
    distances,
    expression_of,
)
from edge_runtime.face.landmarks import Face
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.model_file import open_model
from tests.edge_runtime.face.tiny_face import UNITS, disc_mesh, picture, write_face
from tests.edge_runtime.face.tiny_swap import load_swap, write_swap


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Editor:
    return Editor(open_model(write_face(tmp_path_factory.mktemp("face") / "face.tflite")))


@pytest.fixture(scope="module")
def swap(tmp_path_factory: pytest.TempPathFactory, editor: Editor) -> SwapConverter:
    """It turns the disc blue, and so its mesh is lost; `_seen` says what is found instead."""
    return SwapConverter(open_model(write_swap(tmp_path_factory.mktemp("swap") / "swap.tflite")), editor)


def _face(**moved: tuple[float, float]) -> Face:
    """The tiny face's mesh with some points moved, in its pixels."""
    points = disc_mesh() + np.float32(24.0)
    for name, shift in moved.items():
        points[int(name[1:]), :2] += shift
    return Face(points, points[[33, 263, 1, 61, 291], :2], 1.0)


def _named(face: Face) -> dict[str, float]:
    return dict(zip(DISTANCES, distances(expression_of(face)).tolist(), strict=True))


def _wish(editor: Editor, before: Face, after: Face) -> dict[str, float]:
    return dict(zip(UNITS, Follower(editor).lost(before, after).tolist(), strict=True))


def test_where_the_head_is_and_how_large_and_tilted_changes_no_distance() -> None:
    face = _face()
    turn = 3.0 * np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])
    points = face.points.copy()
    points[:, :2] = points[:, :2] @ turn + (200.0, 90.0)
    moved = dataclasses.replace(face, points=points)
    np.testing.assert_allclose(distances(expression_of(moved)), distances(expression_of(face)), atol=1e-4)


def test_every_distance_is_told_by_its_own_points() -> None:
    """A lower lip that drops opens the gap; corners that rise lift; inner brows that rise tilt."""
    rest = _named(_face())
    opened = _named(_face(p14=(0.0, 3.0), p17=(0.0, 3.0)))
    assert opened["gap"] > rest["gap"] + 0.1
    assert opened["lower"] == pytest.approx(rest["lower"], abs=1e-5)
    lifted = _named(_face(p61=(-2.0, -2.0), p291=(2.0, -2.0)))
    assert lifted["lift"] > rest["lift"] + 0.05
    assert lifted["width"] > rest["width"] + 0.05
    assert lifted["gap"] == pytest.approx(rest["gap"], abs=1e-5)
    brows = _named(_face(p66=(0.0, -2.0), p296=(0.0, -2.0)))
    assert brows["brow"] > rest["brow"]
    assert brows["brow_tilt"] > rest["brow_tilt"]


def test_a_mouth_that_was_painted_shut_is_to_open(editor: Editor) -> None:
    wish = _wish(editor, _face(p14=(0.0, 4.0), p17=(0.0, 4.0)), _face())
    assert wish["jaw_open"] > 0.4
    back = _wish(editor, _face(), _face(p14=(0.0, 4.0), p17=(0.0, 4.0)))
    assert back["jaw_open"] < -0.4
    assert wish["skin_tone"] == wish["blink_left"] == 0.0


def test_nothing_is_asked_of_a_face_that_lacks_nothing(editor: Editor) -> None:
    assert not any(_wish(editor, _face(), _face()).values())


def test_a_collapsed_mesh_asks_for_nothing(editor: Editor) -> None:
    """A video would remember what is no number for good."""
    flat = dataclasses.replace(_face(), points=np.full((468, 3), 7.0, np.float32))
    for pair in ((_face(), flat), (flat, _face())):
        wish = np.array(list(_wish(editor, *pair).values()))
        assert np.isfinite(wish).all()


def test_no_wish_is_beyond_a_units_range(editor: Editor) -> None:
    wish = _wish(editor, _face(p14=(0.0, 40.0), p17=(0.0, 40.0)), _face())
    assert wish["jaw_open"] == 1.0


def test_another_persons_shape_is_hardly_taken_for_an_expression() -> None:
    """Brows of all people lie so differently that their height alone asks for little; lips that part ask for much."""
    follower = Follower(_shipped())
    units = [unit.name for unit in _shipped().manifest.units]
    weights = follower._weights
    assert abs(weights[units.index("brow_raise")] @ np.eye(9)[DISTANCES.index("brow")] * SHAPE[6]) < 0.3
    for unit in ("smile", "jaw_open"):
        asked = weights @ np.array(RESPONSE[unit])
        assert 0.5 < asked[units.index(unit)] < 1.0


def _shipped() -> Editor:
    editor = default_editor()
    assert editor is not None
    return editor


def test_the_shipped_face_model_has_every_unit_that_is_told() -> None:
    assert set(RESPONSE) <= {unit.name for unit in _shipped().manifest.units}
    assert {len(row) for row in RESPONSE.values()} == {len(SHAPE)} == {len(DISTANCES)}


def _seen(monkeypatch: pytest.MonkeyPatch, swap: SwapConverter, lips_px: float) -> None:
    """The swapped face is found, with its lower lip by so much higher, in parts of the face's size."""

    def follow(image: np.ndarray, face: Face) -> Face:
        points = face.points.copy()
        points[[14, 17], 1] -= lips_px * face.eye_distance_px
        return dataclasses.replace(face, points=points)

    monkeypatch.setattr(swap.finder.landmarker, "follow", follow)


def test_a_swapped_face_gets_its_expression_back(swap: SwapConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture((80.0, 60.0, 40.0))
    found = swap.find_faces(image)

    def converted(follow: float | None = None, opacity: float = 1.0) -> np.ndarray:
        return swap.convert_found(image, found, swap.controls(follow=follow, opacity=opacity))

    plain = converted(follow=0.0)
    np.testing.assert_array_equal(converted(), plain)  # nothing is found there: nothing is told
    _seen(monkeypatch, swap, 0.0)
    np.testing.assert_array_equal(converted(), plain)
    _seen(monkeypatch, swap, 0.3)
    changed = (converted() != plain).any(axis=-1)
    assert changed[70:95, 60:100].any()
    assert not changed[:15].any()
    np.testing.assert_array_equal(converted(follow=0.0), plain)
    np.testing.assert_array_equal(converted(opacity=0.0), image)


def test_a_still_video_gets_the_same_as_the_photo(swap: SwapConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture((80.0, 60.0, 40.0))
    found = swap.find_faces(image)
    _seen(monkeypatch, swap, 0.3)
    photo = swap.convert_found(image, found, swap.controls())
    stream = swap.stream(swap.controls())
    monkeypatch.setattr(stream._tracker, "_landmarker", _Still(found[0]))
    for frame in range(4):
        video = stream.process(image, frame / 25.0)
        assert np.abs(video.astype(int) - photo).max() <= 6


class _Still:
    """A landmarker that sees the very same face in every frame."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def follow(self, image: np.ndarray, face: Face) -> Face:
        return self._face

    def locate(self, image: np.ndarray, detection: object) -> Face:
        return self._face


def test_what_a_video_lacks_is_stilled(swap: SwapConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mesh that trembles must not shake the mouth: of one frame's slip little is seen."""
    wishes: list[np.ndarray] = []
    assert swap.follower is not None
    monkeypatch.setattr(swap.follower, "give", lambda image, face, change, opacity: wishes.append(change))
    stream = swap.stream(swap.controls())
    image = picture((80.0, 60.0, 40.0))
    for frame in range(12):
        _seen(monkeypatch, swap, 0.3 if frame == 8 else 0.0)
        monkeypatch.setattr(stream._tracker, "_landmarker", _Still(swap.finder.find(image)[0]))
        stream.process(image, frame / 25.0)
    jaw = np.array(wishes)[:, UNITS.index("jaw_open")]
    assert 0.0 < jaw[8] < 0.6
    assert np.abs(jaw[:8]).max() == 0.0


def test_follow_is_refused_where_nothing_can(tmp_path: Path, swap: SwapConverter) -> None:
    alone = load_swap(tmp_path)
    assert alone.controls().follow == 0.0
    assert swap.controls().follow == 1.0
    with pytest.raises(ControlError, match="leave follow out"):
        alone.controls(follow=0.5)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ControlError, match="follow must be between 0 and 1"):
            swap.controls(follow=wrong)


def test_load_brings_the_shipped_face_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_swap(tmp_path / "swap.tflite")
    converter = edge_runtime.load(path, kind="swap")
    assert converter.follower is not None
    converter.close()
    monkeypatch.setattr("edge_runtime.default_editor", lambda backend, threads: None)
    assert edge_runtime.load(path, kind="swap").follower is None
