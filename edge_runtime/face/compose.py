"""The graph's answer put into the photo: its own pixels moved at its own resolution, invented ones blended over.

Only the box about the crop is touched, and of it only what moves or is invented: every other pixel keeps its exact
value. Whole frames are never blended, over time or otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import Box, FloatArray, Similarity, crop_box
from edge_runtime.face.remap import remap, sample
from edge_runtime.face_contract import CropSpec, EditMaskSpec, MaskSpec

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
        self._window = border_window(crop.size_px, mask.feather_px)

    def crop(self, image: Image, to_crop: Similarity) -> Image:
        """The aligned crop (S, S, 3) of a photo."""
        return sample(image, to_crop.inverse(), (self._size_px, self._size_px))

    def paste(self, image: Image, edit: Edit, to_crop: Similarity, opacity: float = 1.0) -> Box:
        """Put the edit into ``image`` (H, W, 3), in place; gives the box that it may have touched.

        ``opacity`` 0..1 fades the movement, the shades and the invented pixels alike.
        """
        flow, mask = self._prepared(edit, opacity)
        box = crop_box(to_crop, self._size_px).within(image.shape)
        if box.empty or not (flow.any() or mask.any() or edit.shade.any()):
            return Box(0, 0, 0, 0)
        from_box = to_crop.after(Similarity(1.0, 0.0, float(box.left), float(box.top)))
        x, y = self._positions(flow, from_box, box)
        cut, origin = _source(image, box, x, y)
        x -= np.float32(origin[0] - box.left)
        y -= np.float32(origin[1] - box.top)
        moved = remap(cut, x, y)
        if edit.shade.any():
            moved = self._shaded(moved, edit.shade * np.float32(opacity), from_box)
        if mask.any():
            moved = blend_over(moved, sample(mask, from_box, box.shape, black_outside=True), edit.rgb, from_box)
        image[box.slices] = moved
        return box

    def _prepared(self, edit: Edit, opacity: float) -> tuple[FloatArray, FloatArray]:
        """Flow (G, G, 2) in crop pixels and gated mask (S, S, 1), both fading out towards the crop's border."""
        spec = self._mask
        share = np.float32(opacity)
        size = edit.flow.shape[0]
        feather = spec.feather_px * size / self._size_px
        limit = np.float32(_MAXIMUM_FLOW * self._size_px)
        flow = np.clip(edit.flow, -limit, limit) * (border_window(size, feather)[..., None] * share)
        gated = open_gate(edit.mask, spec)
        return flow.astype(np.float32), (gated * self._window[..., None] * share).astype(np.float32)

    def _shaded(self, moved: Image, shade: FloatArray, from_box: Similarity) -> Image:
        """Each level v, 0..1, becomes v + shade v (1 - v): lighter or darker; black, white and the range are kept."""
        size = shade.shape[0]
        step = size / self._size_px
        window = border_window(size, self._mask.shade_feather_px * step)[..., None]
        to_cells = Similarity(step, 0.0, (step - 1.0) / 2.0, (step - 1.0) / 2.0)
        field = np.clip(shade, -1.0, 1.0) * window
        amount = sample(field, to_cells.after(from_box), (moved.shape[0], moved.shape[1]), black_outside=True)
        level = moved.astype(np.float32)
        amount *= level * (255.0 - level) * np.float32(1.0 / 255.0)
        level += amount
        return np.rint(level).astype(np.uint8)

    def _positions(self, flow: FloatArray, from_box: Similarity, box: Box) -> tuple[FloatArray, FloatArray]:
        """Where every pixel of the box comes from, in the box's coordinates: x and y (h, w)."""
        step = flow.shape[0] / self._size_px
        to_cells = Similarity(step, 0.0, (step - 1.0) / 2.0, (step - 1.0) / 2.0)
        moves = from_box.inverse().turn(sample(flow, to_cells.after(from_box), box.shape, black_outside=True))
        moves[(np.abs(moves) < _STILL_PX).all(axis=-1)] = 0.0
        moves[..., 0] += np.arange(box.shape[1], dtype=np.float32)
        moves[..., 1] += np.arange(box.shape[0], dtype=np.float32)[:, None]
        return np.ascontiguousarray(moves[..., 0]), np.ascontiguousarray(moves[..., 1])


def _source(image: Image, box: Box, x: FloatArray, y: FloatArray) -> tuple[Image, tuple[int, int]]:
    """The part of the photo that the positions reach, and its corner in the photo."""
    reach = Box(
        box.left + int(np.floor(x.min())) - 1,
        box.top + int(np.floor(y.min())) - 1,
        box.left + int(np.ceil(x.max())) + 2,
        box.top + int(np.ceil(y.max())) + 2,
    ).within(image.shape)
    return image[reach.slices], (reach.left, reach.top)


def open_gate(mask: FloatArray, spec: MaskSpec) -> FloatArray:
    """The graph's mask (S, S, 1) as the gate of ``spec`` opens it, 0..1."""
    scale = np.float32(1.0 / (spec.gate_high - spec.gate_low))
    return np.asarray(np.clip((mask - np.float32(spec.gate_low)) * scale, 0.0, 1.0), np.float32)


def blend_over(moved: Image, mask: FloatArray, rgb: FloatArray, from_box: Similarity) -> Image:
    """Invented pixels over a photo's (h, w, 3), where the mask (h, w, 1) is open.

    ``rgb`` (S, S, 3) 0..1 lies in the crop, to which ``from_box`` goes from the photo's pixels.
    """
    rows, columns = np.flatnonzero(mask.any(axis=(1, 2))), np.flatnonzero(mask.any(axis=(0, 2)))
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


def border_window(cells: int, feather_cells: float) -> FloatArray:
    """(cells, cells), 1 inside and falling to 0 towards the border over ``feather_cells``, smoothly."""
    distance = np.minimum(np.arange(cells), np.arange(cells)[::-1]).astype(np.float32) / np.float32(feather_cells)
    ramp = np.clip(distance, 0.0, 1.0)
    smooth = ramp * ramp * (3.0 - 2.0 * ramp)
    return np.asarray(np.minimum(smooth[:, None], smooth[None, :]), np.float32)
