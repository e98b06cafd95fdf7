"""Decoding, merging and searching, with a detector that finds red discs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.detect import Detection, decode, make_anchors, merge, overlap, quarter_turn
from edge_runtime.face_path_contract import AnchorLayer
from tests.edge_runtime.face.tiny_face import load_face, make_face_manifest, picture

SPEC = make_face_manifest().detector


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> FaceConverter:
    return load_face(tmp_path_factory.mktemp("face"))


def _detection(score: float, left: float, top: float, side: float = 20.0) -> Detection:
    box = np.array([left, top, left + side, top + side], np.float32)
    return Detection(score, box, np.array([[left, top]] * 6, np.float32))


def test_anchors_lie_in_the_order_of_the_graph() -> None:
    """BlazeFace short range: 16 x 16 cells of two, then 8 x 8 cells of six."""
    spec = dataclasses.replace(SPEC, size_px=128, layers=(AnchorLayer(8, 2), AnchorLayer(16, 6)))
    anchors = make_anchors(spec)
    assert anchors.shape == (896, 2)
    np.testing.assert_array_equal(anchors[:4], [[4, 4], [4, 4], [12, 4], [12, 4]])
    np.testing.assert_array_equal(anchors[512:519], [[8, 8]] * 6 + [[24, 8]])


def test_decode_takes_what_is_sure_and_nothing_that_is_no_number() -> None:
    anchors = make_anchors(SPEC)
    boxes = np.zeros((1, len(anchors), 16), np.float32)
    logits = np.full((1, len(anchors), 1), -9.0, np.float32)
    boxes[0, 5, :4], logits[0, 5] = (1.0, 2.0, 10.0, 12.0), 3.0
    logits[0, 40] = np.nan
    logits[0, 50], boxes[0, 50, 0] = 4.0, np.inf
    (found,) = decode(boxes, logits, anchors, SPEC)
    assert found.score == pytest.approx(1.0 / (1.0 + np.exp(-3.0)))
    x, y = (anchors[5] + np.array([0.5, 1.5])).tolist()
    np.testing.assert_allclose(found.box, [x - 5, y - 6, x + 5, y + 6], atol=1e-5)


def test_overlapping_answers_become_their_weighted_mean() -> None:
    """Blending, not suppression: the box moves smoothly when scores change from frame to frame."""
    first, second = merge([_detection(0.6, 10.0, 10.0), _detection(0.9, 13.0, 10.0), _detection(0.8, 80.0, 10.0)], 0.3)
    assert first.score == 0.9
    assert first.box[0] == pytest.approx((0.9 * 13.0 + 0.6 * 10.0) / 1.5)
    assert second.box[0] == 80.0
    assert overlap(first.box, second.box) == 0.0
    assert overlap(first.box, first.box) == pytest.approx(1.0)


@pytest.mark.parametrize("quarter", range(4))
def test_quarter_turns_lead_back_to_the_image(quarter: int) -> None:
    image = np.arange(5 * 7).reshape(5, 7)
    turned = np.rot90(image, quarter)
    y, x = np.argwhere(turned == image[1, 2])[0]
    back = quarter_turn(quarter, image.shape).apply(np.array([[x, y]], np.float32))
    np.testing.assert_allclose(back, [[2.0, 1.0]], atol=1e-5)


def test_a_face_is_found_where_it_is(face: FaceConverter) -> None:
    (found,) = face.finder.detector.find(picture((70.0, 50.0, 30.0)))
    np.testing.assert_allclose((found.box[:2] + found.box[2:]) / 2.0, [70.0, 50.0], atol=8.0)


def test_small_faces_are_found_in_pieces_of_a_large_photo(face: FaceConverter) -> None:
    """Twenty faces of 5 % of the photo's side each: none shows in the whole, all show in its quarters."""
    places = [(60.0 + 110.0 * column, 70.0 + 120.0 * row, 24.0) for row in range(4) for column in range(5)]
    image = picture(*places, width=560, height=500)
    assert len(face.finder.detector.find(image, levels=1)) < 20
    assert len(face.find_faces(image)) == 20


def test_pieces_one_by_one_find_what_a_search_of_all_finds(face: FaceConverter) -> None:
    detector = face.finder.detector
    image = picture((60.0, 70.0, 30.0), (430.0, 370.0, 30.0), width=560, height=500)
    at_once = {tuple(np.round(found.box / 20.0)) for found in detector.find(image, levels=2)}

    one_by_one = [found for number in range(9) for found in detector.find(image, levels=2, piece=number)]

    assert at_once
    assert at_once <= {tuple(np.round(found.box / 20.0)) for found in one_by_one}
    assert detector.find(picture(width=40, height=40), levels=2, piece=3) == []


def test_no_face_is_no_answer(face: FaceConverter) -> None:
    assert face.find_faces(picture()) == []
    assert face.find_faces(np.zeros((1, 1, 3), np.uint8)) == []
    assert face.find_faces(np.zeros((2, 4000, 3), np.uint8)) == []


def test_faces_come_from_left_to_right(face: FaceConverter, tmp_path: Path) -> None:
    found = face.find_faces(picture((220.0, 60.0, 30.0), (50.0, 60.0, 30.0), width=280))
    assert [round(float(one.five[:, 0].mean()) / 10) for one in found] == [5, 22]
