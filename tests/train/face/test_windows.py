"""Means over windows: what they are at the border, where a window has fewer pixels."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import ops

from train.face.windows import window_means

pytestmark = pytest.mark.tensorflow


def test_means_over_windows_count_the_pixels_that_there_are() -> None:
    """At the border too, where a window has fewer."""
    picture = np.random.default_rng(1).random((1, 9, 8, 2)).astype(np.float32)
    found = ops.convert_to_numpy(window_means(picture, 5))
    for row, column in ((0, 0), (4, 4), (8, 7)):
        window = picture[0, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        np.testing.assert_allclose(found[0, row, column], window.mean(axis=(0, 1)), rtol=1e-5)


@pytest.mark.parametrize("window", [4, 7, 11])
def test_means_over_windows_are_those_of_a_pooling(window: int) -> None:
    """Also where the window is even, or wider than the picture."""
    picture = np.random.default_rng(2).random((2, 9, 12, 3)).astype(np.float32)
    pooled = ops.average_pool(picture, window, strides=1, padding="same", data_format="channels_last")
    np.testing.assert_allclose(
        ops.convert_to_numpy(window_means(picture, window)), ops.convert_to_numpy(pooled), rtol=1e-5
    )
