"""Hair that grows on the scalp: where it is, how thick, and its colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from train.face.heads.people import Person
from train.face.render.atlas import Atlas
from train.face.render.noise import noise
from train.face.render.paint import Points, smoothstep

CENTRE: Final = np.array((0.0, 7.35, 0.45), np.float32)
"""Middle of the skull; hair is laid out in angles around it."""

THICKNESS: Final[Mapping[str, float]] = {
    "bald": 0.0,
    "buzz": 0.02,
    "short": 0.10,
    "medium": 0.18,
    "curly": 0.22,
    "tied": 0.05,
    "bob": 0.12,
    "long": 0.11,
}
"""Of the hair of each style, decimetres."""

_AZIMUTH: Final = (0.0, 0.35, 0.62, 0.85, 1.05, 1.25, 1.45, 1.75, 2.2, 3.15)
_LOWEST: Final = (0.66, 0.68, 0.66, 0.46, 0.34, 0.02, 0.08, 0.12, -0.45, -0.62)
_RECEDING: Final = (0.22, 0.22, 0.25, 0.30, 0.10, 0.0, 0.0, 0.0, 0.0, 0.0)
_HAIRLINE: Final = (1.0, 1.0, 1.0, 0.8, 0.5, 0.0, 0.0, 0.0, 0.2, 0.2)


@dataclass(frozen=True)
class ScalpPlace:
    """Where points are in the angles of the skull, each (n,)."""

    inside: Points
    """Radians above the hairline; negative below."""
    azimuth: Points
    """0 in front to pi behind."""
    elevation: Points


def locate(rest: Points, person: Person) -> ScalpPlace:
    """Where ``rest`` (n, 3) lies with respect to this person's hairline."""
    offset = rest - CENTRE
    azimuth = np.abs(np.arctan2(offset[:, 0], offset[:, 2]))
    elevation = np.arcsin(np.clip(offset[:, 1] / (np.linalg.norm(offset, axis=1) + 1e-6), -1.0, 1.0))
    hair = person.hair
    lowest = np.array(_LOWEST) + hair.recede * np.array(_RECEDING) - 0.05 * hair.hairline * np.array(_HAIRLINE)
    return ScalpPlace(elevation - np.interp(azimuth, _AZIMUTH, lowest), azimuth, elevation)


def scalp_cover(atlas: Atlas, person: Person) -> Points:
    """How far hair covers the skin of the head, (n,) 0..1."""
    rest = atlas.rest
    moved = rest + np.array(person.texture_offset, np.float32)
    edge = 0.08 * noise(moved, 9.0) + 0.12 * noise(moved, (34.0, 12.0, 34.0)) - 0.10
    soft = 0.24 if person.hair.style in ("buzz", "tied") else 0.18
    cover = smoothstep(-0.02, soft, locate(rest, person).inside + edge) * (atlas.masks["ears"] < 0.3)
    cover = cover * smoothstep(6.45, 6.6, rest[:, 1] + 0.2 * (rest[:, 2] < -0.1))
    return cover * {"bald": 0.10, "buzz": 0.78}.get(person.hair.style, 1.0)


def strands(rest: Points, person: Person) -> Points:
    """Brightness of single strands, (n,) about 0..1, running from the parting down."""
    offset = rest - CENTRE
    moved = rest + np.array(person.texture_offset, np.float32)
    around = np.arctan2(offset[:, 0], offset[:, 1] + 0.6) * 14.0
    if person.hair.style == "curly":
        return (0.5 * noise(moved, 13.0) + 0.5 * noise(moved, 28.0)).astype(np.float32)
    drift = 1.5 * noise(moved, 1.7)
    grid = np.stack([around + person.texture_offset[0], rest[:, 2] * 1.2 + drift, rest[:, 1] * 0.6], axis=1)
    return 0.5 * noise(grid, 1.0) + 0.3 * noise(grid, (3.1, 1.0, 1.0)) + 0.2 * noise(grid, (7.0, 2.0, 1.0))


def hair_volume(rest: Points, normals: Points, ears: Points, person: Person) -> Points:
    """How the hair lifts the surface of the head: (V, 3) along ``normals``."""
    thickness = THICKNESS[person.hair.style]
    if not thickness:
        return np.zeros_like(rest)
    place = locate(rest, person)
    moved = rest + np.array(person.texture_offset, np.float32)
    lift = smoothstep(-0.02, 0.45, place.inside) * smoothstep(0.35, 0.05, ears) * (rest[:, 1] > 6.2)
    uneven = 0.65 + 0.7 * noise(moved, 6.0 if person.hair.style == "curly" else 2.2)
    amount = thickness * lift * uneven * (1.0 + 0.6 * smoothstep(0.5, 1.4, place.elevation))
    return (normals * amount[:, None]).astype(np.float32)
