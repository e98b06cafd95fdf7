"""From a scene to a picture, and from two pictures of one head to the exact flow between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from train.face.heads.people import Person
from train.face.render import shade
from train.face.render.atlas import make_atlas
from train.face.render.camera import Camera
from train.face.render.head import Head
from train.face.render.lashes import lash_cover, lash_places
from train.face.render.light import Light, ambient_openness, key_shadow
from train.face.render.mesh import Points
from train.face.render.noise import lattice
from train.face.render.raster import NOTHING, rasterise, trace_back
from train.face.render.scene import EYES, MOUTH, PIVOT, Scene
from train.face.render.teeth import tooth_edges

OVERSAMPLING: Final = 2
"""Samples along each side of a pixel."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One rendered scene, S = `OVERSAMPLING` times the size of the final picture."""

    light: Points
    """(S, S, 3) linear light; 0 where nothing is."""
    hit: NDArray[np.int32]
    """(S, S) triangle of the scene, or `NOTHING`."""
    weights: Points
    """(S, S, 3)"""
    depth: Points
    """(S, S) 1 / depth."""
    points: Points
    """(V, 3) vertices on the screen of S pixels."""
    scene: Scene


@dataclass(frozen=True, eq=False)
class Flow:
    """For each pixel of a picture: where what it shows was in another picture of the same head."""

    backward_px: Points
    """(size, size, 2): (x, y) to add to a pixel's place."""
    known: Points
    """(size, size) 0..1: share of the pixel that shows in the other picture."""
    hidden: Points
    """(size, size) 0..1: share that does not and belongs to the mouth or the eyes: it must be invented."""


def render(scene: Scene, head: Head, camera: Camera, light: Light) -> Picture:
    """The light that reaches ``camera``, whose size is that of the oversampled picture."""
    size = camera.size_px
    points = camera.project(scene.positions)
    depth = np.zeros((size, size), np.float32)
    hit = np.full((size, size), NOTHING, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    rasterise(points, scene.triangles, depth, hit, weights)
    solid = scene.triangles[np.isin(scene.materials, (shade.BODY, shade.HAIR, shade.FRAME))]
    openness = ambient_openness(scene.positions, scene.normals, solid, PIVOT)
    lights = shade.lights_of(light, key_shadow(light, scene.positions, solid, PIVOT), np.array(camera.centre))
    out = np.zeros((size, size, 3), np.float32)
    shade.shade(
        hit, weights, scene.triangles, scene.materials, points, scene.positions, scene.normals, scene.local, openness,
        make_atlas(head.model).corner_texels, head.texture, lattice(), scene.turn, lights, paints_of(head.person), out,
    )  # fmt: skip
    _draw_lashes(out, scene, head, points, depth)
    _draw_lenses(out, scene, head, points, depth, light)
    return Picture(out, hit, weights, depth, points, scene)


def paints_of(person: Person) -> shade.Paints:
    """The colours of a person's parts that have no texture."""
    arrays = (person.eyes.iris, person.eyes.sclera, person.teeth.colour, person.teeth.tongue, person.hair.colour)
    iris, sclera, teeth, tongue, hair = (np.array(colour, np.float32) for colour in arrays)
    frame = np.array(person.glasses.colour if person.glasses else (0.0, 0.0, 0.0), np.float32)
    return shade.Paints(
        iris, sclera, person.eyes.iris_angle, person.eyes.pupil_angle, teeth, tongue, tooth_edges(person),
        person.teeth.gap, person.teeth.unevenness, person.teeth.gum, hair, frame,
    )  # fmt: skip


def flow_between(picture: Picture, other: Picture) -> Flow:
    """Where each pixel of ``picture`` was in ``other``; both of one head, camera and pose.

    What is behind the head stands still, and is known where the head covers it in neither picture.
    """
    size = len(picture.hit)
    flow = np.zeros((size, size, 2), np.float32)
    seen = np.zeros((size, size), np.float32)
    scene = picture.scene
    trace_back(
        picture.hit, picture.weights, picture.points, scene.triangles, scene.materials,
        other.points, other.depth, other.hit, flow, seen,
    )  # fmt: skip
    nothing = picture.hit == NOTHING
    seen[nothing & (other.hit == NOTHING)] = 1.0
    bits = np.where(nothing, 0, scene.regions[picture.hit])
    hidden = (1.0 - seen) * (bits & (MOUTH | EYES) > 0)
    weight = seen + 1e-3
    backward = _pooled(flow * weight[..., None]) / _pooled(weight)[..., None] / OVERSAMPLING
    return Flow(backward, _pooled(seen), _pooled(hidden.astype(np.float32)))


def regions_of(picture: Picture) -> NDArray[np.uint8]:
    """(size, size) bits of the regions, set where at least half of the pixel belongs to one."""
    bits = np.where(picture.hit == NOTHING, 0, picture.scene.regions[picture.hit])
    out = np.zeros(np.array(bits.shape) // OVERSAMPLING, np.uint8)
    for bit in (1, 2, 4):
        out |= np.where(_pooled((bits & bit > 0).astype(np.float32)) >= 0.5, bit, 0).astype(np.uint8)
    return out


def exposure_for(picture: Picture, melanin: float, brightness: float) -> float:
    """Factor on the light that puts the bright parts of the face near ``brightness`` (0..1), darker for dark skin."""
    faces = (picture.hit != NOTHING) & (picture.scene.regions[picture.hit] > 0)
    level = np.percentile(picture.light[faces].mean(axis=1), 85) if faces.any() else 0.3
    return float(brightness * (1.0 - 0.45 * melanin) / max(float(level), 0.02))


def developed(picture: Picture, background: Points, exposure: float) -> NDArray[np.uint8]:
    """The final picture (size, size, 3) uint8: exposed and put before ``background`` (S, S, 3), display values."""
    light = picture.light * exposure
    light = light * 1.12 / (1.0 + 0.25 * light)
    value = np.clip(light, 0.0, 1.0)
    display = np.where(value <= 0.0031308, 12.92 * value, 1.055 * np.power(value, 1.0 / 2.4, dtype=np.float32) - 0.055)
    whole = np.where((picture.hit == NOTHING)[..., None], background, display)
    return np.rint(np.clip(_pooled(whole), 0.0, 1.0) * 255.0).astype(np.uint8)


def _draw_lashes(out: Points, scene: Scene, head: Head, points: Points, depth: Points) -> None:
    """Darken what lies behind lashes, strand by strand, in place."""
    rows, columns, triangles, weights = _overlay(points, scene.lashes, depth)
    if not len(rows):
        return
    places = np.einsum("nc,ncx->nx", weights, lash_places(head.model)[triangles])
    cover = lash_cover(places, head.person.eyes.lashes)
    out[rows, columns] *= (1.0 - cover)[:, None]


def _draw_lenses(out: Points, scene: Scene, head: Head, points: Points, depth: Points, light: Light) -> None:
    """Add what lenses reflect, in place: a slanted band of the sky."""
    glasses = head.person.glasses
    if glasses is None:
        return
    rows, columns, triangles, weights = _overlay(points, scene.lenses, depth)
    local = np.einsum("nc,ncx->nx", weights, scene.local[triangles])
    band = np.exp(-(((local[:, 0] + local[:, 1] - 0.5) / 0.45) ** 2))
    glare = (0.01 + 0.15 * glasses.glare * band)[:, None] * (light.sky + 0.3 * light.key_colour)
    out[rows, columns] = out[rows, columns] * 0.94 + glare.astype(np.float32)


def _overlay(
    points: Points, triangles: NDArray[np.int32], depth: Points
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32], Points]:
    """Pixels where ``triangles`` lie before everything else: rows, columns, corners (n, 3) and their weights (n, 3)."""
    hit = np.full(depth.shape, NOTHING, np.int32)
    weights = np.zeros((*depth.shape, 3), np.float32)
    rasterise(points, triangles, depth * np.float32(1.0005), hit, weights)
    rows, columns = np.nonzero(hit != NOTHING)
    return rows, columns, triangles[hit[rows, columns]], weights[rows, columns]


def _pooled(values: Points) -> Points:
    """Means of the samples of each pixel: (S, S, ...) to (size, size, ...)."""
    n = OVERSAMPLING
    size = len(values) // n
    return values.reshape(size, n, size, n, *values.shape[2:]).mean(axis=(1, 3), dtype=np.float32)
