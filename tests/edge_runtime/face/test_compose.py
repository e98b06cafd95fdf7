"""The graph's answer in the photo: what must move moves, what must not keeps every bit."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.face.compose import Composer
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import Similarity, crop_box
from edge_runtime.face_path_contract import CropSpec, EditMaskSpec
from tests.edge_runtime.face.tiny_face import FIVE, picture

SIZE, CELLS = 32, 16
CROP = CropSpec(SIZE, tuple((float(x), float(y)) for x, y in FIVE * 12.0 + 15.5))
COMPOSER = Composer(CROP, EditMaskSpec(0.1, 0.5, 2.0, 3.0))
TO_CROP = Similarity(0.4, 0.1, -20.0, -22.0)
"""A face of 80 pixels, tilted by 14 degrees."""


def _edit(flow: tuple[float, float] = (0.0, 0.0), mask: float = 0.0, rgb: float = 0.5, shade: float = 0.0) -> Edit:
    field = np.zeros((CELLS, CELLS, 2), np.float32) + np.float32(flow)
    shades = np.full((CELLS, CELLS, 3), shade, np.float32)
    return Edit(field, np.full((SIZE, SIZE, 1), mask, np.float32), np.full((SIZE, SIZE, 3), rgb, np.float32), shades)


def test_an_empty_edit_changes_no_bit() -> None:
    image = picture()
    before = image.copy()
    COMPOSER.paste(image, _edit(), TO_CROP)
    COMPOSER.paste(image, _edit(flow=(3.0, 2.0), mask=1.0, shade=0.5), TO_CROP, opacity=0.0)
    COMPOSER.paste(image, _edit(mask=0.09), TO_CROP)  # a mask a little open everywhere
    np.testing.assert_array_equal(image, before)


def test_nothing_outside_the_box_changes() -> None:
    image = picture()
    before = image.copy()
    box = COMPOSER.paste(image, _edit(flow=(3.0, -2.0), mask=0.8), TO_CROP)
    assert box == crop_box(TO_CROP, SIZE).within(image.shape)
    outside = np.ones(image.shape[:2], bool)
    outside[box.slices] = False
    assert outside.mean() > 0.1
    np.testing.assert_array_equal(image[outside], before[outside])
    assert (image != before).any()


def test_flow_moves_the_photos_own_pixels_at_its_own_scale() -> None:
    """A crop twice as coarse as the photo: 3 crop pixels are 6 of the photo's, and no detail is lost on the way."""
    image = picture(width=90, height=90)
    before = image.copy()
    COMPOSER.paste(image, _edit(flow=(3.0, 0.0)), Similarity(0.5, 0.0, -6.5, -6.5))
    inner = slice(38, 52)
    np.testing.assert_array_equal(image[inner, inner], before[inner, 44:58])


def test_flow_turns_with_the_face() -> None:
    """Lying on its side, the face's `up` is the photo's `left`."""
    image = picture(width=90, height=90)
    before = image.copy()
    COMPOSER.paste(image, _edit(flow=(0.0, 3.0)), Similarity(0.0, 0.5, 38.0, -6.5))
    inner = slice(38, 52)
    # crop = (0.5 * -y', 0.5 * x'): the crop's y axis is the photo's x axis
    np.testing.assert_array_equal(image[inner, inner], before[inner, 44:58])


def test_open_mask_shows_the_invented_colour_and_fades_at_the_border() -> None:
    image = picture()
    before = image.astype(float)
    COMPOSER.paste(image, _edit(mask=1.0, rgb=0.2), TO_CROP)
    middle = TO_CROP.inverse().apply(np.array([15.5, 15.5]))
    x, y = (round(float(value)) for value in middle)
    assert (image[y - 5 : y + 5, x - 5 : x + 5] == 51).all()
    edge = TO_CROP.inverse().apply(np.array([0.3, 15.5]))
    x, y = (round(float(value)) for value in edge)
    assert np.abs(image[y, x] - before[y, x]).max() < 0.3 * np.abs(51 - before[y, x]).max() + 1


def test_shades_are_a_curve_that_keeps_black_white_and_the_border() -> None:
    """Skin becomes lighter or darker, nothing is clipped, and no edge of the crop shows."""
    for shade in (-0.8, 0.6, 5.0):
        image = picture()
        image[:, ::7], image[:, 3::7] = 0, 255
        before = image.astype(float)
        COMPOSER.paste(image, _edit(shade=shade), TO_CROP)
        middle = TO_CROP.inverse().apply(np.array([15.5, 15.5]))
        x, y = (round(float(value)) for value in middle)
        part = np.s_[y - 8 : y + 8, x - 8 : x + 8]
        level, amount = before[part] / 255.0, min(shade, 1.0)
        assert np.abs(image[part] - 255.0 * (level + amount * level * (1.0 - level))).max() <= 0.51
        edge = TO_CROP.inverse().apply(np.array([0.2, 15.5]))
        x, y = (round(float(value)) for value in edge)
        assert np.abs(image[y, x] - before[y, x]).max() <= 4.0


def test_shades_fade_with_the_edit() -> None:
    """A face that is lost must not flash."""
    whole, half = picture(), picture()
    before = picture().astype(float)
    COMPOSER.paste(whole, _edit(shade=0.6), TO_CROP)
    COMPOSER.paste(half, _edit(shade=0.6), TO_CROP, opacity=0.5)
    assert np.abs((half - before) - 0.5 * (whole - before)).max() <= 1.01


@pytest.mark.parametrize("shift", [(-60.0, 0.0), (0.0, 1e4), (150.0, -90.0)])
def test_a_face_at_or_beyond_the_border(shift: tuple[float, float]) -> None:
    """Nothing breaks, and nothing but the box within the photo changes."""
    image = picture()
    before = image.copy()
    moved = TO_CROP.after(Similarity(1.0, 0.0, *shift))
    box = COMPOSER.paste(image, _edit(flow=(4.0, 4.0), mask=0.5), moved)
    changed = np.argwhere((image != before).any(axis=-1))
    assert all(box.top <= y < box.bottom and box.left <= x < box.right for y, x in changed)


def test_a_wild_flow_is_bounded() -> None:
    """A broken graph must not read all over the photo, nor ask for its size squared in memory."""
    image = picture()
    COMPOSER.paste(image, _edit(flow=(1e30, -1e30)), TO_CROP)
    assert image.shape == picture().shape


def test_crop_is_what_the_reference_says() -> None:
    """The five points of a face lie on the crop's reference."""
    image = np.zeros((120, 160, 3), np.uint8)
    nose = TO_CROP.inverse().apply(np.array(CROP.reference[2]))
    x, y = (round(float(value)) for value in nose)
    image[y - 3 : y + 4, x - 3 : x + 4] = 255
    crop = COMPOSER.crop(image, TO_CROP)
    at = np.argwhere(crop[..., 0] > 60).mean(axis=0)[::-1]
    np.testing.assert_allclose(at, CROP.reference[2], atol=0.6)
