"""One person's head, made ready: shape, lids that close, texture, hair, glasses. Expressions are added to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.face.heads.lids import SIDES, Eyeball, blink_shape, eyeball, lid_skin, slide
from train.face.heads.model import HeadModel, Points
from train.face.heads.people import Person
from train.face.render.atlas import make_atlas
from train.face.render.glasses import glasses_meshes
from train.face.render.hair_mesh import hair_mesh
from train.face.render.mesh import Mesh, empty_mesh
from train.face.render.raster import vertex_normals
from train.face.render.scalp import hair_volume, locate
from train.face.render.teeth import arch_places
from train.face.render.texture import bake
from train.face.units import UNIT_INDEX, UnitValues, shape_weights

_HEAD_BOTTOM_Y = 6.6
_SIZE_KEPT = 0.15
"""Share of a head's own size that is left: the camera frames faces alike, and hair is laid out around one size."""


@dataclass(frozen=True, eq=False)
class Head:
    """A person's head at rest, and what moves it."""

    model: HeadModel
    person: Person
    neutral: Points
    """(V, 3) without hair."""
    volume: Points
    """(V, 3): what hair and beard add, and where this person's tongue lies."""
    blinks: tuple[Points, Points]
    """(V, 3) each, left and right, at value 1."""
    lids: tuple[NDArray[np.int32], NDArray[np.int32]]
    eyes: tuple[Eyeball, Eyeball]
    texture: Points
    """(N, N, 8); see `train.face.render.texture`."""
    arch: Points
    """(V, 3); see `train.face.render.teeth.arch_places`."""
    hair: Mesh
    frame: Mesh
    lenses: Mesh

    def expressed(self, values: UnitValues, gaze_pitch: float = 0.0) -> Points:
        """Vertices (V, 3) with the expression ``values`` (U,), eyes looking up by ``gaze_pitch`` radians."""
        weights = {f"arkit/{shape}": weight for shape, weight in shape_weights(values).items()}
        for side in SIDES:
            weights.pop(f"arkit/eyeBlink{side.capitalize()}", None)
            look = "Up" if gaze_pitch > 0 else "Down"
            weights[f"arkit/eyeLook{look}{side.capitalize()}"] = min(abs(gaze_pitch) / 0.4, 0.6)
        out = self.model.moved(self.neutral, weights)
        for side, blink, skin, ball in zip(SIDES, self.blinks, self.lids, self.eyes, strict=True):
            out += values[UNIT_INDEX[f"blink_{side}"]] * blink
            slide(out, skin, ball)
        return out + self.volume


def build_head(model: HeadModel, person: Person, like: Head | None = None) -> Head:
    """Make ``person``'s head: about half a second of work. Its eyes are put where those of ``like`` are."""
    neutral = _at_common_size(model, model.moved(model.positions, person.weights))
    if like is not None:
        neutral = _eye_to_eye(model, neutral, like)
    normals = vertex_normals(neutral, model.triangles["body"])
    ears = model.masks["ears"]
    volume = hair_volume(model.positions, normals, ears, person)
    volume += _beard_volume(model, normals, person)
    arch = arch_places(model)
    volume += _teeth_volume(arch, person)
    volume[model.vertices_of("tongue")] += person.teeth.tongue_low * np.array((0.0, -0.8, -0.6), np.float32)
    left, right = SIDES
    eyes = (eyeball(model, neutral, left), eyeball(model, neutral, right))
    body = model.vertices_of("body")
    scalp = body[
        (locate(model.positions[body], person).inside > -0.9) & (ears[body] < 0.25) & (model.positions[body, 1] > 6.9)
    ]
    ear_points = neutral[body[ears[body] > 0.5]]
    glasses = person.glasses
    frame, lenses = glasses_meshes(glasses, eyes, ear_points) if glasses else (empty_mesh(), empty_mesh())
    return Head(
        model=model,
        person=person,
        neutral=neutral,
        volume=volume,
        blinks=(blink_shape(model, neutral, left), blink_shape(model, neutral, right)),
        lids=(lid_skin(model, neutral, left), lid_skin(model, neutral, right)),
        eyes=eyes,
        texture=bake(make_atlas(model), model, person),
        arch=arch,
        hair=hair_mesh((neutral + volume)[scalp], person),
        frame=frame,
        lenses=lenses,
    )


def _at_common_size(model: HeadModel, positions: Points) -> Points:
    """``positions`` (V, 3) moved and scaled onto the mesh at rest, all but `_SIZE_KEPT` of its own size."""
    above = model.positions[:, 1] > _HEAD_BOTTOM_Y
    own, common = positions[above], model.positions[above]
    own_middle, common_middle = own.mean(axis=0), common.mean(axis=0)
    ratio = np.sqrt(((common - common_middle) ** 2).sum() / ((own - own_middle) ** 2).sum())
    return ((positions - own_middle) * ratio ** (1.0 - _SIZE_KEPT) + common_middle).astype(np.float32)


def _eye_to_eye(model: HeadModel, positions: Points, like: Head) -> Points:
    """``positions`` (V, 3) moved and scaled so that the eyes are where those of ``like`` are, and as far apart.

    A cheek that fills then is no face that shrinks: photos are aligned by the eyes too.
    """
    left, right = (eyeball(model, positions, side).centre for side in SIDES)
    like_left, like_right = (ball.centre for ball in like.eyes)
    ratio = np.linalg.norm(like_left - like_right) / np.linalg.norm(left - right)
    return ((positions - (left + right) / 2.0) * ratio + (like_left + like_right) / 2.0).astype(np.float32)


def _teeth_volume(arch: Points, person: Person) -> Points:
    row = arch[:, 2]
    out = np.zeros_like(arch)
    out[:, 1] = -row * (1.0 - arch[:, 1]) * person.teeth.longer
    out[:, 2] = np.abs(row) * person.teeth.forward
    return out


def _beard_volume(model: HeadModel, normals: Points, person: Person) -> Points:
    from train.face.render.facial_hair import beard_region

    thickness = {"full": 0.05, "goatee": 0.04, "moustache": 0.025}.get(person.beard.kind, 0.0)
    if not thickness:
        return np.zeros_like(normals)
    skin = 1.0 - np.clip(2.0 * (model.masks["lips"] + model.masks["inside-mouth"]), 0.0, 1.0)
    amount = thickness * person.beard.density * beard_region(model.positions, person) * skin
    return (normals * amount[:, None]).astype(np.float32)
