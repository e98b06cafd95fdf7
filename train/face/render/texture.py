"""The whole texture of a head: skin, facial hair, scalp hair and clothes laid over each other."""

from __future__ import annotations

import numpy as np

from train.face.heads.model import HeadModel
from train.face.heads.people import Person
from train.face.render.atlas import Atlas
from train.face.render.facial_hair import beard_cover, brow_cover, lash_line
from train.face.render.noise import noise
from train.face.render.paint import Points, mix, smoothstep
from train.face.render.scalp import scalp_cover, strands
from train.face.render.skin import paint_skin, relief, shine

CHANNELS = 8
"""Colour (3, linear), how far it is skin (1), factor on highlights (1), what is added to the normal (3)."""

_HAIR_RELIEF = 0.5


def bake(atlas: Atlas, model: HeadModel, person: Person) -> Points:
    """(N, N, 8) float32."""
    rest = atlas.rest
    moved = rest + np.array(person.texture_offset, np.float32)
    hair = np.array(person.hair.colour, np.float32)
    strand = strands(rest, person)
    colour = paint_skin(atlas, person)
    colour = mix(colour, np.array((0.012, 0.009, 0.008)), lash_line(atlas, model, person))
    beard = beard_cover(atlas, person)
    facial = np.array(person.hair.brow_colour, np.float32)
    colour = mix(colour, facial * (0.6 + 0.6 * noise(moved, 40.0))[:, None], beard)
    brows = brow_cover(atlas, person)
    colour = mix(colour, facial * 0.7 + 0.006, brows)
    scalp = scalp_cover(atlas, person)
    colour = mix(colour, hair * (0.45 + 1.1 * strand)[:, None], scalp)
    cloth = smoothstep(6.02, 5.9, rest[:, 1] + 0.12 * np.abs(rest[:, 0]) - 0.06 * smoothstep(0.2, 0.8, rest[:, 2]))
    weave = np.array(person.cloth, np.float32) * (0.9 + 0.2 * noise(moved, 40.0))[:, None]
    colour = mix(colour, weave, cloth)
    covered = np.clip(scalp + cloth + 0.8 * beard + 0.8 * brows, 0.0, 1.0)
    normal = relief(atlas, person) * (1.0 - covered)[:, None]
    normal[:, 0] += _HAIR_RELIEF * scalp * (strand - 0.5)
    gloss = shine(atlas, person) * (1.0 - covered) + 1.1 * scalp * strand + 0.15 * cloth
    texels = np.concatenate([colour, (1.0 - covered)[:, None], gloss[:, None], normal], axis=1)
    return atlas.picture(texels.astype(np.float32))
