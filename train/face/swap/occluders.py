"""What covers a face, drawn over crops: hands, fringes, strands, sticks and blobs.

A mask that has met rendered hair alone takes a real fringe for forehead: these are drawn hair by hair, in many tones,
and so have the grain that real hair has.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from train.face.augment import draw_occluder

Image = NDArray[np.uint8]

_HAND_SHARE: Final = 0.25
_FRINGE_SHARE: Final = 0.35
_SKIN: Final = np.array((0.9, 0.68, 0.55))
_HAIR: Final = np.array(
    ((16, 13, 12), (34, 25, 20), (58, 40, 28), (92, 64, 42), (140, 104, 66), (196, 164, 116), (120, 58, 34),
     (96, 94, 92), (168, 166, 163))
)  # fmt: skip
"""Tones in daylight, 0..255."""
_OWN_TONE_SHARE: Final = 0.3
"""Of fringes, those with the tone of what lies at the crop's upper edge: mostly the head's own hair."""
_FINENESS: Final = 3
"""Hairs are drawn this many times as large, so that they can be thinner than a pixel."""
_SUBPIXEL_BITS: Final = 4
_DENSE: Final = 0.5
_DENSE_PX: Final = 1.5
"""Skin that shows between two hairs belongs to the fringe: nothing is painted where hair covers this share of the
surroundings, in units of 128 pixels."""
_REFERENCE_PX: Final = 128


def cover(image: Image, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw something over ``image`` (S, S, 3), in place; gives where it hides the face, (S, S)."""
    kind = rng.random()
    if kind < _HAND_SHARE:
        return _draw_hand(image, rng)
    if kind < _HAND_SHARE + _FRINGE_SHARE:
        return _draw_fringe(image, rng)
    return draw_occluder((image,), rng)


def _draw_hand(image: Image, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Fingers from beyond the border, in a skin tone, shaded across."""
    size = image.shape[0]
    mask = np.zeros((size, size), np.uint8)
    angle, centre = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.25, 0.75, 2) * size
    along = np.array((np.cos(angle), np.sin(angle)))
    across = np.array((-along[1], along[0]))
    thick = int(rng.integers(size // 14, size // 8))
    for finger in range(int(rng.integers(1, 5))):
        tip = centre + across * thick * 1.1 * finger + along * rng.uniform(-0.1, 0.1) * size
        end = tip + along * size * 1.5
        cv2.line(mask, tip.astype(int).tolist(), end.astype(int).tolist(), 255, thick, cv2.LINE_AA)
    tone = _SKIN * rng.uniform(0.25, 1.0) * 255.0
    at = np.arange(size)
    shade = 1.0 + 0.18 * np.sin((at[None, :] * across[0] + at[:, None] * across[1]) * (2.0 * np.pi / (1.1 * thick)))
    colour = tone * shade[..., None] + rng.normal(0.0, 5.0, (size, size, 1))
    _blend(image, colour, mask)
    return mask > 127


def _draw_fringe(image: Image, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hairs that fall from the crop's upper edge over the forehead, thick or thin, straight or to the sides."""
    size = image.shape[0]
    tone = _hair_tone(image, rng)
    fine = _FINENESS * size
    colour = np.empty((fine, fine, 3), np.uint8)
    colour[:] = np.clip(tone, 0, 255)
    mask = np.zeros((fine, fine), np.uint8)
    contrast = rng.uniform(0.08, 0.35)
    for path in _hairs(fine, rng):
        points = np.rint(path * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        thick = int(rng.integers(1, 4))
        lit = np.clip(tone * (1.0 + contrast * rng.normal()), 0, 255).tolist()
        cv2.polylines(colour, [points], False, lit, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.polylines(mask, [points], False, 255, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
    colour, mask = (
        np.asarray(cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA), np.uint8) for one in (colour, mask)
    )
    _blend(image, colour, mask)
    sigma = _DENSE_PX * size / _REFERENCE_PX
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma) > 255.0 * _DENSE)


def _hairs(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(N, 12, 2) paths of hairs in pixels: tufts that begin along the upper edge and end near one line."""
    count = int(rng.integers(80, 600))
    left, right = np.sort(rng.uniform(0.05, 0.95, 2))
    if rng.random() < 0.5:
        left, right = 0.1, 0.9
    lowest = 0.1 + 0.32 * rng.beta(1.3, 1.8)
    parting = rng.uniform(0.2, 0.8)
    spread, sweep = rng.uniform(0.0, 0.8), rng.normal(0.0, 0.15)
    tufts = rng.uniform(left, right, int(rng.integers(4, 24)))
    tuft = tufts[rng.integers(len(tufts), size=count)]
    tuft_end = lowest + 0.06 * np.sin(tuft * 97.0)
    start = np.where(rng.random(count) < rng.uniform(0.2, 0.9), tuft, rng.uniform(left, right, count))
    start = start + rng.normal(0.0, 0.02, count)
    end = np.maximum(tuft_end + rng.normal(0.0, 0.035, count), 0.05)
    aside = spread * (start - parting) * end / 0.3 + sweep * end / 0.3 + rng.normal(0.0, 0.012, count)
    bend = rng.uniform(1.0, 2.5)
    along = np.linspace(0.0, 1.0, 12)
    top = rng.uniform(-0.1, 0.06)
    x = start[:, None] + aside[:, None] * along**bend
    y = top + (end - top)[:, None] * along
    return np.asarray(np.stack([x, y], axis=-1) * size, np.float32)


def _hair_tone(image: Image, rng: np.random.Generator) -> NDArray[np.float64]:
    """(3,) 0..255, as bright as the picture's light has it."""
    size = image.shape[0]
    if rng.random() < _OWN_TONE_SHARE:
        start = int(rng.integers(size // 4, size // 2))
        return image[: size // 12, start : start + size // 4].reshape(-1, 3).mean(axis=0)
    light = np.clip(image[size // 3 : size // 2].mean() / 150.0, 0.3, 1.4)
    return np.asarray(_HAIR[rng.integers(len(_HAIR))] * light * rng.uniform(0.7, 1.3), np.float64)


def _blend(image: Image, colour: NDArray[np.generic], mask: Image) -> None:
    share = mask[..., None].astype(np.float32) / 255.0
    image[:] = np.rint(image + share * (np.clip(colour, 0, 255).astype(np.float32) - image)).astype(np.uint8)
