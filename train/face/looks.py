"""One photo, looked at several times: from where its points might be found, in a mirror, under another light.

A network's answers for the same change must be the same movement whatever the look; brought back into the photo's frame
they can be compared and averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray, Similarity, align
from edge_runtime.face.measures import unit_values
from edge_runtime.face.remap import sample
from train.face.augment import Augmentation, jitter_five, mirror_five, mirror_of
from train.face.config import FaceConfig
from train.face.parts import device_units
from train.face.photos import PhotoRecord
from train.face.preprocess import FRAME_SCALE, crop_to_frame, frame_size_px
from train.face.sampling import sample_change
from train.face.units import UnitValues

Image = NDArray[np.uint8]
Flows = Callable[[FloatArray, FloatArray], FloatArray]
"""Crops (N, S, S, 3) 0..1 and changes (N, U) to backward flows (N, G, G, 2) in crop pixels."""

FRAME_TO_FIELD: Final = Similarity(0.5, 0.0, -0.25, -0.25)
"""From a frame's pixels to the cells of a field half as fine."""
_AT_ONCE: Final = 16
_SMALLEST_CHANGE: Final = 0.1


@dataclass(frozen=True, eq=False)
class Frame:
    """A real face in the frame that rendered pairs are trained in; F pixels."""

    name: str
    image: Image
    """(F, F, 3)"""
    five: FloatArray
    """(5, 2) in frame pixels."""
    present: UnitValues
    """(U,) what the face shows already; 0 where landmarks cannot tell."""

    def random(self, purpose: int) -> np.random.Generator:
        """Random numbers of this photo's own, others for another ``purpose``."""
        return np.random.default_rng([purpose, *self.name.encode()])


@dataclass(frozen=True)
class Look:
    """One way to see a frame."""

    mirrored: bool
    to_crop: Similarity
    """From the frame, mirrored or not, to the crop."""


def make_frame(picture: Image, record: PhotoRecord, config: FaceConfig) -> Frame:
    """The aligned ``picture`` of `train.face.photos` as a frame."""
    five = np.array(record.five, np.float32)
    to_frame = crop_to_frame().after(align(five, config.crop))
    size = frame_size_px(config.crop)
    present = np.nan_to_num(unit_values(record.measures, device_units()), nan=0.0).astype(np.float32)
    return Frame(record.file, sample(picture, to_frame.inverse(), (size, size)), to_frame.apply(five), present)


def draw_changes(frame: Frame, count: int, rng: np.random.Generator) -> UnitValues:
    """(K, U) changes that the face can take, none of them nothing."""
    changes: list[UnitValues] = []
    while len(changes) < count:
        change = sample_change(frame.present, rng)
        if np.abs(change).sum() >= _SMALLEST_CHANGE:
            changes.append(change)
    return np.stack(changes)


def draw_looks(frame: Frame, config: FaceConfig, how: Augmentation, count: int, rng: np.random.Generator) -> list[Look]:
    """``count`` looks, every other one mirrored, the points jittered as ``how`` says."""
    looks = []
    for number in range(count):
        mirrored = number % 2 == 1
        five = mirror_five(frame.five, frame.image.shape[1]) if mirrored else frame.five
        looks.append(Look(mirrored, align(jitter_five(five, FRAME_SCALE, how, rng), config.crop)))
    return looks


def see(frame: Frame, look: Look, size_px: int) -> Image:
    """The crop (S, S, 3) of a look."""
    image = np.ascontiguousarray(frame.image[:, ::-1]) if look.mirrored else frame.image
    return sample(image, look.to_crop.inverse(), (size_px, size_px))


def answers(
    flows: Flows, crops: Sequence[Image], looks: Sequence[Look], changes: UnitValues, config: FaceConfig
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """What ``flows`` says to each of ``changes`` (K, U) in each of M looks, whose pictures are ``crops``.

    Gives (M, K, F/2, F/2, 2) backward flows in frame pixels, and (M, F/2, F/2) where a look reaches.
    """
    mirror = mirror_of(config.units)
    images = np.repeat(np.stack(crops).astype(np.float32) * np.float32(1.0 / 255.0), len(changes), axis=0)
    wishes = np.concatenate([mirror.apply(changes) if look.mirrored else changes for look in looks])
    found = flows(images, wishes).reshape(len(looks), len(changes), config.flow_cells, config.flow_cells, 2)
    moved, reached = [], []
    for look, fields in zip(looks, found, strict=True):
        back = [_into_frame(field, look, config) for field in fields]
        moved.append(np.stack([flow for flow, _ in back]))
        reached.append(back[0][1])
    return np.stack(moved), np.stack(reached)


def _into_frame(flow: FloatArray, look: Look, config: FaceConfig) -> tuple[FloatArray, NDArray[np.bool_]]:
    """A look's flow (G, G, 2) in the frame's pixels (F/2, F/2, 2), and where it reaches."""
    cells = frame_size_px(config.crop) // 2
    cell = float(config.cell_px)
    to_cell = Similarity(cell, 0.0, (cell - 1.0) / 2.0, (cell - 1.0) / 2.0).inverse()
    path = to_cell.after(look.to_crop).after(FRAME_TO_FIELD.inverse())
    counted = np.concatenate([flow, np.ones_like(flow[..., :1])], axis=-1)
    field = sample(np.ascontiguousarray(counted, np.float32), path, (cells, cells), black_outside=True)
    reached = field[..., 2] > 0.5
    moved = look.to_crop.inverse().turn(field[..., :2] / np.maximum(field[..., 2:], 0.5))
    if look.mirrored:
        moved, reached = moved[:, ::-1] * np.array((-1.0, 1.0), np.float32), reached[:, ::-1]
    return np.ascontiguousarray(moved), np.ascontiguousarray(reached)


def network_flows(model: Any) -> Flows:
    """`Flows` of a Keras model that takes and gives batches by name."""

    def flows(images: FloatArray, changes: FloatArray) -> FloatArray:
        parts = []
        for start in range(0, len(images), _AT_ONCE):
            batch = {"image": images[start : start + _AT_ONCE], "delta": changes[start : start + _AT_ONCE]}
            count = len(batch["delta"])
            # always the same shape, or every other one would be compiled anew
            full = {name: np.resize(value, (_AT_ONCE, *value.shape[1:])) for name, value in batch.items()}
            parts.append(np.asarray(model.predict_on_batch(full)["flow"])[:count])
        return np.concatenate(parts)

    return flows
