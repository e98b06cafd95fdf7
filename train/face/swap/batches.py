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
from train.face.augment import Augmentation, degrade, draw_occluder, jitter_five, mirror_five, recolour, soften
from train.face.swap.looks import Look, Looks
from train.prefetch import Batch

Image = NDArray[np.uint8]

AUGMENTATION: Final = Augmentation(occluder_share=0.4)
_HAND_SHARE: Final = 0.3
"""Of what covers a face, hands."""
_WARP_SHARE: Final = 0.5
_WARP_CELLS: Final = 5
_WARP_PX: Final = 1.8
"""Standard deviation of the warp's knots, in crop pixels."""


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
    (image,) = soften((image,), how, rng)
    shown = example.shown
    if own and rng.random() < _WARP_SHARE:
        image = warped(image, rng)
    if rng.random() < how.occluder_share:
        shown = np.where(cover(image, rng), np.float32(0.0), shown)
    image = degrade(image, how, rng)
    return SwapExample(image, target, example.face, shown, example.features, example.identity)


def cover(image: Image, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a strand, a stick, a blob or a hand over ``image`` (S, S, 3), in place; gives where, (S, S)."""
    return _draw_hand(image, rng) if rng.random() < _HAND_SHARE else draw_occluder((image,), rng)


def warped(image: Image, rng: np.random.Generator) -> Image:
    """``image`` (S, S, 3) bent by a coarse grid of random shifts."""
    size = image.shape[0]
    knots = rng.normal(0.0, _WARP_PX, (_WARP_CELLS, _WARP_CELLS, 2)).astype(np.float32)
    field = np.asarray(cv2.resize(knots, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    at = np.arange(size, dtype=np.float32)
    x, y = at[None, :] + field[..., 0], at[:, None] + field[..., 1]
    return remap(image, np.ascontiguousarray(x), np.ascontiguousarray(y))


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
    share = mask[..., None].astype(np.float32) / 255.0
    tone = np.array((0.9, 0.68, 0.55)) * rng.uniform(0.25, 1.0) * 255.0
    at = np.arange(size)
    shade = 1.0 + 0.18 * np.sin((at[None, :] * across[0] + at[:, None] * across[1]) * (2.0 * np.pi / (1.1 * thick)))
    colour = np.clip(tone * shade[..., None] + rng.normal(0.0, 5.0, (size, size, 1)), 0, 255)
    image[:] = np.rint(image + share * (colour - image)).astype(np.uint8)
    return mask > 127
