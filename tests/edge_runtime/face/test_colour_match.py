"""Colour curves: what they reach, what they leave alone, and that a video's are stilled."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge_runtime.face.colour_match import apply_curves, colour_curves
from edge_runtime.face.smoothing import LowPassFilter
from edge_runtime.swap_contract import ColourSpec

SPEC = ColourSpec("mean-std", 16, 0.05, 3.0, 2.0)


def _pictures(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A face, a photo in other light, and where they show; outside the mask the photo is something else."""
    rng = np.random.default_rng(seed)
    smooth = np.repeat(np.repeat(rng.uniform(0.3, 0.7, (16, 16, 3)), 4, axis=0), 4, axis=1).astype(np.float32)
    photo = 0.6 * smooth + np.array((0.25, 0.1, 0.0), np.float32)
    mask = np.zeros((64, 64, 1), np.float32)
    mask[16:48, 16:48] = 1.0
    photo = np.where(mask > 0, photo, 1.0).astype(np.float32)
    return smooth, photo, mask


@pytest.mark.parametrize("match", ["mean-std", "histogram"])
def test_a_change_of_light_is_followed_under_the_mask_alone(match: str) -> None:
    painted, photo, mask = _pictures()
    curves = colour_curves(match, painted, photo, mask, SPEC)
    inside = mask[..., 0] > 0
    error = np.abs(apply_curves(painted, curves) - photo)[inside].mean()
    assert error < 0.01 < np.abs(painted - photo)[inside].mean()


@pytest.mark.parametrize("match", ["mean-std", "histogram"])
def test_equal_colours_stay(match: str) -> None:
    painted, _, mask = _pictures()
    curves = colour_curves(match, painted, painted, mask, SPEC)
    np.testing.assert_allclose(apply_curves(painted, curves)[mask[..., 0] > 0], painted[mask[..., 0] > 0], atol=2e-3)


def test_nothing_is_matched_where_nothing_shows_or_none_is_asked_for() -> None:
    painted, photo, mask = _pictures()
    for match, where in (("none", mask), ("mean-std", 0.0 * mask), ("histogram", 0.0 * mask)):
        curves = colour_curves(match, painted, photo, where, SPEC)
        np.testing.assert_allclose(apply_curves(painted, curves), painted, atol=1e-6)


def test_a_flat_face_is_not_stretched_without_limit() -> None:
    painted, photo, mask = _pictures()
    flat = 0.5 + 0.001 * (painted - 0.5)
    curves = colour_curves("mean-std", flat, photo, mask, dataclasses.replace(SPEC, gain_limit=2.0))
    assert np.diff(curves, axis=0).max() <= 2.0 / 32 + 1e-6


def test_a_dark_faces_eyes_do_not_glow_on_a_light_one() -> None:
    """White of an eye is far from dark skin and near to light skin: what moves the skin would move it beyond white."""
    rng = np.random.default_rng(3)
    painted = np.repeat(np.repeat(rng.uniform(0.1, 0.3, (16, 16, 1)), 4, axis=0), 4, axis=1).astype(np.float32)
    painted = np.repeat(painted, 3, axis=2)
    photo = painted + np.float32(0.45)
    painted[28:32, 20:24] = 0.6
    mask = np.zeros((64, 64, 1), np.float32)
    mask[8:56, 8:56] = 1.0
    curves = colour_curves("mean-std", painted, photo, mask, SPEC)
    result = apply_curves(painted, curves)
    assert np.abs(result - photo)[40:56, 8:56].mean() < 0.05
    assert 0.6 < result[30, 22].max() <= photo[mask[..., 0] > 0].max() + 0.02
    assert (np.diff(curves, axis=0) >= 0.0).all()


def test_a_videos_curves_go_over_gradually_and_repeat_when_time_stands() -> None:
    first, second = np.zeros((33, 3), np.float32), np.ones((33, 3), np.float32)
    still = LowPassFilter(1.0)
    np.testing.assert_array_equal(still(first, 0.0), first)
    np.testing.assert_array_equal(still(second, 0.0), first)
    assert 0.0 < still(second, 0.04).max() < 0.3
    for frame in range(2, 100):
        last = still(second, 0.04 * frame)
    np.testing.assert_allclose(last, second, atol=1e-3)
