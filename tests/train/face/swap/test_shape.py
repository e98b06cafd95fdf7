"""A painted face's own shape is the mean of what it lacks on others, and never measured on the person's own photos."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_runtime.face.follow import DISTANCES, read
from edge_runtime.face.landmarks import Face
from edge_runtime.face.swapper import Swapped
from tests.edge_runtime.face.tiny_face import disc_mesh
from train.face.swap.run import UNKNOWN, SwapHeldOut
from train.face.swap.shape import painted_shape

SIZE = 128


def _face() -> Face:
    points = disc_mesh() + np.float32(64.0)
    return Face(points, points[[33, 263, 1, 61, 291], :2], 1.0)


def _lifted(face: Face, px: float) -> Face:
    points = face.points.copy()
    points[[61, 291], 1] -= px
    return dataclasses.replace(face, points=points)


class _Finder:
    """Finds one face in bright pictures; the swapped one, whose level says so, has its mouth's corners higher."""

    def __init__(self) -> None:
        self.landmarker = SimpleNamespace(follow=self._follow)
        self.looked_at: list[int] = []

    def find(self, image: np.ndarray) -> list[Face]:
        self.looked_at.append(int(image[0, 0, 0]))
        return [_face()] if image.mean() > 10 else []

    def _follow(self, image: np.ndarray, face: Face) -> Face | None:
        level = int(image[64, 64, 0])
        return None if level == 255 else _lifted(face, 0.5 if level % 2 else 1.5)


def _swap(crop: np.ndarray) -> Swapped:
    """Paints what is there already, one level brighter, in the middle."""
    mask = np.zeros((SIZE, SIZE, 1), np.float32)
    mask[32:96, 32:96] = 1.0
    return Swapped((crop.astype(np.float32) + 1.0) / np.float32(255.0), mask)


def _heldout(levels: list[int], own: int) -> SwapHeldOut:
    """Even pictures, of which the last ``own`` are a person's own photos."""
    images = np.stack([np.full((SIZE, SIZE, 3), level, np.uint8) for level in levels])
    rows = np.full(len(levels), UNKNOWN, np.int32)
    rows[len(levels) - own :] = 0
    return SwapHeldOut(images, images, rows)


def test_it_is_the_mean_over_the_faces_of_others() -> None:
    finder: Any = _Finder()
    shape = painted_shape(_swap, _heldout([*range(100, 112), 200, 201], own=2), finder)
    assert finder.looked_at == list(range(100, 112))
    before, after = read(_face()), [read(_lifted(_face(), px)) for px in (0.5, 1.5)]
    assert before is not None
    expected = before - np.mean([one for one in after if one is not None], axis=0)
    assert shape == pytest.approx(expected.tolist(), abs=1e-4)
    assert min(shape) == shape[DISTANCES.index("lift")] < -0.01


def test_it_is_not_known_from_a_few_faces_or_none_that_is_found_again() -> None:
    finder: Any = _Finder()
    assert painted_shape(_swap, _heldout(list(range(100, 107)), own=0), finder) == ()
    assert painted_shape(_swap, _heldout([0] * 20, own=0), finder) == ()
    assert painted_shape(_swap, _heldout([254] * 20, own=0), finder) == ()
