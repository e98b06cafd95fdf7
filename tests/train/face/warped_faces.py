"""Made-up faces with exact flow: shaded ellipses whose mouth moves by a known field, in aligned frames, on disk.

A stand-in for rendered pairs where only the training code counts: no renderer, no detector, a second to make.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.remap import remap
from edge_runtime.face_manifest import FaceDataSource
from train.face.config import FaceConfig, make_config
from train.face.preprocess import Aligned, crop_to_frame, frame_size_px
from train.face.presets import FacePreset
from train.face.run import Run, Sources
from train.face.units import UNIT_INDEX, UNIT_NAMES
from train.records import save_json

TINY = FacePreset("tiny", (8, 8, 12, 16), (1, 1, 1), (12, 8), (1, 1), 16, 8, 1)
SMILE_PX = 5.0
"""How far a smile of 1 lifts the corners of the mouth, frame pixels."""


def tiny_config() -> FaceConfig:
    """The shape of the real thing, small enough to train in a moment."""
    return dataclasses.replace(make_config("tiny", "nano"), preset=TINY)


def smile_flow(amount: float) -> NDArray[np.float32]:
    """(F, F, 2) backward: the lower face is lifted at its sides."""
    size = frame_size_px(tiny_config().crop)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    side = np.abs(columns - size / 2) / 25.0
    near = np.exp(-(((rows - 103.0) / 16.0) ** 2)) * np.clip(side, 0.0, 1.0) * np.exp(-((side / 1.6) ** 4))
    return np.stack([np.zeros_like(near), SMILE_PX * amount * near], axis=-1).astype(np.float32)


def face(rng: np.random.Generator) -> NDArray[np.uint8]:
    """(F, F, 3): an ellipse with eyes and a mouth, before a background of another colour."""
    size = frame_size_px(tiny_config().crop)
    skin, back = rng.integers(120, 230, 3).tolist(), rng.integers(0, 120, 3).tolist()
    image = np.full((size, size, 3), back, np.uint8)
    cv2.ellipse(image, ((size / 2, size / 2), (size * 0.7, size * 0.95), 0.0), skin, -1, cv2.LINE_AA)
    for x in (64, 104):
        cv2.ellipse(image, ((x, 66), (20, 8), 0.0), (30, 30, 40), -1, cv2.LINE_AA)
    cv2.ellipse(image, ((84, 104), (44, 10), 0.0), (140, 40, 50), -1, cv2.LINE_AA)
    noise = rng.normal(0.0, 6.0, (size // 4, size // 4, 1)).astype(np.float32)
    textured = image + cv2.resize(noise, (size, size))[..., None]
    return np.clip(textured, 0, 255).astype(np.uint8)


def aligned(count: int, seed: int) -> Aligned:
    """Pairs whose B smiles more or less than A; the other way round the flow is taken for its negative."""
    rng = np.random.default_rng(seed)
    size = frame_size_px(tiny_config().crop)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    reference = np.array(tiny_config().crop.reference)
    images, flows, units = [], [], []
    for _ in range(count):
        amount = float(rng.uniform(-1.0, 1.0))
        flow, a = smile_flow(amount), face(rng)
        images.append([a, remap(a, columns + flow[..., 0], rows + flow[..., 1])])
        flows.append([flow[::2, ::2], -flow[::2, ::2]])
        values = np.zeros((2, len(UNIT_NAMES)), np.float32)
        values[1, UNIT_INDEX["smile"]] = amount
        units.append(values)
    five = np.broadcast_to(crop_to_frame().apply(reference), (count, 2, 5, 2)).astype(np.float32)
    hidden = np.zeros((count, 2, size, size), np.uint8)
    hidden[:, :, 100:106, 70:98] = 255
    return Aligned(
        np.array(images), np.array(flows, np.float16), np.full((count, 2, size // 2, size // 2), 255, np.uint8),
        hidden, np.array(units), five,
    )  # fmt: skip


def write_aligned(folder: Path, train: int = 12, heldout: int = 4) -> Path:
    """Shards as `train.face.preprocess` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, count, seed in (("train", train, 1), ("heldout", heldout, 2)):
        pairs = aligned(count, seed)
        arrays = {field.name: getattr(pairs, field.name) for field in dataclasses.fields(pairs)}
        np.savez(folder / f"{split}-00000.npz", names=np.array([str(i) for i in range(count)]), **arrays)
    return folder


def smile_basis(share: float) -> NDArray[np.float32]:
    """(U, G, G, 2) with that share of the right one: the rest is left to learn."""
    basis = np.zeros((len(UNIT_NAMES), 64, 64, 2), np.float32)
    basis[UNIT_INDEX["smile"]] = share * smile_flow(1.0)[8:-8:2, 8:-8:2][:64, :64]
    return basis


def new_run(root: Path, basis: NDArray[np.float32]) -> Run:
    """A run's folder as `train.face.fit.prepare` leaves it, with that basis (U, G, G, 2)."""
    run = Run(root)
    run.weights.parent.mkdir(parents=True)
    save_json(run.config, tiny_config())
    save_json(run.sources, Sources((FaceDataSource("made up", "CC0-1.0", 32),)))
    np.save(run.basis, basis)
    return run
