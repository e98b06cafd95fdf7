"""Similarity transforms: exact where they can be, least squares where not, and inverted without loss."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.face.geometry import Box, Similarity, align, crop_box, fit_similarity, square_transform
from edge_runtime.face_path_contract import CropSpec

TURNED = Similarity(1.2, 0.7, 30.0, -12.0)
POINTS = np.array([[3.0, 4.0], [50.0, 8.0], [20.0, 60.0], [33.0, 31.0], [7.0, 44.0]])


def test_fit_recovers_an_exact_similarity() -> None:
    found = fit_similarity(POINTS, TURNED.apply(POINTS))
    np.testing.assert_allclose([found.a, found.b, found.x0, found.y0], [1.2, 0.7, 30.0, -12.0], atol=1e-4)


def test_fit_is_the_least_squares_solution() -> None:
    """Against the general solver: the four parameters that Umeyama's method minimises over, without reflection."""
    target = TURNED.apply(POINTS) + np.random.default_rng(1).normal(0.0, 3.0, POINTS.shape)
    x, y = POINTS.T
    ones, zeros = np.ones(5), np.zeros(5)
    rows = np.concatenate([np.stack([x, -y, ones, zeros], 1), np.stack([y, x, zeros, ones], 1)])
    expected = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    found = fit_similarity(POINTS, target)
    np.testing.assert_allclose([found.a, found.b, found.x0, found.y0], expected, rtol=1e-6)


def test_a_mirrored_face_is_not_reflected() -> None:
    """A similarity that reflects would paste a face inside out."""
    found = fit_similarity(POINTS, POINTS * [-1.0, 1.0])
    assert np.linalg.det(found.matrix()[:, :2]) > 0.0


def test_inverse_and_composition() -> None:
    other = Similarity(-0.3, 0.4, 5.0, 6.0)
    np.testing.assert_allclose(TURNED.inverse().apply(TURNED.apply(POINTS)), POINTS, atol=1e-4)
    np.testing.assert_allclose(other.after(TURNED).apply(POINTS), other.apply(TURNED.apply(POINTS)), atol=1e-4)
    moved = TURNED.apply(POINTS + np.array([2.0, 3.0])) - TURNED.apply(POINTS)
    np.testing.assert_allclose(TURNED.turn(np.full((5, 2), [2.0, 3.0], np.float32)), moved, atol=1e-4)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_points_that_say_nothing_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="coincide"):
        fit_similarity(points, POINTS)


def test_square_is_upright_in_its_crop() -> None:
    """The line through the eyes becomes a row of the crop, the square's middle the crop's."""
    angle = np.deg2rad(35.0)
    transform = square_transform(np.array([40.0, 30.0]), 50.0, float(angle), 100)
    along = np.array([[40.0, 30.0], [40.0 + 10.0 * np.cos(angle), 30.0 + 10.0 * np.sin(angle)]])
    np.testing.assert_allclose(transform.apply(along), [[49.5, 49.5], [69.5, 49.5]], atol=1e-3)


def test_align_puts_the_reference_where_it_belongs() -> None:
    reference = ((10.0, 12.0), (22.0, 12.0), (16.0, 18.0), (11.0, 23.0), (21.0, 23.0))
    crop = CropSpec(32, reference)
    five = TURNED.apply(np.array(reference))
    np.testing.assert_allclose(align(five, crop).apply(five), reference, atol=1e-4)


def test_crop_box_holds_every_corner_and_is_cut_at_the_photo() -> None:
    box = crop_box(TURNED, 32)
    corners = TURNED.inverse().apply(np.array([[-0.5, -0.5], [31.5, -0.5], [-0.5, 31.5], [31.5, 31.5]]))
    assert (corners >= [box.left, box.top]).all()
    assert (corners <= [box.right, box.bottom]).all()
    assert Box(-5, -6, 7, 8).within((4, 5, 3)) == Box(0, 0, 5, 4)
    assert Box(50, 50, 60, 60).within((4, 5)).empty
