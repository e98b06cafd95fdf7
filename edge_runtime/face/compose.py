"""The graph's answer put into the photo: its own pixels moved at its own resolution, invented ones blended over.

Only the box about the crop is touched, and of it only what moves or is invented: every other pixel keeps its exact
value. Whole frames are never blended, over time or otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import Box, FloatArray, Similarity, crop_box
from edge_runtime.face.remap import positions, remap, sample
from edge_runtime.face_path_contract import CropSpec, EditMaskSpec, MaskSpec

Image = NDArray[np.uint8]

_STILL_PX = 1.0 / 64.0
"""Movement below this, in photo pixels, is none: below what a bilinear sample of 8-bit pixels can show."""
_MAXIMUM_FLOW = 0.5
"""Largest displacement in crop sides that is believed; more is a broken graph, and would cost memory."""


class Composer:
    """Puts edits into photos for one model."""

    def __init__(self, crop: CropSpec, mask: EditMaskSpec) -> None:
        self._size_px = crop.size_px
        self._mask = mask

    def crop(self, image: Image, to_crop: Similarity) -> Image:
        """The aligned crop (S, S, 3) of a photo."""
        return sample(image, to_crop.inverse(), (self._size_px, self._size_px))

    def paste(self, image: Image, edit: Edit, to_crop: Similarity, opacity: float = 1.0) -> Box:
        """Put the edit into ``image`` (H, W, 3), in place; gives the box that it may have touched.

        ``opacity`` 0..1 fades the movement, the shades and the invented pixels alike.
        """
        moves, mask, shade = self._prepared(edit, to_crop, opacity)
        box = self._box_of((moves, mask, shade), to_crop).within(image.shape)
        if box.empty:
            return Box(0, 0, 0, 0)
        from_box = to_crop.after(Similarity(1.0, 0.0, float(box.left), float(box.top)))
        moved = self._moved(image, moves, from_box, box)
        if shade.any():
            moved = self._shaded(moved, shade, from_box)
        part = self._box_of((mask,), to_crop).within(image.shape)
        if not part.empty:
            from_part = to_crop.after(Similarity(1.0, 0.0, float(part.left), float(part.top)))
            here = Box(part.left - box.left, part.top - box.top, part.right - box.left, part.bottom - box.top).slices
            share = sample(mask, from_part, part.shape, black_outside=True)
            moved[here] = blend_over(moved[here], share, edit.rgb, from_part)
        image[box.slices] = moved
        return box

    def _prepared(self, edit: Edit, to_crop: Similarity, opacity: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What is done, fading out towards the crop's border: moves (G, G, 2) in photo pixels, gated mask (S, S, 1),
        shades (C, C, 3)."""
        spec, share = self._mask, np.float32(opacity)
        limit = np.float32(_MAXIMUM_FLOW * self._size_px)
        flow = np.clip(edit.flow, -limit, limit) * (self._window_of(edit.flow, spec.feather_px) * share)
        # Turned while there are few of them: between cells, moves are interpolated whichever way they are counted.
        moves = to_crop.inverse().turn(flow)
        moves[(np.abs(moves[..., 0]) < _STILL_PX) & (np.abs(moves[..., 1]) < _STILL_PX)] = 0.0
        mask = open_gate(edit.mask, spec) * (self._window_of(edit.mask, spec.feather_px) * share)
        shade = edit.shade
        if edit.shade.any():
            shade = np.clip(edit.shade, -1.0, 1.0) * (self._window_of(edit.shade, spec.shade_feather_px) * share)
        return moves, mask.astype(np.float32, copy=False), shade.astype(np.float32, copy=False)

    def _window_of(self, field: FloatArray, feather_px: float) -> FloatArray:
        cells, channels = field.shape[1:]
        return wide_window(cells, feather_px * cells / self._size_px, channels)

    def _box_of(self, fields: Sequence[FloatArray], to_crop: Similarity) -> Box:
        """The upright box in the photo in which any of the fields (n, n, channels) of the crop is not 0."""
        corners = [corner for field in fields for corner in _extent(field, self._size_px)]
        if not corners:
            return Box(0, 0, 0, 0)
        (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
        square = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
        mapped = to_crop.inverse().apply(square)
        low, high = np.floor(mapped.min(axis=0)), np.ceil(mapped.max(axis=0)) + 1
        whole = crop_box(to_crop, self._size_px)
        return Box(
            max(int(low[0]), whole.left),
            max(int(low[1]), whole.top),
            min(int(high[0]), whole.right),
            min(int(high[1]), whole.bottom),
        )

    def _to_cells(self, field: FloatArray, from_box: Similarity) -> Similarity:
        """From the box's pixels to the cells of a field of the crop."""
        step = field.shape[0] / self._size_px
        return Similarity(step, 0.0, (step - 1.0) / 2.0, (step - 1.0) / 2.0).after(from_box)

    def _moved(self, image: Image, moves: FloatArray, from_box: Similarity, box: Box) -> Image:
        """The pixels of the box, each from where it comes."""
        cut, left, top = _source(image, box, moves)
        found = sample(moves, self._to_cells(moves, from_box), box.shape, black_outside=True)
        found += positions(top + box.shape[0], left + box.shape[1])[top:, left:]
        return remap(cut, found)

    def _shaded(self, moved: Image, shade: FloatArray, from_box: Similarity) -> Image:
        """Each level v, 0..1, becomes v + shade v (1 - v): lighter or darker; black, white and the range are kept."""
        shape = (moved.shape[0], moved.shape[1])
        amount = sample(shade, self._to_cells(shade, from_box), shape, black_outside=True)
        level = moved.astype(np.float32)
        amount *= level * (255.0 - level) * np.float32(1.0 / 255.0)
        level += amount
        return np.rint(level).astype(np.uint8)


def _extent(field: FloatArray, size_px: int) -> list[tuple[float, float]]:
    """Two corners (x, y) in the crop between which a field (n, n, channels) is not 0, a cell's reach included."""
    rows, columns = occupied(field)
    if not len(rows):
        return []
    cell = size_px / field.shape[0]
    return [
        ((columns[0] - 1) * cell - 0.5, (rows[0] - 1) * cell - 0.5),
        ((columns[-1] + 2) * cell - 0.5, (rows[-1] + 2) * cell - 0.5),
    ]


def occupied(field: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows and the columns of a field (h, w, channels) in which something is not 0."""
    height, width, channels = field.shape
    active = field.reshape(height, width * channels) != 0.0  # NumPy is slow along an axis of a few channels
    across = active.any(axis=0).reshape(width, channels)
    return np.flatnonzero(active.any(axis=1)), np.flatnonzero(across.any(axis=1))


def _source(image: Image, box: Box, moves: FloatArray) -> tuple[Image, int, int]:
    """The part of the photo that the moves (G, G, 2) can reach from the box, and the box's left and top in it."""
    # Between cells nothing moves farther than at them, and nothing at all outside.
    x, y = moves[..., 0], moves[..., 1]
    reach = Box(
        box.left + int(np.floor(min(x.min(), 0.0))) - 1,
        box.top + int(np.floor(min(y.min(), 0.0))) - 1,
        box.right + int(np.ceil(max(x.max(), 0.0))) + 2,
        box.bottom + int(np.ceil(max(y.max(), 0.0))) + 2,
    ).within(image.shape)
    return image[reach.slices], box.left - reach.left, box.top - reach.top


def open_gate(mask: FloatArray, spec: MaskSpec) -> FloatArray:
    """The graph's mask (S, S, 1) as the gate of ``spec`` opens it, 0..1."""
    scale = np.float32(1.0 / (spec.gate_high - spec.gate_low))
    return np.asarray(np.clip((mask - np.float32(spec.gate_low)) * scale, 0.0, 1.0), np.float32)


def blend_over(moved: Image, mask: FloatArray, rgb: FloatArray, from_box: Similarity) -> Image:
    """Invented pixels over a photo's (h, w, 3), where the mask (h, w, 1) is open.

    ``rgb`` (S, S, 3) 0..1 lies in the crop, to which ``from_box`` goes from the photo's pixels.
    """
    rows, columns = occupied(mask)
    if not len(rows):
        return moved
    part = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    transform = from_box.after(Similarity(1.0, 0.0, float(part.left), float(part.top)))
    invented = sample(rgb, transform, part.shape) * np.float32(255.0)
    below = moved[part.slices].astype(np.float32)
    share = mask[part.slices]
    mixed = below + share * (np.clip(invented, 0.0, 255.0) - below)
    result = moved.copy()
    result[part.slices] = np.rint(mixed).astype(np.uint8)
    return result


@lru_cache(maxsize=16)
def border_window(cells: int, feather_cells: float) -> FloatArray:
    """(cells, cells), 1 inside and falling to 0 towards the border over ``feather_cells``, smoothly."""
    distance = np.minimum(np.arange(cells), np.arange(cells)[::-1]).astype(np.float32) / np.float32(feather_cells)
    ramp = np.clip(distance, 0.0, 1.0)
    smooth = ramp * ramp * (3.0 - 2.0 * ramp)
    window = np.asarray(np.minimum(smooth[:, None], smooth[None, :]), np.float32)
    window.setflags(write=False)
    return window


@lru_cache(maxsize=16)
def wide_window(cells: int, feather_cells: float, channels: int) -> FloatArray:
    """`border_window` for a field (cells, cells, channels)."""
    window = np.repeat(border_window(cells, feather_cells)[..., None], channels, axis=-1)
    window.setflags(write=False)
    return window
