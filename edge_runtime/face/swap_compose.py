"""The painted face put into the photo: mask = learned x box x what is kept of the mouth, blended in the region only.

Pixels outside the mask keep their exact values. A face that is lost can be hidden behind coarse squares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.colour_match import apply_curves
from edge_runtime.face.compose import blend_over, border_window, open_gate
from edge_runtime.face.geometry import Box, FloatArray, Similarity, crop_box
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample, shrink
from edge_runtime.swap_contract import SwapManifest

Image = NDArray[np.uint8]


class SwapComposer:
    """Puts swapped faces into photos for one model."""

    def __init__(self, manifest: SwapManifest) -> None:
        self._size_px = manifest.crop.size_px
        self._mask, self._mouth = manifest.mask, manifest.mouth
        self._window = border_window(self._size_px, self._mask.feather_px)[..., None]

    def crop(self, image: Image, to_crop: Similarity) -> Image:
        """The aligned crop (S, S, 3) of a photo."""
        return sample(image, to_crop.inverse(), (self._size_px, self._size_px))

    def shown(self, mask: FloatArray) -> FloatArray:
        """Where the graph's mask (S, S, 1) lets the face show, 0..1: learned x box."""
        return np.asarray(open_gate(mask, self._mask) * self._window, np.float32)

    def mouth(self, face: Face, to_crop: Similarity) -> FloatArray:
        """(S, S, 1) 1 where the photo's own mouth is, falling to 0 around it: an ellipse about the lips."""
        spec = self._mouth
        points = to_crop.apply(face.points[list(spec.points), :2])
        low, high = points.min(axis=0), points.max(axis=0)
        radius = np.maximum((high - low) / 2.0 + spec.margin_px, 1.0)
        at = np.arange(self._size_px, dtype=np.float32)
        x, y = ((at - middle) / reach for middle, reach in zip((low + high) / 2.0, radius, strict=True))
        beyond_px = (np.hypot(x[None, :], y[:, None]) - 1.0) * float(radius.min())
        return np.asarray(np.clip(1.0 - beyond_px / spec.feather_px, 0.0, 1.0)[..., None], np.float32)

    def paste(self, image: Image, rgb: FloatArray, shown: FloatArray, to_crop: Similarity) -> Box:
        """Blend ``rgb`` (S, S, 3) into ``image`` (H, W, 3) by ``shown`` (S, S, 1), in place; gives the box touched."""
        box = crop_box(to_crop, self._size_px).within(image.shape)
        if box.empty or not shown.max() > 0.0:
            return Box(0, 0, 0, 0)
        from_box = to_crop.after(Similarity(1.0, 0.0, float(box.left), float(box.top)))
        mask = sample(shown, from_box, box.shape, black_outside=True)
        image[box.slices] = blend_over(image[box.slices], mask, rgb, from_box)
        return box


def finished(rgb: FloatArray, curves: FloatArray) -> FloatArray:
    """The painted face (S, S, 3) in the colours that ``curves`` give it."""
    return apply_curves(np.clip(rgb, 0.0, 1.0), curves)


def hide(image: Image, box: Box, cells: int) -> None:
    """Show a part of ``image`` as about ``cells`` squares across its shorter side, in place."""
    inside = box.within(image.shape)
    if inside.empty:
        return
    height, width = inside.shape
    side = max(1, min(height, width) // cells)
    small = shrink(np.ascontiguousarray(image[inside.slices]), side)
    rows = np.minimum(np.arange(height) // side, small.shape[0] - 1)
    columns = np.minimum(np.arange(width) // side, small.shape[1] - 1)
    image[inside.slices] = small[rows][:, columns]
