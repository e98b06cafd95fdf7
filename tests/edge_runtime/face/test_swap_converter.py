"""`SwapConverter` and its stream, with a model that turns red discs blue."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.errors import ConsentError, ControlError, InputError, ModelFileError
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.model_file import open_model
from tests.edge_runtime.face.tiny_face import picture, write_face
from tests.edge_runtime.face.tiny_swap import CONSENT, load_swap, make_swap_manifest, person, write_swap

TWO = ((60.0, 60.0, 30.0), (220.0, 60.0, 34.0))


@pytest.fixture(scope="module")
def swap(tmp_path_factory: pytest.TempPathFactory) -> SwapConverter:
    return load_swap(tmp_path_factory.mktemp("swap"))


def _blue(image: np.ndarray) -> np.ndarray:
    return (image[..., 2] > 150) & (image[..., 0] < 100)


def test_every_face_is_swapped_and_the_rest_keeps_its_values(swap: SwapConverter) -> None:
    image = picture(*TWO, width=280)
    result = swap.convert(image)
    assert _blue(result)[:, :140].any()
    assert _blue(result)[:, 140:].any()
    grey = image.max(axis=-1) - image.min(axis=-1) == 0
    y, x = np.mgrid[:120, :280]
    outside = np.all([np.hypot(x - cx, y - cy) > r + 8 for cx, cy, r in TWO], axis=0)
    np.testing.assert_array_equal(result[outside & grey], image[outside & grey])
    np.testing.assert_array_equal(image, picture(*TWO, width=280))


def test_an_occluder_that_the_mask_leaves_out_stays(swap: SwapConverter) -> None:
    image = picture((60.0, 60.0, 40.0))
    image[50:56, 30:90] = 128
    result = swap.convert(image)
    np.testing.assert_array_equal(result[52:54, 45:75], image[52:54, 45:75])
    assert _blue(result).any()


def test_opacity_fades_and_zero_changes_nothing(swap: SwapConverter) -> None:
    image = picture((60.0, 60.0, 30.0))
    np.testing.assert_array_equal(swap.convert(image, opacity=0.0), image)
    half, full = (swap.convert(image, opacity=share).astype(int) for share in (0.5, 1.0))
    assert np.abs(half - (full + image) / 2).max() <= 1.0


def test_the_mouth_can_be_kept(swap: SwapConverter) -> None:
    image = picture((80.0, 60.0, 40.0))
    kept, swapped = swap.convert(image, mouth_keep=True), swap.convert(image)
    mouth = (slice(79, 82), slice(72, 88))
    np.testing.assert_array_equal(kept[mouth], image[mouth])
    assert _blue(swapped[mouth]).all()
    assert _blue(kept)[40:50, 70:90].all()


@pytest.mark.parametrize(("which", "left", "right"), [("left", 1, 0), ("largest", 0, 1), (2, 0, 1), (3, 0, 0)])
def test_faces_are_chosen_by_place_and_size(swap: SwapConverter, which: str | int, left: int, right: int) -> None:
    blue = _blue(swap.convert(picture(*TWO, width=280), faces=which))
    assert (blue[:, :140].any(), blue[:, 140:].any()) == (bool(left), bool(right))


def test_a_face_is_chosen_by_likeness(swap: SwapConverter) -> None:
    """Two discs, darker on either side: the one in the photo is swapped."""
    image = picture(*TWO, width=280)
    for columns in (slice(60, 100), slice(180, 220)):
        part = image[:, columns]
        part[part[..., 0] > 220] = (200, 0, 0)
    for other, side in ((slice(140, 280), 0), (slice(0, 140), 1)):
        alone = image.copy()
        alone[:, other] = 128
        blue = _blue(swap.convert(image, like=alone))
        assert [blue[:, :140].any(), blue[:, 140:].any()] == [side == 0, side == 1]
    with pytest.raises(InputError, match="shows no face"):
        swap.convert(image, like=picture())


def test_colours_can_be_taken_from_the_photo(swap: SwapConverter) -> None:
    image = picture((60.0, 60.0, 30.0))
    result = swap.convert(image, colour_match="mean-std")
    middle = result[50:70, 50:70].reshape(-1, 3).mean(axis=0) - image[50:70, 50:70].reshape(-1, 3).mean(axis=0)
    assert np.abs(middle).max() < 20.0


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"opacity": 1.5}, "opacity"),
        ({"opacity": float("nan")}, "opacity"),
        ({"colour_match": "rct"}, "colour match"),
        ({"on_lost": "freeze"}, "lost face"),
        ({"faces": "nobody"}, "faces must be"),
        ({"faces": "left", "like": picture((60.0, 60.0, 30.0))}, "not by both"),
    ],
)
def test_wishes_are_checked(swap: SwapConverter, wish: dict, text: str) -> None:
    with pytest.raises(ControlError, match=text):
        swap.controls(**wish)


def test_a_still_video_is_the_photo_frame_by_frame(swap: SwapConverter) -> None:
    image = picture(*TWO, width=280)
    stream = swap.stream(swap.controls(colour_match="histogram"))
    expected = swap.convert(image, colour_match="histogram").astype(int)
    for frame in range(7):
        assert np.abs(stream.process(image, frame / 25.0).astype(int) - expected).max() <= 6
        assert len(stream.faces) == 2


def test_a_chosen_face_stays_chosen_while_it_moves(swap: SwapConverter) -> None:
    stream = swap.stream(swap.controls(faces="left"))
    for frame in range(12):
        image = picture((60.0 + 3 * frame, 60.0, 30.0), (225.0 - 2 * frame, 60.0, 30.0), width=290)
        blue = _blue(stream.process(image, frame / 25.0))
        assert blue[:, round(50 + 3 * frame)].any()
        assert not blue[:, round(215 - 2 * frame)].any()


def test_a_lost_face_passes_or_stays_hidden_until_it_is_found_again(swap: SwapConverter) -> None:
    """What is where the disc was must not show when ``blur`` was asked for."""
    whole, lost = picture((60.0, 60.0, 30.0)), picture()
    for on_lost in ("pass", "blur"):
        stream = swap.stream(swap.controls(on_lost=on_lost))
        for frame in range(5):
            stream.process(whole, frame / 25.0)
        for frame in range(5, 40):
            result = stream.process(lost, frame / 25.0)
            assert frame < 12 or not stream.faces
        hidden = (result != lost).any(axis=-1)[40:80, 40:80].mean()
        assert hidden > 0.9 if on_lost == "blur" else hidden == 0.0
        for frame in range(40, 50):
            result = stream.process(whole, frame / 25.0)
        assert _blue(result)[60, 60]
        assert not (result != whole).any(axis=-1)[:20].any()


def test_reset_forgets_everything(swap: SwapConverter) -> None:
    stream = swap.stream(swap.controls(on_lost="blur", colour_match="mean-std"))
    images = [picture((60.0 + 2 * i, 60.0, 30.0)) for i in range(6)]
    first = [stream.process(image, i / 25.0) for i, image in enumerate(images)]
    stream.reset()
    for expected, (i, image) in zip(first, enumerate(images), strict=True):
        np.testing.assert_array_equal(stream.process(image, i / 25.0), expected)


def test_a_person_without_valid_consent_is_refused(tmp_path: Path) -> None:
    ended = dataclasses.replace(CONSENT, expires_on="2026-01-02")
    for identity, text in ((person(None), "no consent record"), (person(ended), "ended on 2026-01-02")):
        path = write_swap(tmp_path / "person.tflite", make_swap_manifest(identity=identity))
        with pytest.raises(ConsentError, match=text):
            edge_runtime.load(path)
    model = open_model(write_swap(tmp_path / "person.tflite", make_swap_manifest(identity=person(ended))))
    SwapConverter(model, today=datetime.date(2026, 1, 2)).close()


def test_load_opens_swaps_and_refuses_other_kinds(tmp_path: Path) -> None:
    path = write_swap(tmp_path / "swap.tflite")
    assert isinstance(edge_runtime.load(path), SwapConverter)
    assert isinstance(edge_runtime.load(path, kind="swap"), SwapConverter)
    with pytest.raises(ModelFileError, match="a swap model; photos"):
        edge_runtime.load(path, kind="face")
    with pytest.raises(ModelFileError, match="--swap needs a swap model"):
        edge_runtime.load(write_face(tmp_path / "face.tflite"), kind="swap")
    with pytest.raises(ModelFileError, match="no swap model comes with"):
        edge_runtime.load(None, kind="swap")  # type: ignore[call-overload]
