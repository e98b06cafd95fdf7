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
    ALIKE,
    DISTANCES,
    NOISE,
    RESPONSE,
    SHAPE,
    Follower,
    _between_people,
    distances,
    expression_of,
    read,
)
from edge_runtime.face.landmarks import Face
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.model_file import open_model
from edge_runtime.swap_contract import SHAPE_DISTANCES
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
    return dict(zip(UNITS, Follower(editor).begin()(read(before), read(after)).tolist(), strict=True))


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


def test_a_collapsed_mesh_tells_nothing(swap: SwapConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video would remember what is no number for good."""
    image = picture((80.0, 60.0, 40.0))
    found = swap.find_faces(image)
    plain = swap.convert_found(image, found, swap.controls(follow=0.0))
    flat = dataclasses.replace(found[0], points=np.full((468, 3), 7.0, np.float32))
    assert read(flat) is None
    monkeypatch.setattr(swap.finder.landmarker, "follow", lambda image, face: flat)
    np.testing.assert_array_equal(swap.convert_found(image, found, swap.controls()), plain)


def test_no_wish_is_beyond_a_units_range(editor: Editor) -> None:
    wish = _wish(editor, _face(p14=(0.0, 40.0), p17=(0.0, 40.0)), _face())
    assert wish["jaw_open"] == 1.0


def test_another_persons_shape_is_hardly_taken_for_an_expression() -> None:
    """Brows of all people lie so differently that their height alone asks for little; lips that part ask for much."""
    editor = _shipped()
    units = [unit.name for unit in editor.manifest.units]
    rest = np.zeros(len(DISTANCES), np.float32)

    def asked(lacking: np.ndarray) -> np.ndarray:
        return Follower(editor).begin()(rest + lacking.astype(np.float32), rest)

    height = np.eye(len(DISTANCES))[DISTANCES.index("brow")] * SHAPE[DISTANCES.index("brow")]
    assert np.abs(asked(height)).max() < 0.3
    for unit in ("smile", "jaw_open"):
        assert 0.3 < asked(0.5 * np.array(RESPONSE[unit]))[units.index(unit)] < 0.6


def test_what_the_painted_face_always_lacks_is_its_shape(editor: Editor) -> None:
    """It was measured when the model was made, and what is known of one leaves less to guess of the other."""
    before, after = read(_face(p14=(0.0, 4.0), p17=(0.0, 4.0))), read(_face())
    assert before is not None
    assert after is not None
    known = Follower(editor, tuple((before - after).tolist()))
    assert np.abs(known.begin()(before, after)).max() < 1e-6
    jaw = UNITS.index("jaw_open")
    assert Follower(editor, (0.0,) * 9).begin()(before, after)[jaw] > Follower(editor).begin()(before, after)[jaw]


def test_a_video_learns_the_shape_and_still_follows(editor: Editor) -> None:
    """A face that always gapes more is made so; when it opens its mouth then, that is followed all the more."""
    rest, shut = read(_face(p14=(0.0, 2.0), p17=(0.0, 2.0))), read(_face())
    opened = read(_face(p14=(0.0, 6.0), p17=(0.0, 6.0)))
    following, jaw = Follower(editor).begin(), UNITS.index("jaw_open")
    wishes = [float(following(rest, shut, frame / 25.0)[jaw]) for frame in range(500)]
    assert 0.0 < wishes[-1] < 0.7 * wishes[0]
    later = [float(following(opened, shut, 20.0 + frame / 25.0)[jaw]) for frame in range(25)]
    assert later[-1] > wishes[-1] + 0.3


def test_landmarks_that_are_lost_change_nothing_at_once(editor: Editor) -> None:
    opened, shut = read(_face(p14=(0.0, 6.0), p17=(0.0, 6.0))), read(_face())
    following, jaw = Follower(editor).begin(), UNITS.index("jaw_open")
    assert not following(None, None, 0.0).any()
    assert not following(opened, None, 0.04).any()
    held = following(opened, shut, 0.08)[jaw]
    for lost in ((None, shut), (opened, None), (None, None)):
        held, last = following(*lost, 0.12)[jaw], held
        assert held >= last > 0.0


def _shipped() -> Editor:
    editor = default_editor()
    assert editor is not None
    return editor


def test_the_shipped_face_model_has_every_unit_that_is_told() -> None:
    assert set(RESPONSE) <= {unit.name for unit in _shipped().manifest.units}
    assert {len(row) for row in RESPONSE.values()} == {len(SHAPE)} == {len(DISTANCES)}
    assert len(DISTANCES) == SHAPE_DISTANCES, "what a manifest may hold"
    assert [len(row) for row in ALIKE] == list(range(len(DISTANCES)))
    assert np.linalg.eigvalsh(_between_people()).min() > -0.2 * NOISE**2, (
        "what the noise does not cover is no covariance"
    )


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
    """A mesh that trembles must not shake the mouth: one frame of it hardly shows, and what lasts is followed."""
    wishes: list[np.ndarray] = []
    assert swap.follower is not None
    monkeypatch.setattr(swap.follower, "give", lambda image, face, change, *rest: wishes.append(change))
    stream = swap.stream(swap.controls())
    image = picture((80.0, 60.0, 40.0))
    monkeypatch.setattr(stream._tracker, "_landmarker", _Still(swap.find_faces(image)[0]))
    for frame in range(60):
        _seen(monkeypatch, swap, 0.3 if frame == 8 or frame >= 20 else 0.0)
        stream.process(image, frame / 25.0)
    jaw = np.array(wishes)[:, UNITS.index("jaw_open")]
    assert np.abs(jaw[:8]).max() == 0.0
    assert np.abs(jaw[8:20]).max() < 0.25 * jaw[20:].max()
    assert jaw[20:].max() > 0.2


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
