"""Faces through time: smoothed, numbered, held when they are lost, and let go."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.generator import Edit, parts_of
from edge_runtime.face.smoothing import EditFilter, OneEuroFilter, PictureFilter
from edge_runtime.face_path_contract import SmoothingSpec
from tests.edge_runtime.face.tiny_face import load_face, make_face_manifest, picture

FRAME_S = 1.0 / 25.0
SPEC = make_face_manifest().track.five


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> FaceConverter:
    return load_face(tmp_path_factory.mktemp("face"))


def _spec(**changes: float) -> SmoothingSpec:
    return dataclasses.replace(SPEC, **changes)


def test_filter_stills_a_trembling_point() -> None:
    """White noise about a fixed place comes out with a third of its spread, at most."""
    noise = np.random.default_rng(2).normal(0.0, 1.0, (200, 1, 2))
    smooth = OneEuroFilter(_spec(minimum_cutoff_hz=1.0, beta=0.01))
    out = np.stack([smooth(value, i * FRAME_S, 40.0) for i, value in enumerate(noise)])
    assert out[50:].std() < noise.std() / 3.0


def test_filter_follows_a_quick_move() -> None:
    """The larger beta, the shorter the lag behind a steady move; with none it would trail far behind."""

    def lag(beta: float) -> float:
        smooth = OneEuroFilter(_spec(minimum_cutoff_hz=1.0, beta=beta))
        for i in range(50):
            out = smooth(np.array([[10.0 * i]]), i * FRAME_S, 40.0)
        return 490.0 - float(out.item())

    assert lag(5.0) < lag(0.5) < lag(0.0)
    assert lag(5.0) < 5.0


def test_filter_does_not_depend_on_the_size_of_the_face() -> None:
    path = np.cumsum(np.random.default_rng(3).normal(0.0, 2.0, (30, 5, 2)), axis=0)
    small, large = OneEuroFilter(SPEC), OneEuroFilter(SPEC)
    for i, value in enumerate(path):
        one, ten = small(value, i * FRAME_S, 40.0), large(10.0 * value, i * FRAME_S, 400.0)
    np.testing.assert_allclose(ten, 10.0 * one, rtol=1e-4)


def _answer(value: float) -> Edit:
    return Edit(*(np.full((4, 4, channels), value, np.float32) for channels in (2, 1, 3, 3)))


def test_answers_for_a_face_tremble_less_and_settle_where_they_are() -> None:
    """White noise comes out with at most 0.6 of its spread; what stays is reached within a fifth of a second."""
    noise = np.random.default_rng(4).normal(0.0, 1.0, 400)
    still = EditFilter(4.0)
    out = [float(still(_answer(float(value)), i * FRAME_S).flow[0, 0, 0]) for i, value in enumerate(noise)]
    assert np.std(out[20:]) < 0.6 * noise.std()
    step = EditFilter(4.0)
    step(_answer(0.0), 0.0)
    for i in range(1, 6):
        edit = step(_answer(1.0), i * FRAME_S)
    assert all(0.95 < float(part.min()) <= 1.0 for part in parts_of(edit).values())
    assert float(step(_answer(9.0), 5 * FRAME_S).flow.max()) <= 1.0, "time stands still"


def test_a_painted_face_stops_crawling_and_does_not_lag() -> None:
    """Small changes are noise and are stilled; a lid that shuts is there in the same frame."""
    rng = np.random.default_rng(1)
    filter_ = PictureFilter(4.0, 0.02, 0.12)
    face = np.full((4, 4, 3), 0.5, np.float32)
    noisy = [face + rng.normal(0.0, 0.01, face.shape).astype(np.float32) for _ in range(40)]
    stilled = [filter_(one, i * FRAME_S) for i, one in enumerate(noisy)]
    crawl, before = (np.abs(np.diff(frames[10:], axis=0)).mean() for frames in (stilled, noisy))
    assert crawl < 0.6 * before

    shut = stilled[-1].copy()
    shut[1, 1] = 0.2
    np.testing.assert_allclose(filter_(shut, 41 * FRAME_S)[1, 1], 0.2, atol=1e-6)
    np.testing.assert_array_equal(filter_(face, 41 * FRAME_S), filter_(face + 0.3, 41 * FRAME_S))


def test_filter_keeps_its_value_when_time_stands_still() -> None:
    smooth = OneEuroFilter(SPEC)
    first = smooth(np.ones((5, 2)), 1.0, 1.0)
    np.testing.assert_array_equal(smooth(np.full((5, 2), 9.0), 1.0, 1.0), first)


def test_faces_keep_their_numbers_while_they_move(face: FaceConverter) -> None:
    stream = face.stream()
    for i in range(12):
        stream.look(picture((50.0 + 2 * i, 60.0, 30.0), (230.0 - 2 * i, 60.0, 30.0), width=280), i * FRAME_S)
        assert [tracked.number for tracked in stream.faces] == [0, 1]
    left, right = (float(tracked.face.five[:, 0].mean()) for tracked in stream.faces)
    assert left == pytest.approx(72.0, abs=3.0)
    assert right == pytest.approx(208.0, abs=3.0)


def test_a_lost_face_is_held_fading_and_then_let_go(face: FaceConverter) -> None:
    """`TrackSpec.hold_s` is 0.2 s: opacity falls to 0 in five frames of 25 a second."""
    stream = face.stream()
    stream.look(picture((80.0, 60.0, 30.0)), 0.0)
    opacities = []
    for i in range(1, 7):
        stream.look(picture(), i * FRAME_S)
        opacities.append(stream.faces[0].opacity if stream.faces else 0.0)
    np.testing.assert_allclose(opacities, [0.8, 0.6, 0.4, 0.2, 0.0, 0.0], atol=1e-6)


def test_a_face_that_comes_back_in_time_is_the_same(face: FaceConverter) -> None:
    stream = face.stream()
    for i, seen in enumerate((True, False, False, True)):
        stream.look(picture((80.0, 60.0, 30.0)) if seen else picture(), i * FRAME_S)
    assert [(tracked.number, tracked.opacity) for tracked in stream.faces] == [(0, 1.0)]
    stream.reset()
    assert stream.faces == []


def test_a_new_face_is_seen_at_the_next_search(face: FaceConverter) -> None:
    """Searched for every fifth frame here, and not in between: that is what following costs less than finding."""
    stream = face.stream()
    counts = []
    for i in range(6):
        discs = [(50.0, 60.0, 30.0)] + ([(220.0, 60.0, 30.0)] if i >= 2 else [])
        stream.look(picture(*discs, width=280), i * FRAME_S)
        counts.append(len(stream.faces))
    assert counts == [1, 1, 1, 1, 1, 2]


def test_a_search_is_spread_over_frames_once_a_face_is_followed(
    face: FaceConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame that waits for all pieces comes late: on a small board by a tenth of a second."""
    runs, detector = [0], face.finder.detector
    look = detector._look

    def counted(*arguments: Any) -> Any:
        runs[0] += 1
        return look(*arguments)

    monkeypatch.setattr(detector, "_look", counted)
    stream, image = face.stream(), picture((80.0, 60.0, 30.0), width=560, height=500)
    stream.look(image, 0.0)
    at_first, per_frame = runs[0], []
    for i in range(1, 16):
        runs[0] = 0
        stream.look(image, i * FRAME_S)
        per_frame.append(runs[0])
    assert at_first > 2
    assert per_frame == [1, 0, 1, 0, 1] * 3


def test_small_faces_appear_while_another_is_followed(face: FaceConverter) -> None:
    """They show in pieces alone, of which each has its turn."""
    stream = face.stream()
    for i in range(40):
        small = [] if i < 2 else [(430.0, 370.0, 30.0)]
        stream.look(picture((80.0, 100.0, 50.0), *small, width=560, height=500), i * FRAME_S)
        if len(stream.faces) == 2:
            break
    assert len(stream.faces) == 2


def test_frames_without_time_do_not_confuse_seen_and_lost(face: FaceConverter) -> None:
    """A broken file may give every frame the same time."""
    stream = face.stream()
    stream.look(picture((80.0, 60.0, 30.0)), 0.0)
    stream.look(picture(), 0.0)
    assert all(tracked.opacity <= 1.0 for tracked in stream.faces)
    stream.look(picture((80.0, 60.0, 30.0)), 0.0)
    assert [tracked.number for tracked in stream.faces] == [0]
