"""People who do not exist: everything about a head but its expression, drawn at random.

Adults only: the young end of the mesh's age is about 25 years, the old end about 90.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from train.face.heads.model import HeadModel

Rgb = tuple[float, float, float]
"""Linear light, 0..1."""

HAIR_STYLES: Final = ("bald", "buzz", "short", "medium", "curly", "tied", "bob", "long")
BEARDS: Final = ("none", "stubble", "moustache", "goatee", "full")

_OPPOSITES: Final = (
    *(("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward")),
    *(("concave", "convex"), ("compress", "uncompress")),
)
_LEFT_ALONE: Final = (
    *("head-trans", "neck-trans", "head-age", "measure-neck", "ear-trans", "head-fat", "nose-trans-in"),
    *("nose-trans-out", "mouth-trans-in", "mouth-trans-out", "head-angle", "eye-push", "asymm-", "mouth-angles"),
)
"""Sliders that move the head away, double another, or shape an expression."""
_HEAD_SHAPES: Final = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")
_SLIDER_SIGMA: Final = 0.21
_SLIDER_MAXIMUM: Final = 0.7
ANCESTRIES: Final = ("african", "asian", "caucasian")
_MELANIN_OF: Final = (0.80, 0.34, 0.17)


@dataclass(frozen=True)
class Skin:
    """What colours the skin."""

    melanin: float
    """0 the lightest to 1 the darkest."""
    warmth: float
    """-2..2: towards blue-red or yellow."""
    redness: float
    """0..1: cheeks, nose, ears."""
    freckles: float
    """0..1."""
    wrinkles: float
    """0..1."""
    oiliness: float
    """0..1: how sharply it shines."""
    blemishes: float
    """0..1."""
    makeup: float
    """0..1: lips and lids."""
    lipstick: Rgb
    lip_tone: Rgb
    """Factors on the natural colour of the lips."""


@dataclass(frozen=True)
class Hair:
    """Hair of the head and the brows."""

    style: str
    """One of `HAIR_STYLES`."""
    colour: Rgb
    brow_colour: Rgb
    """Of brows and beard, which are seldom dyed."""
    hairline: float
    """-2..2: lower or higher."""
    recede: float
    """0..1: at the temples."""
    fringe: float
    """0 none, else 0.3..1: how far down the forehead it comes."""
    length: float
    """0..1, of bob and long hair."""
    wave: float
    """0..1."""


@dataclass(frozen=True)
class Brows:
    """Shape of the eyebrows."""

    height: float
    """-1..1."""
    arch: float
    """0..1."""
    slope: float
    """-1..1: positive has the outer end higher."""
    thickness: float
    """0.5..1.6."""
    density: float
    """0.4..1."""


@dataclass(frozen=True)
class Beard:
    """Hair of the lower face."""

    kind: str
    """One of `BEARDS`."""
    density: float
    """0..1."""
    cheek: float
    """0..1: how far up the cheeks."""


@dataclass(frozen=True)
class Eyes:
    """Irises and what is around them."""

    iris: Rgb
    iris_angle: float
    """Radius of the iris seen from the middle of the eyeball, radians."""
    pupil_angle: float
    sclera: Rgb
    lashes: float
    """0..1."""


@dataclass(frozen=True)
class Teeth:
    """Teeth, gums and tongue."""

    colour: Rgb
    width: float
    """Of an upper incisor, decimetres."""
    gap: float
    """Between the upper middle incisors, decimetres."""
    unevenness: float
    """0..1: of the edges and the colours."""
    gum: float
    """Share of the height that is gum, 0..0.5."""
    forward: float
    """How far both rows lie before where the mesh has them, decimetres."""
    longer: float
    """How far the teeth reach beyond where the mesh ends them, decimetres: from 0.02 on the rows meet."""
    tongue: Rgb
    tongue_low: float
    """How far the tongue lies below and behind where the mesh has it, decimetres."""


@dataclass(frozen=True)
class Glasses:
    """Spectacles."""

    colour: Rgb
    width: float
    """Half width of a lens in units of half the distance between the eyes, 0.6..0.85."""
    height: float
    """Half height likewise."""
    squareness: float
    """Exponent of the superellipse, 2 (round) to 5."""
    thickness: float
    """Radius of the rim, decimetres."""
    glare: float
    """0..1."""


@dataclass(frozen=True)
class Person:
    """A head without an expression."""

    weights: Mapping[str, float]
    """Weight of every target of the mesh that shapes it."""
    ancestry: tuple[float, ...]
    """Shares of `ANCESTRIES`, which sum to one."""
    heaviness: float
    """-1..1: of the body."""
    maleness: float
    """0..1."""
    age: float
    """0 (about 25 years) to 1 (about 90)."""
    skin: Skin
    hair: Hair
    brows: Brows
    beard: Beard
    eyes: Eyes
    teeth: Teeth
    glasses: Glasses | None
    cloth: Rgb
    texture_offset: tuple[float, float, float]
    """Where in the noise this person's skin and hair are cut from."""


def sample_person(model: HeadModel, rng: np.random.Generator) -> Person:
    """A random adult."""
    ancestry = rng.dirichlet([0.4] * 3)
    maleness = float(np.clip(rng.beta(0.45, 0.45), 0.02, 0.98))
    age = float(np.clip(rng.beta(1.0, 1.9), 0.0, 0.95))
    heaviness = float(np.clip(rng.normal(0.0, 0.45), -1.0, 1.0))
    weights = macro_weights(ancestry.tolist(), maleness, age, heaviness) | _slider_weights(model, rng)
    melanin = float(np.clip(ancestry @ np.array(_MELANIN_OF) + rng.normal(0.0, 0.1), 0.0, 1.0))
    hair = _sample_hair(rng, maleness, age, melanin)
    return Person(
        weights=weights,
        ancestry=tuple(ancestry.tolist()),
        heaviness=heaviness,
        maleness=maleness,
        age=age,
        skin=_sample_skin(rng, maleness, age, melanin),
        hair=hair,
        brows=_sample_brows(rng, maleness),
        beard=_sample_beard(rng, maleness),
        eyes=_sample_eyes(rng, maleness, melanin),
        teeth=_sample_teeth(rng, age),
        glasses=_sample_glasses(rng) if rng.random() < 0.15 else None,
        cloth=_sample_cloth(rng),
        texture_offset=tuple(rng.uniform(0.0, 60.0, 3).tolist()),
    )


def macro_weights(ancestry: Sequence[float], maleness: float, age: float, heaviness: float) -> dict[str, float]:
    """Weights of the mesh's own grid of ancestry, sex, age and body weight, which sum to one along each axis."""
    out: dict[str, float] = {}
    for sex, sex_share in (("male", maleness), ("female", 1.0 - maleness)):
        for stage, stage_share in (("young", 1.0 - age), ("old", age)):
            for name, share in zip(ANCESTRIES, ancestry, strict=True):
                out[f"macro/{name}-{sex}-{stage}"] = share * sex_share * stage_share
            heavy = "maxweight" if heaviness > 0 else "minweight"
            out[f"macro/universal-{sex}-{stage}-averagemuscle-{heavy}"] = sex_share * stage_share * abs(heaviness)
    return out


def _slider_weights(model: HeadModel, rng: np.random.Generator) -> dict[str, float]:
    """Every pair of opposite sliders a little to one side, the same left and right but for some asymmetry."""
    out: dict[str, float] = {}
    for low, high in _slider_pairs(model):
        value = float(np.clip(rng.normal(0.0, _SLIDER_SIGMA), -_SLIDER_MAXIMUM, _SLIDER_MAXIMUM))
        name = high if value > 0 else low
        out[name] = abs(value)
        if "/l-" in name:
            out[name.replace("/l-", "/r-")] = float(np.clip(abs(value) + rng.normal(0.0, 0.05), 0.0, 1.0))
    out[f"shape/head-{rng.choice(_HEAD_SHAPES)}"] = float(rng.uniform(0.0, 0.6))
    asymmetries = sorted(name for name in model.targets if name.startswith("shape/asym-"))
    for index in rng.choice(len(asymmetries), 6, replace=False):
        out[asymmetries[index]] = float(rng.uniform(0.0, 0.3))
    return out


def _slider_pairs(model: HeadModel) -> list[tuple[str, str]]:
    pairs = []
    for name in sorted(model.targets):
        if not name.startswith("shape/") or "/r-" in name or any(part in name for part in _LEFT_ALONE):
            continue
        for low, high in _OPPOSITES:
            other = f"{name.removesuffix(low)}{high}"
            if name.endswith(f"-{low}") and other in model.targets:
                pairs.append((name, other))
    return pairs


def _sample_skin(rng: np.random.Generator, maleness: float, age: float, melanin: float) -> Skin:
    return Skin(
        melanin=melanin,
        warmth=float(np.clip(rng.normal(), -2.0, 2.0)),
        redness=float(np.clip(rng.normal(0.35, 0.2), 0.0, 1.0)) * (1.0 - 0.6 * melanin),
        freckles=float(np.clip(rng.normal(-0.4, 0.6), 0.0, 1.0)) if melanin < 0.35 else 0.0,
        wrinkles=float(np.clip(1.25 * age + rng.normal(-0.1, 0.12), 0.0, 1.0)),
        oiliness=float(rng.uniform()),
        blemishes=float(np.clip(rng.normal(0.1, 0.3), 0.0, 1.0)),
        makeup=float(rng.beta(0.8, 1.5)) if maleness < 0.4 else 0.0,
        lipstick=_linear(rng.uniform((120, 15, 25), (200, 90, 100))),
        lip_tone=tuple((np.array((0.86, 0.58, 0.58)) * (1.0 + 0.07 * rng.normal(size=3))).tolist()),
    )


def _sample_hair(rng: np.random.Generator, maleness: float, age: float, melanin: float) -> Hair:
    male = maleness > 0.5
    #       bald  buzz  short medium curly tied bob  long
    shares = (
        (0.12, 0.18, 0.40, 0.12, 0.10, 0.02, 0.01, 0.05) if male else (0.01, 0.02, 0.10, 0.12, 0.12, 0.18, 0.2, 0.25)
    )
    natural = _hair_colour(rng, age, melanin)
    style = str(rng.choice(HAIR_STYLES, p=np.array(shares) / sum(shares)))
    return Hair(
        style=style,
        colour=_dyed(natural, rng),
        brow_colour=natural,
        hairline=float(np.clip(rng.normal(), -2.0, 2.0)),
        recede=float(rng.beta(1.2, 3.0)) * (1.0 if male else 0.15),
        fringe=float(rng.uniform(0.35, 1.0))
        if style in ("bob", "long", "medium") and rng.random() < (0.15 if male else 0.3)
        else 0.0,
        length=float(rng.uniform()),
        wave=float(rng.beta(1.0, 2.0)),
    )


def _hair_colour(rng: np.random.Generator, age: float, melanin: float) -> Rgb:
    dark = ((18, 15, 14), (33, 25, 21), (50, 34, 25))
    fair = (*dark, (62, 42, 29), (96, 64, 40), (138, 100, 62), (190, 156, 105), (118, 56, 32))
    grey = ((85, 82, 79), (122, 119, 116), (158, 155, 151), (182, 179, 174))
    young = fair if melanin < 0.32 else dark
    choices = grey if age > 0.45 and rng.random() < 0.7 else young
    tone = rng.uniform(0.75, 1.25)
    return _linear(np.clip(np.array(choices[rng.integers(len(choices))]) * tone, 4, 235))


def _dyed(natural: Rgb, rng: np.random.Generator) -> Rgb:
    dyes = ((150, 40, 60), (40, 60, 130), (110, 50, 130), (40, 110, 80), (206, 176, 120), (30, 22, 20))
    return _linear(np.array(dyes[rng.integers(len(dyes))])) if rng.random() < 0.05 else natural


def _sample_brows(rng: np.random.Generator, maleness: float) -> Brows:
    return Brows(
        height=float(np.clip(rng.normal(0.1, 0.4), -1.0, 1.0)),
        arch=float(rng.uniform(0.1, 1.0)),
        slope=float(np.clip(rng.normal(-0.1, 0.4), -1.0, 1.0)),
        thickness=float(np.clip(rng.normal(0.85 + 0.35 * maleness, 0.2), 0.5, 1.6)),
        density=float(rng.uniform(0.5, 1.0)),
    )


def _sample_beard(rng: np.random.Generator, maleness: float) -> Beard:
    kind = str(rng.choice(BEARDS, p=(0.38, 0.27, 0.07, 0.1, 0.18))) if maleness > 0.6 else "none"
    density = rng.uniform(0.25, 0.6) if kind == "stubble" else rng.uniform(0.65, 1.0)
    return Beard(kind, float(density), float(rng.uniform()))


def _sample_eyes(rng: np.random.Generator, maleness: float, melanin: float) -> Eyes:
    brown = ((48, 28, 16), (66, 38, 20), (88, 54, 28))
    light = (*brown, (104, 86, 50), (86, 108, 78), (92, 124, 152), (118, 138, 148), (70, 100, 140))
    choices = light if melanin < 0.3 else brown
    tired = rng.uniform(0.0, 1.0)
    return Eyes(
        iris=_linear(np.array(choices[rng.integers(len(choices))]) * rng.uniform(0.8, 1.2)),
        iris_angle=float(rng.uniform(0.42, 0.48)),
        pupil_angle=float(rng.uniform(0.14, 0.24)),
        sclera=(0.60, 0.58 - 0.05 * tired, 0.56 - 0.08 * tired),
        lashes=float(np.clip(rng.normal(0.45 + 0.35 * (1.0 - maleness), 0.2), 0.1, 1.0)),
    )


def _sample_teeth(rng: np.random.Generator, age: float) -> Teeth:
    white = rng.uniform(0.55, 0.88) * (1.0 - 0.2 * age)
    yellow = rng.uniform(0.0, 1.0) * (0.5 + 0.5 * age)
    return Teeth(
        colour=(white, white * (0.97 - 0.06 * yellow), white * (0.93 - 0.25 * yellow)),
        width=float(rng.uniform(0.078, 0.098)),
        gap=float(rng.uniform(0.006, 0.022)) if rng.random() < 0.12 else 0.0,
        unevenness=float(rng.beta(1.2, 2.5)),
        gum=float(rng.uniform(0.05, 0.35)),
        forward=float(rng.uniform(0.0, 0.04)),
        longer=float(rng.uniform(0.0, 0.05)),
        tongue=(float(rng.uniform(0.30, 0.48)), float(rng.uniform(0.09, 0.16)), float(rng.uniform(0.09, 0.16))),
        tongue_low=float(rng.uniform(0.0, 0.10)),
    )


def _sample_glasses(rng: np.random.Generator) -> Glasses:
    dark = rng.random() < 0.65
    colour = _linear(rng.uniform(8, 45, 3) if dark else rng.uniform(40, 210, 3))
    height = rng.uniform(0.45, 0.68)
    return Glasses(
        colour, float(rng.uniform(0.62, 0.8)), float(height), float(rng.uniform(2.0, 4.5)),
        float(rng.uniform(0.010, 0.026)), float(rng.beta(0.8, 2.0)),
    )  # fmt: skip


def _sample_cloth(rng: np.random.Generator) -> Rgb:
    grey, vivid = rng.uniform(15, 225), rng.uniform(0.0, 0.45) ** 2
    return _linear(np.clip(grey + vivid * rng.uniform(-400, 400, 3), 8, 240))


def _linear(srgb: np.ndarray) -> Rgb:
    """8-bit sRGB to linear light (IEC 61966-2-1)."""
    value = np.asarray(srgb, np.float64) / 255.0
    out = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(out[0]), float(out[1]), float(out[2])
