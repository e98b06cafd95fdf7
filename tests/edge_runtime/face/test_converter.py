"""`FaceConverter`: whole photos and frames, and the models that it refuses."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.errors import BackendError, ControlError, InputError, ModelFileError
from edge_runtime.face import remap
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.generator import PARTS, parts_of
from edge_runtime.model_file import open_model, pack_model, write_model
from tests.edge_runtime.face.tiny_face import graph, load_face, make_face_manifest, picture, write_face

TWO = ((60.0, 60.0, 30.0), (220.0, 60.0, 34.0))


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> FaceConverter:
    return load_face(tmp_path_factory.mktemp("face"))


def _changed(before: np.ndarray, after: np.ndarray) -> list[bool]:
    """Whether the left and the right half changed."""
    changed = (before != after).any(axis=(0, 2))
    return [bool(changed[:140].any()), bool(changed[140:].any())]


def test_no_wish_gives_the_photo_bit_by_bit(face: FaceConverter) -> None:
    image = picture(*TWO, width=280)
    for result in (face.convert(image), face.convert(image, smile=0.0), face.convert(picture(), smile=1.0)):
        assert result is not image
    np.testing.assert_array_equal(face.convert(image), image)
    np.testing.assert_array_equal(face.convert(image, smile=0.0), image)
    np.testing.assert_array_equal(face.convert(picture(), smile=1.0), picture())


def test_a_wish_changes_every_face_and_leaves_the_input_alone(face: FaceConverter) -> None:
    image = picture(*TWO, width=280)
    result = face.convert(image, smile=0.8)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert _changed(image, result) == [True, True]
    np.testing.assert_array_equal(image, picture(*TWO, width=280))
    np.testing.assert_array_equal(result[:, 125:165], image[:, 125:165])


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("left", [True, False]),
        ("right", [False, True]),
        ("largest", [False, True]),
        (1, [True, False]),
        (2, [False, True]),
        (3, [False, False]),
    ],
)
def test_chosen_faces(face: FaceConverter, which: str | int, expected: list[bool]) -> None:
    image = picture((60.0, 60.0, 26.0), (220.0, 60.0, 40.0), width=280)
    assert _changed(image, face.convert(image, smile=1.0, faces=which)) == expected
    stream = face.stream(face.controls(smile=1.0, faces=which))
    assert _changed(image, stream.process(image, 0.0)) == expected


def test_a_chosen_face_stays_chosen_when_it_is_overtaken(face: FaceConverter) -> None:
    """`left` is decided once: two people who change places do not change roles."""
    stream = face.stream(face.controls(smile=1.0, faces="left"))
    for i, x in enumerate(range(60, 221, 8)):
        image = picture((float(x), 60.0, 30.0), (280.0 - x, 190.0, 30.0), width=280, height=250)
        out = stream.process(image, i * 0.04)
    assert (out != image).any(axis=(1, 2))[:125].any()
    assert not (out != image).any(axis=(1, 2))[125:].any()


def test_neighbours_whose_boxes_overlap_both_change(face: FaceConverter) -> None:
    """The second paste must not put back what the first has changed."""
    image = picture((60.0, 60.0, 30.0), (125.0, 60.0, 30.0), width=190)
    both = face.convert(image, smile=1.0)
    left = face.convert(image, smile=1.0, faces=1)
    region = np.s_[60:90, 40:80]
    assert (left[region] != image[region]).any()
    np.testing.assert_array_equal(both[region], left[region])


def test_numpy_gives_the_picture_that_opencv_gives(face: FaceConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a whole, on a picture whose neighbours differ little: 995 of 1000 values within two levels, none off by 13."""
    pytest.importorskip("cv2")
    rough = picture(*TWO, width=280).astype(np.float32)
    image = np.mean([np.roll(rough, (y, x), (0, 1)) for y in range(-3, 4) for x in range(-3, 4)], axis=0).astype(
        np.uint8
    )
    fast = face.convert(image, expression="surprised:0.8").astype(int)
    monkeypatch.setattr(remap, "opencv", lambda: None)
    difference = np.abs(face.convert(image, expression="surprised:0.8") - fast)
    assert np.mean(difference > 2) < 0.005
    assert difference.max() <= 12
    assert (fast != image).any()


def test_a_still_video_becomes_still(face: FaceConverter) -> None:
    """The same frame again and again: once the filters have settled, no pixel trembles."""
    stream = face.stream(face.controls(smile=0.7))
    image = picture((80.0, 60.0, 30.0))
    frames = [stream.process(image, i * 0.04).astype(int) for i in range(40)]
    assert (frames[0] != image).any()
    for before, after in itertools.pairwise(frames[30:]):
        assert np.abs(after - before).max() <= 1


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_photo_is_refused(face: FaceConverter, image: np.ndarray) -> None:
    with pytest.raises(InputError, match="uint8 RGB"):
        face.convert(image, smile=1.0)


def test_controls_or_values_but_not_both(face: FaceConverter) -> None:
    with pytest.raises(ControlError, match="not both"):
        face.convert(picture(), face.controls(smile=0.3), jaw_open=0.2)


def test_load_gives_what_the_file_is(tmp_path: Path) -> None:
    path = write_face(tmp_path / "face.tflite")
    assert isinstance(edge_runtime.load(path), FaceConverter)
    assert isinstance(edge_runtime.load(path, kind="face"), FaceConverter)
    with pytest.raises(ModelFileError, match="is a face model; sound needs a voice model"):
        edge_runtime.load(path, kind="voice")


def test_parts_that_are_missing_or_others_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"lacks detector\.tflite"):
        FaceConverter(open_model(write_face(tmp_path / "a.tflite", detector=b"")))
    with pytest.raises(ModelFileError, match=r"landmarks\.tflite is not the one"):
        FaceConverter(open_model(write_face(tmp_path / "b.tflite", landmarks=graph("landmarks") + b"\0")))


def test_a_graph_that_does_not_fit_its_manifest_is_refused(tmp_path: Path) -> None:
    manifest = make_face_manifest()
    other = graph("detector")
    manifest = dataclasses.replace(manifest, graph_bytes=len(other), graph_sha256=hashlib.sha256(other).hexdigest())
    files = {f"{name}.tflite": graph(name) for name in ("detector", "landmarks")}
    write_model(tmp_path / "m.tflite", pack_model(other, "tflite", manifest.to_json(), files))
    with pytest.raises(BackendError, match="tensor 'image'"):
        FaceConverter(open_model(tmp_path / "m.tflite"))


def test_selftest_compares_with_the_golden_vectors(tmp_path: Path) -> None:
    """It passes on what the graph gives, and fails where one number is off."""
    face = load_face(tmp_path)
    crop = face.crop(picture((80.0, 60.0, 30.0)), face.find_faces(picture((80.0, 60.0, 30.0)))[0])
    delta = np.array([[0.3, 0.8, 0.0, 0.0, 1.0, 0.5]], np.float32)
    edit = face.generator.run(crop, delta)
    for wrong in (False, True):
        flow = edit.flow + np.float32(0.01 if wrong else 0.0)
        stream = io.BytesIO()
        np.savez(
            stream,
            crop=crop,
            delta=delta,
            **(parts_of(edit) | {"flow": flow}),
            names=np.array(PARTS),
            tolerance=np.array([1e-4] * len(PARTS)),
        )
        files = {f"{name}.tflite": graph(name) for name in ("detector", "landmarks")} | {
            "golden.npz": stream.getvalue()
        }
        packed = pack_model(graph("generator"), "tflite", make_face_manifest().to_json(), files)
        write_model(tmp_path / "g.tflite", packed)
        result = FaceConverter(open_model(tmp_path / "g.tflite")).selftest()
        assert [stage.passed for stage in result.stages] == [not wrong, True, True, True]
    with pytest.raises(ModelFileError, match="no readable golden"):
        face.selftest()
