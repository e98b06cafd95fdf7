"""What happens to a rendered pair before the network sees it, so that real cameras hold no surprise for it.

Light and colour change both pictures alike, since an edit keeps them; noise and compression only what the network
reads, because the device moves the photo's own pixels and not the network's view of them. What covers a face (a strand,
a finger, a microphone) covers it in both pictures and stands still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray

Image = NDArray[np.uint8]

_LUMA = np.array((0.299, 0.587, 0.114), np.float32)
_LEFT, _RIGHT = "_left", "_right"
_FIVE_MIRRORED = (1, 0, 2, 4, 3)


@dataclass(frozen=True)
class Augmentation:
    """How much; shares are probabilities."""

    points_px: float = 0.7
    """Standard deviation of each of the five points on its own, in crop pixels."""
    shift_px: float = 1.2
    """Of all five together, as the next three."""
    turn: float = 0.035
    """Radians."""
    scale: float = 0.03
    gamma: tuple[float, float] = (0.7, 1.45)
    white_balance: float = 0.16
    brightness: float = 0.08
    contrast: float = 0.22
    saturation_share: float = 0.5
    saturation: tuple[float, float] = (0.0, 1.35)
    blur_share: float = 0.35
    blur_px: tuple[float, float] = (0.4, 1.3)
    coarse_share: float = 0.35
    coarse: tuple[float, float] = (1.2, 3.0)
    """Crop pixels in a pixel of the photo, of faces that are small in it."""
    noise_share: float = 0.5
    noise: float = 0.035
    jpeg_share: float = 0.4
    jpeg_quality: tuple[int, int] = (30, 95)
    occluder_share: float = 0.15


@dataclass(frozen=True)
class Mirror:
    """How the units of a mirrored face follow from those of the face itself."""

    order: tuple[int, ...]
    signs: tuple[float, ...]

    def apply(self, values: FloatArray) -> FloatArray:
        """(..., U) of the mirrored face."""
        return np.asarray(values[..., list(self.order)] * np.array(self.signs, np.float32), np.float32)


def mirror_of(units: Sequence[str]) -> Mirror:
    """Units with a twin on the other side change places; a unit to the left alone changes its sign."""
    order, signs = [], []
    for index, name in enumerate(units):
        twin = _twin(name)
        order.append(units.index(twin) if twin in units else index)
        signs.append(-1.0 if twin and twin not in units else 1.0)
    return Mirror(tuple(order), tuple(signs))


def _twin(name: str) -> str:
    for ours, theirs in ((_LEFT, _RIGHT), (_RIGHT, _LEFT)):
        if name.endswith(ours):
            return name.removesuffix(ours) + theirs
    return ""


def mirror_five(five: FloatArray, width: int) -> FloatArray:
    """The five points (5, 2) in a picture of that width, mirrored."""
    turned = five[list(_FIVE_MIRRORED)].copy()
    turned[:, 0] = width - 1 - turned[:, 0]
    return turned


def jitter_five(five: FloatArray, px: float, how: Augmentation, rng: np.random.Generator) -> FloatArray:
    """The five points (5, 2) as another look at the face might find them; ``px`` is a crop pixel in their unit."""
    centre = five.mean(axis=0)
    angle, scale = rng.normal(0.0, how.turn), np.exp(rng.normal(0.0, how.scale))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.normal(0.0, how.shift_px * px, 2)
    each = rng.normal(0.0, how.points_px * px, five.shape)
    return np.asarray((five - centre) @ turn.T + centre + shift + each, np.float32)


def recolour(images: Sequence[Image], how: Augmentation, rng: np.random.Generator) -> list[Image]:
    """The same light and colour for all ``images`` (H, W, 3)."""
    table = _tone_curves(how, rng)
    matrix = None
    if rng.random() < how.saturation_share:
        amount = np.float32(rng.uniform(*how.saturation))
        matrix = amount * np.eye(3, dtype=np.float32) + (1.0 - amount) * np.tile(_LUMA, (3, 1))
    done = []
    for image in images:
        if matrix is not None:
            image = np.asarray(cv2.transform(image, matrix), np.uint8)
        done.append(np.asarray(cv2.LUT(image, table), np.uint8))
    return done


def soften(images: Sequence[Image], how: Augmentation, rng: np.random.Generator) -> list[Image]:
    """The same blur and coarseness for all ``images`` (H, W, 3)."""
    sigma = rng.uniform(*how.blur_px) if rng.random() < how.blur_share else 0.0
    coarse = float(rng.uniform(*how.coarse)) if rng.random() < how.coarse_share else 1.0
    done = []
    for image in images:
        if sigma:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
        done.append(_coarser(image, coarse))
    return done


def _coarser(image: Image, factor: float) -> Image:
    """``image`` as it is cut out of a photo that has one pixel for ``factor`` of its own."""
    height, width = image.shape[:2]
    small = (round(width / factor), round(height / factor))
    if small == (width, height):
        return image
    little = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(little, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _tone_curves(how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(1, 256, 3): gamma, white balance, brightness and contrast in one table."""
    level = np.linspace(0.0, 1.0, 256, dtype=np.float32)[:, None] ** rng.uniform(*how.gamma)
    balance = 1.0 + rng.uniform(-how.white_balance, how.white_balance, 3)
    contrast = 1.0 + rng.uniform(-how.contrast, how.contrast)
    brightness = rng.uniform(-how.brightness, how.brightness)
    curves = (level * balance + brightness - 0.5) * contrast + 0.5
    return np.rint(255.0 * np.clip(curves, 0.0, 1.0)).astype(np.uint8)[None]


def degrade(image: Image, how: Augmentation, rng: np.random.Generator) -> Image:
    """Noise and compression of the picture (H, W, 3) that the network reads."""
    if rng.random() < how.noise_share:
        noisy = image + rng.normal(0.0, 255.0 * rng.uniform(0.0, how.noise), image.shape)
        image = np.rint(np.clip(noisy, 0.0, 255.0)).astype(np.uint8)
    if rng.random() < how.jpeg_share:
        quality = int(rng.integers(*how.jpeg_quality))
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
    return image


def draw_occluder(images: Sequence[Image], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw the same strand, stick or blob over all ``images`` (S, S, 3), in place; gives where, (S, S)."""
    size = images[0].shape[0]
    mask = np.zeros((size, size), np.uint8)
    if rng.random() < 0.6:
        path = np.cumsum(np.concatenate([rng.uniform(0, size, (1, 2)), rng.normal(0, size / 7, (3, 2))]), axis=0)
        cv2.polylines(mask, [path.astype(np.int32)], False, 255, int(rng.integers(1, 7)), cv2.LINE_AA)
    else:
        centre, axes = rng.uniform(0, size, 2), rng.uniform(size / 20, size / 5, 2)
        box = (centre.tolist(), axes.tolist(), float(rng.uniform(0, 180)))
        cv2.ellipse(mask, box, 255, -1, cv2.LINE_AA)
    share = mask[..., None].astype(np.float32) / 255.0
    grain = rng.normal(0.0, 9.0, (size, size, 1))
    colour = np.clip(rng.uniform(0, 255, 3) + grain, 0, 255)
    for image in images:
        image[:] = np.rint(image + share * (colour - image)).astype(np.uint8)
    return mask > 0
