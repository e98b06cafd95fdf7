"""The face model that comes with changeling, on a real photo: NASA's portrait of an astronaut who smiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.cli.main import main
from edge_runtime.default_model import open_model_or_default
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face
from edge_runtime.media.image import read_photo

pytest.importorskip("PIL")
SHIPPED = Path(edge_runtime.__file__).parent / "models" / "faces.tflite"
PHOTO = Path(__file__).parents[1] / "assets" / "astronaut.jpg"
MAXIMUM_MODEL_BYTES = 4_000_000
_PROMISED_UNITS = 16
"""Sliders that a user was promised."""


@pytest.fixture(scope="module")
def converter() -> edge_runtime.FaceConverter:
    return edge_runtime.load(kind="face")


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return read_photo(PHOTO).pixels


@pytest.fixture(scope="module")
def face(converter: edge_runtime.FaceConverter, photo: np.ndarray) -> Face:
    (found,) = converter.find_faces(photo)
    return found


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGELING_MODEL", raising=False)


def test_it_gives_here_what_it_gave_when_it_was_exported(converter: edge_runtime.FaceConverter) -> None:
    """Another interpreter or processor must not make another face."""
    assert Path(converter.model.path) == SHIPPED
    assert converter.selftest().passed


def test_it_is_small_free_and_carries_all_it_needs() -> None:
    """One file for the board, with the notices of what rides in it, and nobody's face behind it."""
    model = open_model_or_default(kind="face")
    assert SHIPPED.stat().st_size <= MAXIMUM_MODEL_BYTES
    assert {"LICENCE", "NOTICE", "golden.npz", "detector.tflite", "landmarks.tflite"} <= model.files.keys()
    assert b"MediaPipe" in b"".join(data for name, data in model.files.items() if name.startswith("NOTICE"))
    assert model.manifest.training
    assert all("CC0" in source.licence for source in model.manifest.training)
    assert len(model.manifest.units) >= _PROMISED_UNITS
    assert {expression.name for expression in model.manifest.expressions} == {
        *("happy", "sad", "angry", "surprised", "afraid", "disgusted", "neutral")
    }


def test_every_slider_moves_something_and_no_two_the_same(
    converter: edge_runtime.FaceConverter, photo: np.ndarray, face: Face
) -> None:
    """A name in the list that does nothing, or another one's work, would be a lie."""
    changed = []
    for unit in converter.manifest.units:
        controls = converter.controls(capped=False, **{unit.name: 1.0})
        changed.append(converter.convert_found(photo, [face], controls).astype(np.int16))
    for index, one in enumerate(changed):
        assert np.abs(one - photo).max() > 8, converter.manifest.units[index].name
        assert all(np.abs(one - other).max() > 8 for other in changed[:index])


def test_nothing_asked_changes_nothing_and_the_background_never_changes(
    converter: edge_runtime.FaceConverter, photo: np.ndarray, face: Face
) -> None:
    assert np.array_equal(converter.convert(photo, smile=0.0), photo)
    out = converter.convert(photo, expression="surprised")
    left, top, right, bottom = face.box
    width, height = right - left, bottom - top
    rows, columns = np.indices(photo.shape[:2])
    far = (columns < left - width / 2) | (columns > right + width / 2)
    far |= (rows < top - height / 2) | (rows > bottom + height / 2)
    assert far.mean() > 0.3
    assert np.array_equal(out[far], photo[far])


def test_jaw_opens_a_dark_mouth(converter: edge_runtime.FaceConverter, photo: np.ndarray, face: Face) -> None:
    """Her lips part further, her upper teeth stay, and below them the mouth is dark."""
    out = converter.convert(photo, jaw_open=0.8)
    (after,) = converter.find_faces(out)
    assert measure_face(after)["lip_gap"] > measure_face(face)["lip_gap"] + 0.02
    (x, top), (_, bottom) = after.points[[13, 14], :2].round().astype(int)
    rows = out[top : bottom + 1, x - 5 : x + 6].mean(axis=(1, 2))
    teeth = photo[top : bottom + 1, x - 5 : x + 6].mean(axis=(1, 2)).max()
    assert rows.max() > 0.8 * teeth
    assert rows.min() < 0.6 * teeth
    assert rows.argmax() < rows.argmin()


def test_blink_covers_the_eyes(converter: edge_runtime.FaceConverter, photo: np.ndarray, face: Face) -> None:
    """Her pupils are the darkest of her eyes' regions, and go."""
    out = converter.convert(photo, blink=1.0)
    for iris in face.five[:2].round().astype(int):
        patch = np.s_[iris[1] - 4 : iris[1] + 5, iris[0] - 6 : iris[0] + 7]
        assert photo[patch].mean(axis=-1).min() < 60
        assert out[patch].mean(axis=-1).min() > 60


def test_a_wink_leaves_the_other_eye_alone(
    converter: edge_runtime.FaceConverter, photo: np.ndarray, face: Face
) -> None:
    """Left is the person's own: on the right of the picture."""
    out = converter.convert(photo, wink_left=1.0).astype(np.int16)
    moved = np.abs(out - photo).max(axis=-1)
    right, left = (point.round().astype(int) for point in face.five[:2])
    at = [int(moved[y - 5 : y + 6, x - 8 : x + 9].max()) for x, y in (right, left)]
    assert at[1] > 60 > 3 * at[0] / 2


def test_a_photo_changes_by_a_sliders_name_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``changeling convert photo.jpg out.jpg --smile 0.8`` right after ``pip install``."""
    output = tmp_path / "out.jpg"
    assert main(["convert", str(PHOTO), str(output), "--smile", "0.8"]) == 0
    assert "1 of 1 face(s) with smile 0.8" in capsys.readouterr().err
    assert main(["verify", str(output)]) == 0
    assert "smile 0.8" in capsys.readouterr().out


def test_info_and_selftest_know_it_by_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--kind", "face"]) == 0
    out = capsys.readouterr().out
    assert "surprised" in out
    assert "jaw_open" in out
    assert main(["selftest", "--kind", "face"]) == 0
    assert "agrees with its golden vectors" in capsys.readouterr().out
