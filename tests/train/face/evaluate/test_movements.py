"""Movements, jitter and the reference on meshes whose answers are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge_runtime.face.landmarks import Face
from tests.train.face.evaluate.judges_for_tests import EYES_PX, upright_face
from train.face.evaluate.movements import MOVEMENTS, Look, fit_reference, jitter_iod, moved_iod


def _moved(face: Face, points: tuple[int, ...], shift: tuple[float, float]) -> Face:
    mesh = face.points.copy()
    mesh[list(points), :2] += np.asarray(shift, np.float32)
    return dataclasses.replace(face, points=mesh)


def _movement(name: str) -> object:
    return next(movement for movement in MOVEMENTS if movement.name == name)


@pytest.mark.parametrize(
    ("name", "points", "shift", "expected"),
    [
        ("frown", (61, 291), (0.0, 6.0), 0.1),
        ("frown", (61, 291), (0.0, -6.0), -0.1),
        ("brow_raise", (63, 105, 66, 296, 334, 293), (0.0, -3.0), 0.05),
        ("jaw_open", (14, 17, 152), (0.0, 12.0), 0.2),
        ("smile", (61,), (-3.6, -4.8), 0.05),  # one corner of two
        ("smile", (291,), (3.6, -4.8), 0.05),
    ],
)
def test_a_known_shift_gives_its_displacement(
    name: str, points: tuple[int, ...], shift: tuple[float, float], expected: float
) -> None:
    """In inter-ocular distances, with the sign of the right way."""
    face = upright_face()
    after = _moved(face, points, shift)
    assert moved_iod(Look(face, 0.0), Look(after, 0.0), _movement(name)) == pytest.approx(expected, abs=2e-3)  # type: ignore[arg-type]


def test_a_face_that_moves_as_a_whole_moves_nothing() -> None:
    """The camera is no expression."""
    face = upright_face()
    after = dataclasses.replace(face, points=face.points + np.array([9.0, -5.0, 0.0], np.float32))
    for movement in MOVEMENTS:
        assert moved_iod(Look(face, 0.1), Look(after, 0.1), movement) == pytest.approx(0.0, abs=1e-5)


def test_lids_are_measured_by_the_judge_of_eyes() -> None:
    """Which the mesh is not."""
    face = upright_face()
    assert moved_iod(Look(face, 0.12), Look(face, 0.02), _movement("blink")) == pytest.approx(0.10)  # type: ignore[arg-type]


def test_the_reference_takes_mixed_edits_apart() -> None:
    """Smile and frown together tell what each does alone."""
    rng = np.random.default_rng(0)
    deltas = rng.uniform(-1.0, 1.0, (200, 3))
    reference = fit_reference(deltas.tolist(), {"smile": (deltas @ [0.12, -0.05, 0.0]).tolist()})
    assert reference is not None
    assert reference.expected_iod("smile", np.array([1.0, 0.0, 0.0], np.float32)) == pytest.approx(0.12, abs=2e-3)
    assert reference.expected_iod("smile", np.array([0.5, 1.0, 0.0], np.float32)) == pytest.approx(0.01, abs=2e-3)


def test_too_few_pairs_are_no_reference() -> None:
    """Twenty units cannot be told apart by a handful."""
    assert fit_reference([[1.0, 0.0]] * 39, {"smile": [0.1] * 39}) is None


def test_a_steady_head_that_moves_and_turns_does_not_tremble() -> None:
    """Similarity motion is taken off, whatever its path."""
    face = upright_face()
    angles, scales = np.array([0.0, 0.1, 0.05, 0.2]), np.array([1.0, 1.2, 0.9, 1.1])
    meshes = []
    for angle, scale in zip(angles, scales, strict=True):
        turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        meshes.append((face.points[:, :2] @ turn + 40.0 * scale).astype(np.float32))
    assert jitter_iod(meshes) == pytest.approx(0.0, abs=1e-4)


def test_jitter_is_the_second_difference() -> None:
    """Points that go to and fro by d, each its own way, have 4 d of it."""
    face = upright_face()
    angle = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, len(face.points))
    ways = 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    meshes = [(face.points[:, :2] + sign * ways).astype(np.float32) for sign in (1.0, -1.0, 1.0, -1.0)]
    assert jitter_iod(meshes) == pytest.approx(4.0 * 0.5 / EYES_PX, rel=0.02)
