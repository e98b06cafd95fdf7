"""Skin: its colour, how it shines, and its small relief, painted texel by texel on the mesh at rest."""

from __future__ import annotations

from typing import Final

import numpy as np

from train.face.heads.people import Person
from train.face.render.atlas import Atlas
from train.face.render.noise import noise
from train.face.render.paint import Points, blob, darken, mix, smoothstep

SKIN_RAMP: Final = np.array(
    [
        *((0.93, 0.70, 0.60), (0.85, 0.58, 0.45), (0.73, 0.43, 0.29), (0.57, 0.29, 0.163)),
        *((0.35, 0.150, 0.076), (0.181, 0.087, 0.036), (0.080, 0.032, 0.0185), (0.040, 0.0176, 0.0123)),
    ],
    np.float32,
)
"""Linear light from the lightest skin to the darkest."""

_MOUTH_INSIDE: Final = (0.20, 0.045, 0.04)
_FORWARD_Z: Final = 0.9


def paint_skin(atlas: Atlas, person: Person) -> Points:
    """Colour of the bare skin, (n, 3) linear."""
    rest, skin = atlas.rest, person.skin
    moved = rest + np.array(person.texture_offset, np.float32)
    base = base_colour(person)
    coarse, middle, fine = noise(moved, 1.7), noise(moved, 6.0), noise(moved, 24.0)
    mottle = 1.0 + 0.12 * (coarse - 0.5) + 0.10 * (middle - 0.5) + 0.08 * (fine - 0.5)
    colour = base * mottle[:, None]
    colour = _redden(colour, atlas, person)
    colour = _spot(colour, rest, moved, person)
    colour = _age(colour, rest, moved, person)
    lids = atlas.masks["eyelids"]
    colour = darken(colour, lids * (0.14 + 0.5 * skin.makeup), (0.45, 0.55, 0.5))
    lips = np.clip(atlas.masks["lips"], 0.0, 1.0)
    colour = mix(colour, _lip_colour(base, moved, person), lips)
    inside = smoothstep(0.15, 0.7, atlas.masks["inside-mouth"]) * (1.0 - 0.8 * lips)
    return mix(colour, _MOUTH_INSIDE, inside)


def base_colour(person: Person) -> Points:
    """(3,): colour of the skin before everything that varies over the face."""
    places = np.linspace(0.0, 1.0, len(SKIN_RAMP))
    base = np.array([np.interp(person.skin.melanin, places, SKIN_RAMP[:, k]) for k in range(3)])
    grey = base @ np.array((0.30, 0.59, 0.11))
    base = grey + (base - grey) * (0.88 + 0.05 * person.skin.warmth)
    return (base * (1.0 + person.skin.warmth * np.array((0.005, 0.0, -0.035)))).astype(np.float32)


def relief(atlas: Atlas, person: Person) -> Points:
    """What the small relief (pores, wrinkles) adds to the normals, (n, 3), by differences of its height."""
    moved = atlas.rest + np.array(person.texture_offset, np.float32)
    step = 0.012
    here = _height(atlas.rest, moved, person)
    out = np.empty_like(atlas.rest)
    for axis in range(3):
        aside = np.zeros(3, np.float32)
        aside[axis] = step
        out[:, axis] = (here - _height(atlas.rest + aside, moved + aside, person)) / step
    inside = smoothstep(0.2, 0.6, atlas.masks["inside-mouth"])
    return out * (1.0 - inside)[:, None]


def shine(atlas: Atlas, person: Person) -> Points:
    """Factor on the highlights, (n,): more on nose, forehead and lips."""
    rest = atlas.rest
    moved = rest + np.array(person.texture_offset, np.float32)
    oily = np.clip(blob(rest, (0.0, 7.0, 1.7), 0.2) + blob(rest, (0.0, 7.9, 1.4), 0.3), 0.0, 1.0)
    base = (0.3 + 0.7 * person.skin.oiliness) * (0.5 + 0.9 * noise(moved, 7.0)) * (1.0 + 0.7 * oily)
    return base + 1.1 * np.clip(atlas.masks["lips"], 0.0, 1.0) + 1.5 * atlas.masks["inside-mouth"]


def _redden(colour: Points, atlas: Atlas, person: Person) -> Points:
    rest = atlas.rest
    where = 0.75 * blob(rest, (0.48, 6.95, 1.25), 0.2) + 0.8 * blob(rest, (0.0, 6.98, 1.72), 0.13)
    where += 0.5 * atlas.masks["ears"] + 0.35 * blob(rest, (0.12, 6.9, 1.6), 0.1)
    where += 0.25 * blob(rest, (0.0, 6.25, 1.4), 0.2)
    return darken(colour, np.clip(where * 0.75 * person.skin.redness, 0.0, 0.5), (0.05, 0.55, 0.5))


def _spot(colour: Points, rest: Points, moved: Points, person: Person) -> Points:
    """Freckles, blemishes and moles."""
    skin = person.skin
    if skin.freckles > 0.0:
        where = np.clip(blob(rest, (0.35, 7.0, 1.35), 0.32) + blob(rest, (0.0, 7.1, 1.6), 0.25), 0.0, 1.0)
        spots = smoothstep(0.62, 0.85, 0.6 * noise(moved, 30.0) + 0.4 * noise(moved, 47.0)) * where
        colour = darken(colour, np.clip(spots * skin.freckles, 0.0, 0.5), (0.35, 0.55, 0.65))
    if skin.blemishes > 0.0:
        red = smoothstep(0.80, 0.90, noise(moved, 11.0)) * smoothstep(0.45, 0.7, noise(moved, 2.3))
        colour = darken(colour, red * 0.5 * skin.blemishes, (0.12, 0.6, 0.55))
        moles = smoothstep(0.93, 0.97, noise(moved + 7.7, 19.0)) * smoothstep(0.6, 0.7, noise(moved + 3.1, 3.0))
        colour = darken(colour, moles * 0.8, (0.6, 0.75, 0.8))
    return colour


def _age(colour: Points, rest: Points, moved: Points, person: Person) -> Points:
    """Shadows under the eyes, age spots, and the dark of the folds."""
    under = blob(rest, (0.30, 7.12, 1.38), 0.09) * (0.12 + 0.3 * person.age)
    colour = darken(colour, under, (0.5, 0.6, 0.45))
    if person.age > 0.4:
        spots = smoothstep(0.74, 0.84, noise(moved, 7.5)) * (person.age - 0.4) * 0.6
        colour = darken(colour, np.clip(spots, 0.0, 0.3), (0.3, 0.4, 0.45))
    folds = np.clip(-_wrinkle_height(rest, moved, person), 0.0, None)
    return darken(colour, np.clip(folds * 22.0, 0.0, 0.35), (0.7, 0.85, 0.9))


def _lip_colour(base: Points, moved: Points, person: Person) -> Points:
    skin = person.skin
    natural = base * np.array(skin.lip_tone, np.float32)
    painted = np.clip((skin.makeup - 0.25) * 1.1, 0.0, 0.8)
    colour = natural * (1.0 - painted) + np.array(skin.lipstick, np.float32) * painted
    return colour * (1.0 + 0.3 * (noise(moved, (34.0, 7.0, 34.0)) - 0.5))[:, None]


def _height(rest: Points, moved: Points, person: Person) -> Points:
    """Small relief of the skin, decimetres."""
    pores = 0.0012 * noise(moved, 24.0) + 0.0006 * noise(moved, 55.0)
    return pores * (1.0 + 0.8 * person.age) + _wrinkle_height(rest, moved, person)


def _wrinkle_height(rest: Points, moved: Points, person: Person) -> Points:
    """Lines of the forehead, crow's feet and the folds beside nose and mouth: negative in the line."""
    amount = person.skin.wrinkles
    if amount <= 0.02:
        return np.zeros(len(rest), np.float32)
    x, y = np.abs(rest[:, 0]), rest[:, 1]
    forward = rest[:, 2] > _FORWARD_Z
    warp = noise(moved, (1.6, 1.2, 1.2)) - 0.5
    forehead = smoothstep(7.52, 7.66, y) * smoothstep(8.0, 7.85, y) * smoothstep(0.55, 0.3, x)
    lines = -np.exp(-((np.mod(y * 7.5 + 1.1 * warp, 1.0) - 0.5) ** 2) / 0.012) * forehead
    angle, away = np.arctan2(y - 7.28, x - 0.40), np.hypot(y - 7.28, x - 0.40)
    feet = smoothstep(0.08, 0.14, away) * smoothstep(0.30, 0.18, away) * (np.abs(angle) < 0.9)
    lines -= 0.7 * np.exp(-((np.mod(angle * 2.2 + 0.6 * warp, 1.0) - 0.5) ** 2) / 0.02) * feet
    # from the wing of the nose to beside the corner of the mouth
    along = np.clip((6.98 - y) / 0.36, 0.0, 1.0)
    fold = np.exp(-(((x - (0.17 + 0.20 * along)) / 0.022) ** 2)) * smoothstep(7.0, 6.93, y) * smoothstep(6.52, 6.66, y)
    return (0.0042 * amount * (lines - 1.3 * fold) * forward).astype(np.float32)
