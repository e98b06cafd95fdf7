"""Eyebrows, beards and the dark line of the lashes, painted on the skin at rest."""

from __future__ import annotations

from typing import Final

import numpy as np

from train.face.heads.lids import margins
from train.face.heads.model import HeadModel
from train.face.heads.people import Person
from train.face.render.atlas import Atlas
from train.face.render.noise import noise
from train.face.render.paint import Points, smoothstep

_FORWARD_Z: Final = 0.9
_BROW_INNER_X: Final = 0.125
_BROW_LENGTH: Final = 0.45


def brow_cover(atlas: Atlas, person: Person) -> Points:
    """How far brow hair covers the skin, (n,) 0..1.

    The inner end is as high as the outer one or higher, since a low inner end reads as anger on a face at rest.
    """
    rest, brows = atlas.rest, person.brows
    along = (np.abs(rest[:, 0]) - _BROW_INNER_X) / _BROW_LENGTH
    inside = np.clip(along, 0.0, 1.0)
    line = 7.478 + 0.022 * brows.height + 0.014 * (1.0 - inside)
    line = line + 0.045 * brows.arch * np.sin(np.clip(inside * 1.35, 0.0, 1.35) * 1.75) + 0.014 * brows.slope * inside
    line = line - 0.03 * smoothstep(0.7, 1.0, inside)
    half = (
        0.046
        * brows.thickness
        * (1.0 - 0.7 * smoothstep(0.45, 1.05, along))
        * (0.6 + 0.4 * smoothstep(-0.1, 0.2, along))
    )
    across = np.abs(rest[:, 1] - line) / np.maximum(half, 1e-3)
    # hairs lean outwards: noise that is long along the slant
    moved = rest + np.array(person.texture_offset, np.float32)
    slanted = np.stack(
        [np.abs(moved[:, 0]) + 0.6 * moved[:, 1], moved[:, 1] - 0.6 * np.abs(moved[:, 0]), moved[:, 2]], axis=1
    )
    hairs = 0.6 * noise(slanted, (42.0, 10.0, 10.0)) + 0.4 * noise(slanted, (75.0, 22.0, 22.0))
    body = (1.0 - smoothstep(0.3, 1.25, across + 0.5 * (hairs - 0.5))) * (rest[:, 2] > _FORWARD_Z)
    ends = smoothstep(-0.1, 0.06, along) * smoothstep(1.06, 0.88, along)
    return np.clip(body * ends * brows.density * (0.25 + 1.3 * hairs), 0.0, 0.95)


def beard_cover(atlas: Atlas, person: Person) -> Points:
    """How far a beard covers the skin, (n,) 0..1."""
    rest, beard = atlas.rest, person.beard
    if beard.kind == "none":
        return np.zeros(len(rest), np.float32)
    moved = rest + np.array(person.texture_offset, np.float32)
    where = beard_region(rest, person)
    where = (
        where
        * (1.0 - np.clip(1.4 * atlas.masks["lips"], 0.0, 1.0))
        * (1.0 - np.clip(2.0 * atlas.masks["inside-mouth"], 0, 1))
    )
    hairs = 0.6 * noise(moved, (60.0, 30.0, 60.0)) + 0.4 * noise(moved, 10.0)
    cover = where * beard.density * (0.4 + 1.0 * hairs)
    return np.clip(cover, 0.0, 0.6 if beard.kind == "stubble" else 0.94)


def beard_region(rest: Points, person: Person) -> Points:
    """Where the beard of this kind grows, (n,) 0..1, for places on the mesh at rest."""
    kind = person.beard.kind
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    wobble = 0.06 * (noise(rest + np.array(person.texture_offset, np.float32), 9.0) - 0.5)
    moustache = np.exp(-(((y - 6.725 + 0.12 * np.clip(x - 0.12, 0, 1)) / 0.055) ** 2)) * smoothstep(
        0.34, 0.26, x + wobble
    )
    moustache = moustache * (z > _FORWARD_Z)
    if kind == "moustache":
        return moustache
    chin = (
        smoothstep(6.72, 6.5, y + wobble) * smoothstep(6.08, 6.25, y) * smoothstep(0.34, 0.22, x + wobble) * (z > 0.8)
    )
    if kind == "goatee":
        return np.maximum(moustache, chin)
    edge = 6.62 + 0.22 * person.beard.cheek + 0.42 * np.clip(x - 0.35, 0.0, 1.0)
    jaw = smoothstep(0.0, 0.2, edge + wobble - y) * smoothstep(6.02, 6.25, y - 0.25 * np.clip(0.9 - z, 0.0, 1.0))
    jaw = jaw * smoothstep(0.15, 0.45, z) * smoothstep(0.09, 0.2, np.hypot(x / 1.6, y - 6.6))
    return np.maximum(np.maximum(jaw, moustache), chin)


def lash_line(atlas: Atlas, model: HeadModel, person: Person) -> Points:
    """The dark line where lashes grow, (n,) 0..1, stronger above the eye."""
    from scipy.spatial import cKDTree

    out = np.zeros(len(atlas.rest), np.float32)
    near = np.flatnonzero((atlas.rest[:, 2] > 1.2) & (np.abs(atlas.rest[:, 1] - 7.28) < 0.15))
    for side in ("left", "right"):
        lids = margins(model, side)
        for row, width, strength in ((lids.upper, 0.022, 0.85 + 0.15 * person.skin.makeup), (lids.lower, 0.010, 0.35)):
            distance, _ = cKDTree(model.positions[row]).query(atlas.rest[near])
            line = np.exp(-((distance / width) ** 2)) * strength * (0.7 + 0.3 * person.eyes.lashes)
            out[near] = np.maximum(out[near], line.astype(np.float32))
    return out
