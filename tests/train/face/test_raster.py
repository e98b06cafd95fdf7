"""Triangles to pixels, and the exact flow between two pictures of them."""

from __future__ import annotations

import numpy as np
import pytest

from train.face.render.camera import Camera
from train.face.render.raster import NOTHING, depth_map, rasterise, trace_back, vertex_normals

SIZE = 64
CAMERA = Camera((0.0, 0.0, 5.0), 100.0, SIZE)
SQUARE = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def _square(x: float, y: float, z: float, half: float = 0.5, tilt: float = 0.0) -> np.ndarray:
    corners = np.array([[-half, -half, -tilt], [half, -half, tilt], [half, half, tilt], [-half, half, -tilt]])
    return (corners + np.array((x, y, z))).astype(np.float32)


def _drawn(positions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    points = CAMERA.project(positions)
    depth = np.zeros((SIZE, SIZE), np.float32)
    hit = np.full((SIZE, SIZE), NOTHING, np.int32)
    weights = np.zeros((SIZE, SIZE, 3), np.float32)
    rasterise(points, triangles, depth, hit, weights)
    return points, depth, hit, weights


def _traced(now: np.ndarray, before: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points, _, hit, weights = _drawn(now, triangles)
    points_before, depth_before, hit_before, _ = _drawn(before, triangles)
    flow, seen = np.zeros((SIZE, SIZE, 2), np.float32), np.zeros((SIZE, SIZE), np.float32)
    surface = (np.arange(len(triangles)) // 2).astype(np.int8)
    trace_back(hit, weights, points, triangles, surface, points_before, depth_before, hit_before, flow, seen)
    return flow, seen, hit


def test_a_square_covers_the_pixels_it_should() -> None:
    """Half a decimetre at 5 decimetres and 100 pixels focal length is 10 pixels."""
    _, depth, hit, weights = _drawn(_square(0.0, 0.0, 0.0), SQUARE)
    rows, columns = np.nonzero(hit != NOTHING)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (22, 41, 22, 41)
    assert len(rows) == 20 * 20
    assert depth[30, 30] == pytest.approx(0.2)
    assert np.allclose(weights[hit != NOTHING].sum(axis=1), 1.0, atol=1e-5)


def test_the_nearer_surface_hides_the_farther_one() -> None:
    """Whatever the order they are drawn in."""
    positions = np.concatenate([_square(0.0, 0.0, 1.0, 0.2), _square(0.0, 0.0, 0.0)])
    triangles = np.concatenate([SQUARE, SQUARE + 4])
    for order in (triangles, triangles[::-1].copy()):
        points, depth, hit, _ = _drawn(positions, order)
        assert order[hit[32, 32]].max() < 4
        assert order[hit[24, 24]].min() >= 4
        only_depth = np.zeros((SIZE, SIZE), np.float32)
        depth_map(points, order, only_depth)
        assert np.array_equal(depth, only_depth)


def test_flow_of_a_tilted_surface_is_exact() -> None:
    """Linear interpolation on the screen would be wrong by perspective; the truth is known in closed form."""
    now, before = _square(0.1, 0.0, 0.0, tilt=0.4), _square(-0.1, 0.05, 0.3, tilt=0.4)
    flow, seen, hit = _traced(now, before, SQUARE)
    move = before[0] - now[0]
    for y, x in ((28, 30), (36, 40), (31, 27)):
        assert hit[y, x] != NOTHING
        # the ray of this pixel meets the plane z = 0.8 (x - 0.1)
        direction = np.array([(x - 31.5) / 100.0, -(y - 31.5) / 100.0, -1.0])
        length = 5.08 / (1.0 + 0.8 * direction[0])
        point = np.array([0.0, 0.0, 5.0]) + length * direction
        expected = CAMERA.project((point + move)[None].astype(np.float32))[0, :2] - (x, y)
        assert flow[y, x] == pytest.approx(expected, abs=2e-3)
        assert seen[y, x] == 1.0


def test_what_was_covered_before_is_not_seen() -> None:
    """A point behind another thing must be invented, however near that thing is on the screen."""
    triangles = np.concatenate([SQUARE, SQUARE + 4])
    back, aside, over = _square(0.0, 0.0, 0.0), _square(1.2, 0.0, 0.5, 0.3), _square(0.0, 0.0, 0.5, 0.3)
    _, seen, _ = _traced(np.concatenate([back, aside]), np.concatenate([back, over]), triangles)
    assert seen[32, 32] == 0.0
    assert seen[23, 23] == 1.0


def test_what_was_edge_on_before_is_not_seen() -> None:
    """Few pixels stretched over many are a smear, not knowledge."""
    thin = _square(0.0, 0.0, 0.0)
    thin[:, 1] *= 0.1
    flow, seen, hit = _traced(_square(0.0, 0.0, 0.0), thin, SQUARE)
    inside = hit != NOTHING
    assert seen[inside].max() == 0.0
    assert np.abs(flow[inside]).max() > 5.0


def test_normals_point_out_of_the_front() -> None:
    """Anticlockwise seen from the camera is towards the camera; a vertex of no triangle has none."""
    positions = np.concatenate([_square(0.0, 0.0, 0.0), np.zeros((1, 3), np.float32)])
    normals = vertex_normals(positions, SQUARE)
    assert np.allclose(normals[:4], (0.0, 0.0, 1.0))
    assert not normals[4].any()
