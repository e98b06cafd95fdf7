"""A head with an expression, turned and put before the camera: one list of vertices and triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from train.face.render import shade
from train.face.render.camera import Pose, rotation
from train.face.render.head import Head
from train.face.render.mesh import Points, Triangles, unit_sphere
from train.face.render.paint import smoothstep
from train.face.render.raster import vertex_normals
from train.face.units import UnitValues

PIVOT: Final = np.array((0.0, 7.25, 0.55), np.float32)
_NECK_LOW_Y: Final = 5.9
_NECK_HIGH_Y: Final = 6.55
_EYE_SIZE: Final = 1.05
"""Eyeballs are drawn this much larger than the mesh's, to leave no slit beside the lids."""

MOUTH: Final = 1
EYES: Final = 2
FACE: Final = 4
"""Bits of the region masks."""


@dataclass(frozen=True)
class Gaze:
    """Where the eyes look from the head, radians: yaw to the person's left, pitch up."""

    yaw: float
    pitch: float


@dataclass(frozen=True, eq=False)
class Scene:
    """Geometry of one picture. Two scenes of one head have the same vertices in the same order."""

    positions: Points
    """(V, 3)"""
    normals: Points
    """(V, 3)"""
    local: Points
    """(V, 3); see `train.face.render.mesh.Mesh`."""
    triangles: Triangles
    """(T, 3), all that is opaque; the first belong to the body."""
    materials: NDArray[np.int8]
    """(T,)"""
    regions: NDArray[np.uint8]
    """(T,) bits `MOUTH`, `EYES`, `FACE`."""
    lashes: Triangles
    lenses: Triangles
    turn: Points
    """(3, 3)"""


def make_scene(head: Head, values: UnitValues, gaze: Gaze, pose: Pose) -> Scene:
    """``head`` with the expression ``values`` (U,), eyes turned by ``gaze``, in ``pose``."""
    body = head.expressed(values, gaze.pitch)
    eyes = [_eye(head, number, gaze) for number in range(2)]
    positions = np.concatenate([body, *eyes, head.hair.positions, head.frame.positions, head.lenses.positions])
    sphere = unit_sphere()
    local = np.concatenate(
        [head.arch, sphere.local, sphere.local, head.hair.local, head.frame.local, head.lenses.local]
    )
    triangles, materials, lenses = _triangles(head, len(body))
    turn = pose.matrix()
    solid = triangles[materials != shade.EYE]
    normals = vertex_normals(positions, solid)
    for number, eye in enumerate(eyes):
        start = len(body) + number * len(sphere.positions)
        normals[start : start + len(eye)] = (eye - head.eyes[number].centre) / head.eyes[number].radius
    weight = _follows_head(head, positions)
    return Scene(
        positions=(positions + weight * ((positions - PIVOT) @ turn.T + PIVOT - positions)).astype(np.float32),
        normals=(normals + weight * (normals @ turn.T - normals)).astype(np.float32),
        local=local.astype(np.float32),
        triangles=triangles,
        materials=materials,
        regions=_regions(head, triangles, materials),
        lashes=head.model.triangles["lashes"],
        lenses=lenses,
        turn=turn,
    )


def _eye(head: Head, number: int, gaze: Gaze) -> Points:
    ball = head.eyes[number]
    turned = unit_sphere().positions @ rotation(gaze.yaw, -gaze.pitch, 0.0).T
    return (turned * (ball.radius * _EYE_SIZE) + ball.centre).astype(np.float32)


def _triangles(head: Head, body_vertices: int) -> tuple[Triangles, NDArray[np.int8], Triangles]:
    """Opaque triangles, their materials, and those of the lenses, all over the vertices of the whole scene."""
    mesh, sphere = head.model.triangles, unit_sphere()
    eye_start = body_vertices
    hair_start = eye_start + 2 * len(sphere.positions)
    frame_start = hair_start + len(head.hair.positions)
    lens_start = frame_start + len(head.frame.positions)
    parts = [
        (mesh["body"], shade.BODY),
        (mesh["upper_teeth"], shade.TEETH),
        (mesh["lower_teeth"], shade.TEETH),
        (mesh["tongue"], shade.TONGUE),
        (sphere.triangles + eye_start, shade.EYE),
        (sphere.triangles + eye_start + len(sphere.positions), shade.EYE),
        (head.hair.triangles + hair_start, shade.HAIR),
        (head.frame.triangles + frame_start, shade.FRAME),
    ]
    triangles = np.ascontiguousarray(np.concatenate([part for part, _ in parts]), np.int32)
    materials = np.concatenate([np.full(len(part), material, np.int8) for part, material in parts])
    return triangles, materials, (head.lenses.triangles + lens_start).astype(np.int32)


def _follows_head(head: Head, positions: Points) -> Points:
    """How far each vertex turns with the head, (V, 1): the shoulders stay."""
    height = positions[:, 1].copy()
    height[: len(head.model.positions)] = head.model.positions[:, 1]
    return smoothstep(_NECK_LOW_Y, _NECK_HIGH_Y, height)[:, None].astype(np.float32)


def _regions(head: Head, triangles: Triangles, materials: NDArray[np.int8]) -> NDArray[np.uint8]:
    bits = np.zeros(len(triangles), np.uint8)
    masks = head.model.masks
    body = triangles[materials == shade.BODY]
    lips = np.maximum(masks["lips"], masks["inside-mouth"])[body].max(axis=1)
    lids = masks["eyelids"][body].max(axis=1)
    bits[: len(body)] |= np.where(lips > 0.4, MOUTH, 0).astype(np.uint8)
    bits[: len(body)] |= np.where(lids > 0.3, EYES, 0).astype(np.uint8)
    bits[: len(body)] |= np.where(masks["face"][body].mean(axis=1) > 0.5, FACE, 0).astype(np.uint8)
    bits[(materials == shade.TEETH) | (materials == shade.TONGUE)] = MOUTH | FACE
    bits[materials == shade.EYE] = EYES | FACE
    bits[bits & (MOUTH | EYES) > 0] |= FACE
    return bits
