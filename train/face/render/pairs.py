"""Rendered pairs: one head with two expressions or with other features, or two heads with one; all else is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from train.face.heads.model import HeadModel
from train.face.render.background import sample_background
from train.face.render.camera import Camera, sample_pose
from train.face.render.head import Head
from train.face.render.light import sample_light
from train.face.render.mesh import Points
from train.face.render.picture import (
    OVERSAMPLING,
    Flow,
    developed,
    exposure_for,
    flow_between,
    regions_of,
    render,
)
from train.face.render.scene import PIVOT, Gaze, Scene, make_scene
from train.face.sampling import sample_expression, sample_expressions
from train.face.units import UnitValues

EYE_DISTANCE: Final = 0.245
"""Between the eyes, in widths of the picture, on average: a face with room around it for other croppings."""

_EXPRESSION_TOO_P: Final = 0.3
LANDMARKS: Final[Mapping[str, tuple[float, float, float]]] = {
    "left_eye_outer": (0.445, 7.275, 1.36),
    "left_eye_inner": (0.178, 7.268, 1.38),
    "right_eye_inner": (-0.178, 7.268, 1.38),
    "right_eye_outer": (-0.445, 7.275, 1.36),
    "nose_tip": (0.0, 6.985, 1.68),
    "mouth_left": (0.252, 6.61, 1.40),
    "mouth_right": (-0.252, 6.61, 1.40),
    "left_upper_lid": (0.311, 7.332, 1.411),
    "left_lower_lid": (0.311, 7.240, 1.405),
    "right_upper_lid": (-0.311, 7.332, 1.411),
    "right_lower_lid": (-0.311, 7.240, 1.405),
    "left_brow_inner": (0.15, 7.46, 1.5),
    "left_brow_outer": (0.52, 7.46, 1.3),
    "right_brow_inner": (-0.15, 7.46, 1.5),
    "right_brow_outer": (-0.52, 7.46, 1.3),
    "upper_lip": (0.0, 6.62, 1.60),
    "lower_lip": (0.0, 6.60, 1.58),
    "chin": (0.0, 6.22, 1.5),
}
"""Places on the mesh at rest; the nearest vertex of the skin is followed."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two pictures that differ in one thing. B is the wanted result of editing A."""

    image_a: NDArray[np.uint8]
    """(size, size, 3)"""
    image_b: NDArray[np.uint8]
    units_a: UnitValues
    units_b: UnitValues
    landmarks_a: Points
    """(`LANDMARKS`, 2) pixels."""
    landmarks_b: Points
    regions_a: NDArray[np.uint8]
    """(size, size) bits; see `train.face.render.scene`."""
    regions_b: NDArray[np.uint8]
    flow_b: Flow | None
    """Where each pixel of B was in A; None for two people."""
    flow_a: Flow | None
    """Where each pixel of A is in B."""


def expression_pair(head: Head, rng: np.random.Generator, size_px: int) -> Pair:
    """One head, two expressions."""
    return _pair((head, head), sample_expressions(rng), rng, size_px, one_person=True)


def feature_pair(heads: tuple[Head, Head], features: UnitValues, rng: np.random.Generator, size_px: int) -> Pair:
    """A head and the same one with ``features`` (U,), in either order; sometimes the expression changes too."""
    if rng.random() < _EXPRESSION_TOO_P:
        before, after = sample_expressions(rng)
    else:
        before = after = sample_expression(rng)
    ends = [(heads[0], before), (heads[1], after + features)]
    if rng.random() < 0.5:
        ends.reverse()
    (first, values_a), (second, values_b) = ends
    return _pair((first, second), (values_a, values_b), rng, size_px, one_person=True)


def identity_pair(heads: tuple[Head, Head], rng: np.random.Generator, size_px: int) -> Pair:
    """Two heads, one expression, each filling the picture alike."""
    values = sample_expression(rng)
    return _pair(heads, (values, values), rng, size_px, one_person=False)


def landmark_vertices(model: HeadModel) -> NDArray[np.intp]:
    """Vertex of each of `LANDMARKS`."""
    body = model.vertices_of("body")
    distance = np.linalg.norm(model.positions[body][:, None] - np.array([*LANDMARKS.values()])[None], axis=2)
    return body[distance.argmin(axis=0)].astype(np.intp)


def _pair(
    heads: tuple[Head, Head],
    values: tuple[UnitValues, UnitValues],
    rng: np.random.Generator,
    size_px: int,
    *,
    one_person: bool,
) -> Pair:
    pose, light = sample_pose(rng), sample_light(rng)
    gaze = Gaze(*np.clip(rng.normal(0.0, (0.12, 0.06)), -0.35, 0.35).tolist())
    scenes = [make_scene(head, one, gaze, pose) for head, one in zip(heads, values, strict=True)]
    framing = _Framing.sample(rng)
    cameras = [framing.camera(head, scene, size_px * OVERSAMPLING) for head, scene in zip(heads, scenes, strict=True)]
    if one_person:
        cameras[1] = cameras[0]
    pictures = [render(*each, light) for each in zip(scenes, heads, cameras, strict=True)]
    background = sample_background(rng, size_px * OVERSAMPLING)
    exposure = exposure_for(pictures[0], heads[0].person.skin.melanin, float(rng.uniform(0.38, 0.66)))
    images = [developed(picture, background, exposure) for picture in pictures]
    vertices = landmark_vertices(heads[0].model)
    landmarks = [_final(picture.points[vertices, :2]) for picture in pictures]
    return Pair(
        images[0], images[1], values[0], values[1], landmarks[0], landmarks[1],
        regions_of(pictures[0]), regions_of(pictures[1]),
        flow_between(pictures[1], pictures[0]) if one_person else None,
        flow_between(pictures[0], pictures[1]) if one_person else None,
    )  # fmt: skip


def _final(points: Points) -> Points:
    """Places on the oversampled screen as places in the final picture."""
    return ((points - (OVERSAMPLING - 1) / 2.0) / OVERSAMPLING).astype(np.float32)


@dataclass(frozen=True)
class _Framing:
    """Where the camera stands, as far as it does not depend on the head."""

    distance: float
    """From the face, decimetres."""
    zoom: float
    shift: tuple[float, float]
    """Of the face from the middle, in widths of the picture."""

    @classmethod
    def sample(cls, rng: np.random.Generator) -> _Framing:
        shift = np.clip(rng.normal(0.0, 0.015, 2), -0.04, 0.04)
        return cls(float(rng.uniform(5.5, 14.0)), float(rng.uniform(0.92, 1.08)), (float(shift[0]), float(shift[1])))

    def camera(self, head: Head, scene: Scene, size_px: int) -> Camera:
        """The camera that has the face of ``head`` in the middle; one place for all expressions of a head and pose."""
        left, right = (eye.centre for eye in head.eyes)
        apart = float(np.linalg.norm(left - right))
        middle = (left + right) / 2.0 - np.array((0.0, 0.40, 0.0), np.float32)
        at = (middle - PIVOT) @ scene.turn.T + PIVOT
        camera = Camera((float(at[0]), float(at[1]), float(at[2]) + self.distance), 0.0, size_px)
        focal = EYE_DISTANCE * self.zoom * size_px * self.distance / apart
        return replace(camera, focal_px=focal, shift_px=(self.shift[0] * size_px, self.shift[1] * size_px))
