"""OpenCV and NumPy give the same picture within the tolerance that `edge_runtime.face.remap` states."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.face import remap as module
from edge_runtime.face.geometry import Similarity
from edge_runtime.face.remap import grid, remap, sample, shrink

Image = NDArray[np.uint8]


def photo(height: int = 60, width: int = 80) -> Image:
    """Smooth colour with fine noise of a few levels: neighbours differ by at most 64."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    smooth = np.stack([128 + 100 * np.sin(x / 9), 128 + 100 * np.cos(y / 7), 100 + x], axis=-1)
    noise = np.random.default_rng(3).uniform(-10, 10, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "opencv", lambda: None)


def _largest_step(image: NDArray[np.generic]) -> float:
    values = image.astype(np.float32)
    return float(max(np.abs(np.diff(values, axis=0)).max(), np.abs(np.diff(values, axis=1)).max()))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_both_ways_agree(monkeypatch: pytest.MonkeyPatch, dtype: type, channels: int) -> None:
    """Maps that leave the image on all sides, and a turned, shrunk sample of it."""
    pytest.importorskip("cv2")
    image = np.ascontiguousarray(photo()[..., :channels].astype(dtype))
    rng = np.random.default_rng(5)
    x = rng.uniform(-10, 90, (50, 70)).astype(np.float32)
    y = rng.uniform(-10, 70, (50, 70)).astype(np.float32)
    allowed = 2.0 * _largest_step(image) / 32.0 + 1.0
    transforms = (Similarity(0.6, 0.3, 4.0, -3.0), Similarity(2.6, 0.5, -9.0, 1.0))
    fast = [remap(image, x, y), *(sample(image, t, (40, 30)) for t in transforms), shrink(image, 3)]
    monkeypatch.setattr(module, "opencv", lambda: None)
    plain = [remap(image, x, y), *(sample(image, t, (40, 30)) for t in transforms), shrink(image, 3)]
    for first, second in zip(fast, plain, strict=True):
        assert first.shape == second.shape
        assert first.dtype == second.dtype == dtype
        assert np.abs(first.astype(np.float32) - second.astype(np.float32)).max() <= allowed
        assert np.abs(first.astype(np.float32) - second.astype(np.float32)).mean() < 0.6


def test_black_outside_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector's letterbox."""
    pytest.importorskip("cv2")
    image, transform = photo(), Similarity(1.5, 0.0, -20.0, -40.0)
    fast = sample(image, transform, (64, 64), black_outside=True)
    monkeypatch.setattr(module, "opencv", lambda: None)
    plain = sample(image, transform, (64, 64), black_outside=True)
    assert not fast[:20].any()
    assert not plain[:20].any()
    assert np.abs(fast.astype(int) - plain).max() <= 9


@pytest.mark.parametrize("library", ["any", "numpy"])
def test_whole_positions_give_the_pixels_themselves(library: str, request: pytest.FixtureRequest) -> None:
    """What does not move keeps its exact value."""
    if library == "numpy":
        request.getfixturevalue("without_opencv")
    image = photo()
    x, y = grid(Similarity(1.0, 0.0, 0.0, 0.0), (60, 80))
    np.testing.assert_array_equal(remap(image, x, y), image)
    np.testing.assert_array_equal(remap(image, x + 500, y), np.repeat(image[:, -1:], 80, axis=1))


def test_bilinear_by_hand(without_opencv: None) -> None:
    image = np.array([[[0], [100]], [[40], [80]]], np.float32)
    found = remap(image, np.array([[0.25]], np.float32), np.array([[0.5]], np.float32))
    assert found.item() == pytest.approx(0.5 * 25.0 + 0.5 * 50.0)


def test_a_fine_pattern_does_not_alias(without_opencv: None) -> None:
    """Stripes one pixel wide, sampled eight times as coarse, are grey."""
    stripes = np.zeros((160, 160, 3), np.uint8)
    stripes[:, ::2] = 200
    small = sample(stripes, Similarity(8.0, 0.0, 3.0, 3.0), (20, 20))
    assert np.abs(small.astype(int) - 100).max() <= 2


def test_one_pixel_and_places_far_outside(without_opencv: None) -> None:
    """Nothing that a face at a photo's edge can ask for is out of bounds."""
    image = np.full((1, 1, 3), 77, np.uint8)
    assert (sample(image, Similarity(3.0, 1.0, -1e6, 1e6), (5, 4)) == 77).all()
    assert (shrink(image, 8) == 77).all()
