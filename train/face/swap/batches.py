"""Batches: looks mirrored or not, cut out as another look at the face would, recoloured, covered and degraded.

Step n's batch depends on the seed and on n alone, so a resumed run sees exactly what an uninterrupted one would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.remap import remap, sample
from edge_runtime.face_path_contract import CropSpec
from train.face.augment import Augmentation, degrade, jitter_five, mirror_five, recolour, soften
from train.face.swap.looks import Look, Looks
from train.face.swap.occluders import cover
from train.prefetch import Batch

Image = NDArray[np.uint8]

AUGMENTATION: Final = Augmentation(occluder_share=0.4)
_WARP_SHARE: Final = 0.5
_WARP_CELLS: Final = 5
_WARP_PX: Final = 1.8
"""Standard deviation of the warp's knots, in crop pixels."""
_SHADE_SHARE: Final = 0.5
_SHADE_CELLS: Final = 4
_SHADE_SIGMA: Final = 0.12
"""Of the logarithm of light and shadow, from knot to knot."""
_GRAIN_SHARE: Final = 0.35
_GRAIN_PX: Final = (0.7, 3.0)
_GRAIN_SIGMA: Final = (0.01, 0.06)
"""Of the logarithm of brightness: pores, hairs and creases that rendered skin has less of."""
_SHARPEN_SHARE: Final = 0.3
_SHARPEN_PX: Final = (0.6, 1.6)
_SHARPEN: Final = (0.3, 1.6)
"""What a camera adds of the difference from the blurred picture."""


@dataclass(frozen=True, eq=False)
class SwapExample:
    """One face as the network meets it; S crop size."""

    image: Image
    """(S, S, 3) what the network reads."""
    target: Image
    """(S, S, 3) what must come out."""
    face: FloatArray
    """(S, S) 0..1 where ``target`` shows the face."""
    shown: FloatArray
    """(S, S) 0..1 the true mask."""
    features: FloatArray
    """(S, S) 0..1 eyes and mouth of ``target``."""
    identity: int


class SwapSampler:
    """Draws examples from looks that are held in memory."""

    def __init__(self, looks: Looks, crop: CropSpec, how: Augmentation = AUGMENTATION) -> None:
        self._looks, self._crop, self._how = looks, crop, how

    def __len__(self) -> int:
        return len(self._looks)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """``size`` augmented examples by name, stacked: float32, images 0..1."""
        return stack([self.draw(rng) for _ in range(size)])

    def draw(self, rng: np.random.Generator) -> SwapExample:
        """One look at random, augmented."""
        look = self._looks.draw(rng)
        flip = bool(rng.random() < 0.5)
        scale = 1.0 / align(look.five, self._crop).scale
        example = cut(look, jitter_five(look.five, scale, self._how, rng), self._crop, flip=flip)
        return augmented(example, look.own, self._how, rng)

    def plain(self, number: int) -> SwapExample:
        """Look ``number`` as it is: what is judged on."""
        look = self._looks.look(number)
        return cut(look, look.five, self._crop, flip=False)


def cut(look: Look, five: FloatArray, crop: CropSpec, *, flip: bool) -> SwapExample:
    """The crop that ``five`` (5, 2) gives; mirrored first, with all that belongs to it."""
    images: tuple[Image, ...] = (look.image, look.target)
    planes: tuple[Image, ...] = (look.face, look.shown, look.features)
    if flip:
        five = mirror_five(five, look.image.shape[1])
        images = tuple(np.ascontiguousarray(image[:, ::-1]) for image in images)
        planes = tuple(np.ascontiguousarray(plane[:, ::-1]) for plane in planes)
    back, shape = align(five, crop).inverse(), (crop.size_px, crop.size_px)
    image, target = (sample(one, back, shape) for one in images)
    face, shown, features = (
        sample(plane[..., None], back, shape, black_outside=True)[..., 0].astype(np.float32) * np.float32(1.0 / 255.0)
        for plane in planes
    )
    return SwapExample(image, target, face, shown, features, look.identity)


def augmented(example: SwapExample, own: bool, how: Augmentation, rng: np.random.Generator) -> SwapExample:
    """Light and colour change both pictures; what covers a face, softness, noise and compression only what the network
    reads: of a blurred photo too a face is drawn as sharply as can be.

    A face that is to become itself is bent a little first, or its own shape need not be learnt (DeepFaceLab).
    """
    image, target = recolour((example.image, example.target), how, rng)
    if rng.random() < _SHADE_SHARE:
        shade = _field(image.shape[0], _SHADE_CELLS, _SHADE_SIGMA, rng)
        image, target = (_times(one, shade) for one in (image, target))
    image = _like_a_camera(image, rng)
    (image,) = soften((image,), how, rng)
    shown = example.shown
    if own and rng.random() < _WARP_SHARE:
        image = warped(image, rng)
    if rng.random() < how.occluder_share:
        shown = np.where(cover(image, rng), np.float32(0.0), shown)
    image = degrade(image, how, rng)
    return SwapExample(image, target, example.face, shown, example.features, example.identity)


def warped(image: Image, rng: np.random.Generator) -> Image:
    """``image`` (S, S, 3) bent by a coarse grid of random shifts."""
    size = image.shape[0]
    across, down = (_field(size, _WARP_CELLS, _WARP_PX, rng) for _ in range(2))
    at = np.arange(size, dtype=np.float32)
    x, y = at[None, :] + across, at[:, None] + down
    return remap(image, np.ascontiguousarray(x), np.ascontiguousarray(y))


def _field(size: int, cells: int, sigma: float, rng: np.random.Generator) -> FloatArray:
    """(size, size) that goes smoothly from knot to knot of ``cells`` by ``cells`` random ones."""
    knots = rng.normal(0.0, sigma, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(knots, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def _times(image: Image, logarithm: FloatArray) -> Image:
    """``image`` (S, S, 3) made brighter by a factor e ** ``logarithm`` (S, S)."""
    return np.rint(np.clip(image * np.exp(logarithm)[..., None], 0.0, 255.0)).astype(np.uint8)


def _like_a_camera(image: Image, rng: np.random.Generator) -> Image:
    """``image`` (S, S, 3) with more grain, or sharpened as cameras do."""
    if rng.random() < _GRAIN_SHARE:
        grain = rng.standard_normal(image.shape[:2]).astype(np.float32)
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), rng.uniform(*_GRAIN_PX)), np.float32)
        image = _times(image, grain * np.float32(rng.uniform(*_GRAIN_SIGMA) / max(float(grain.std()), 1e-6)))
    if rng.random() < _SHARPEN_SHARE:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(*_SHARPEN_PX))
        much = float(rng.uniform(*_SHARPEN))
        image = np.asarray(cv2.addWeighted(image, 1.0 + much, soft, -much, 0.0), np.uint8)
    return image


def stack(examples: list[SwapExample]) -> Batch:
    """Examples as one batch by name."""
    scale = np.float32(1.0 / 255.0)
    batch = {
        name: np.stack([getattr(e, name) for e in examples]).astype(np.float32) * scale for name in ("image", "target")
    }
    for name in ("face", "shown", "features"):
        batch[name] = np.stack([getattr(e, name) for e in examples])[..., None].astype(np.float32)
    batch["identity"] = np.array([e.identity for e in examples], np.int32)
    return batch
