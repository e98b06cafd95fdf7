"""Made-up swaps: ellipses in aligned frames whose identity is a colour and an eye shape, on disk as the real ones.

A stand-in for rendered pairs where only the training code counts: no renderer, no detector, a second to make.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.face_path_contract import CropSpec
from train.face.parts import CROP
from train.face.preprocess import crop_to_frame, frame_size_px, save_shard
from train.face.swap.preprocess import SwapAligned
from train.face.swap.presets import SwapPreset
from train.face.swap.run import SwapConfig

TINY = SwapPreset("tiny", (8, 8, 12, 16), (1, 1, 1), 4, 24, 8, (16, 12, 12, 8), (1, 1, 1), 8, 8)
NAMES = ("t000", "t001", "t002")
HELD = "h000"
SMALL_CROP = CropSpec(64, tuple((x / 2.0, y / 2.0) for x, y in CROP.reference))
_COLOURS = {"t000": (210, 150, 120), "t001": (120, 80, 60), "t002": (160, 190, 120), HELD: (190, 120, 170)}
SOURCE = FaceDataSource("made up", "CC0-1.0", 32)


def tiny_config() -> SwapConfig:
    """The shape of the real thing, small enough to train in a moment."""
    return SwapConfig("tiny", TINY, SMALL_CROP, NAMES, (SOURCE,))


def face(colour: tuple[int, int, int], mouth: float, back: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(F, F, 3) an ellipse with eyes and a mouth open by ``mouth`` 0..1, and (F, F) where it is, 0 or 255."""
    size = frame_size_px(CROP)
    image, where = np.full((size, size, 3), back, np.uint8), np.zeros((size, size), np.uint8)
    middle, axes = (size / 2, size / 2), (size * 0.7, size * 0.95)
    cv2.ellipse(image, (middle, axes, 0.0), colour, -1)
    cv2.ellipse(where, (middle, axes, 0.0), 255, -1)
    for x in (64, 104):
        cv2.ellipse(image, ((x, 66), (20, 8 + colour[1] % 7), 0.0), (30, 30, 40), -1)
    cv2.ellipse(image, ((84, 104), (44, 6 + 24 * mouth), 0.0), (140, 40, 50), -1)
    return image, where


def aligned(targets: tuple[str, ...], count: int, seed: int) -> SwapAligned:
    """Pairs of a random source and one of ``targets`` in turn, both with the same mouth and background."""
    rng = np.random.default_rng(seed)
    size = frame_size_px(CROP)
    images, faces, heads = [], [], []
    for number in range(count):
        name, mouth, back = targets[number % len(targets)], float(rng.random()), int(rng.integers(0, 120))
        colour = rng.integers(60, 230, 3).tolist()
        pair = [face(one, mouth, back) for one in ((colour[0], colour[1], colour[2]), _COLOURS[name])]
        images.append(np.stack([image for image, _ in pair]))
        faces.append(np.stack([where for _, where in pair]))
        heads.append((f"s{seed:05d}.{number}", name))
    features = np.zeros((count, 2, size, size), np.uint8)
    features[:, :, 56:120, 50:120] = 255
    five = np.broadcast_to(crop_to_frame().apply(np.array(CROP.reference)), (count, 2, 5, 2)).astype(np.float32)
    return SwapAligned(np.stack(images), np.stack(faces), features, five, np.array(heads))


def write_aligned(folder: Path) -> Path:
    """A folder as `train.face.swap.preprocess` leaves it, with a held-out identity."""
    folder.mkdir(parents=True)
    for split, targets, count, seed in (
        ("train", NAMES, 24, 1),
        ("heldout", NAMES, 8, 2),
    ):
        _save(folder / f"{split}-00000.npz", aligned(targets, count, seed))
    _save(folder / "heldout-00001.npz", aligned((HELD,), 12, 3))
    return folder


def _save(path: Path, pairs: SwapAligned) -> None:
    save_shard(path, [pairs], [str(number) for number in range(len(pairs))], SwapAligned)
