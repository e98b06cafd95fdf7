"""What the device does with the network's answer, in `keras.ops`, so that a loss can see the finished picture.

The same mathematics as `edge_runtime.face.compose` on the crop itself: flow to full resolution, backward bilinear warp
with the border repeated, shades, gated mask, blend.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from edge_runtime.face.compose import border_window
from edge_runtime.face_path_contract import EditMaskSpec, MaskSpec

Tensor = Any


def upsample_flow(flow: Tensor, size: int) -> Tensor:
    """(B, G, G, 2) in crop pixels to (B, size, size, 2), bilinear between the cells' middles."""
    return ops.image.resize(flow, (size, size), interpolation="bilinear", data_format="channels_last")


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """``image`` (B, S, S, C) at every pixel's place plus ``flow`` (B, S, S, 2); gradients reach the flow too."""
    size, channels = int(image.shape[1]), int(image.shape[3])
    rows, columns = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32), indexing="ij")
    x = ops.clip(flow[..., 0] + columns, 0.0, size - 1.0)
    y = ops.clip(flow[..., 1] + rows, 0.0, size - 1.0)
    left = ops.clip(ops.floor(x), 0.0, size - 2.0)
    top = ops.clip(ops.floor(y), 0.0, size - 2.0)
    share_x, share_y = (x - left)[..., None], (y - top)[..., None]
    flat = ops.reshape(image, (-1, size * size, channels))
    first = ops.cast(ops.stop_gradient(top * size + left), "int32")

    def at(step: int) -> Tensor:
        index = ops.reshape(first + step, (-1, size * size, 1))
        return ops.reshape(ops.take_along_axis(flat, index, axis=1), (-1, size, size, channels))

    above = at(0) * (1.0 - share_x) + at(1) * share_x
    below = at(size) * (1.0 - share_x) + at(size + 1) * share_x
    return above * (1.0 - share_y) + below * share_y


def upsample_shade(shade: Tensor, size: int, spec: EditMaskSpec) -> Tensor:
    """(B, C, C, 3) to (B, size, size, 3), fading out towards the crop's border as on the device."""
    cells = int(shade.shape[1])
    window = border_window(cells, spec.shade_feather_px * cells / size)[None, :, :, None]
    return ops.image.resize(shade * window, (size, size), interpolation="bilinear", data_format="channels_last")


def shaded(image: Tensor, shade: Tensor) -> Tensor:
    """``image`` lighter or darker by ``shade``, both (B, S, S, 3)."""
    return image + shade * image * (1.0 - image)


def gate(mask: Tensor, spec: MaskSpec) -> Tensor:
    """The mask as the device opens it: shut below ``gate_low``, open from ``gate_high``."""
    return ops.clip((mask - spec.gate_low) * (1.0 / (spec.gate_high - spec.gate_low)), 0.0, 1.0)


def blend(warped: Tensor, mask: Tensor, rgb: Tensor) -> Tensor:
    """Invented pixels over warped ones; ``mask`` (B, S, S, 1) is gated already."""
    return warped + mask * (rgb - warped)
