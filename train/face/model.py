"""The expression network: an aligned crop and a change of units in; backward flow, and pixels to invent, out.

flow = linear basis of the units + residual of a small U-shaped network; mask and colour come from two heads that look
only at the mouth's and the eyes' part of the crop, since nothing else of a face ever has to be invented. What features
of a person change in skin and beard is a field of shades over the whole crop.

A change of zero gives exactly zero flow, mask and shade, in every precision: the basis has no bias, and the others are
multiplied by an ``amount`` that grows from zero with the sum of |changes|. Below full amount the residual is
therefore in proportion to the change, as the basis is, and so are shades. Only expressions open the mask, and only
features have shades.

Only `keras.ops` and layers that become built-in TFLite operators. The conditioning is FiLM (Perez et al. 2018) without
statistics of its input: a gain and a shift per channel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from edge_runtime.errors import WorkstationError
from train.face.config import FaceConfig
from train.face.presets import NEARBY, Patch
from train.face.units import FEATURE_NAMES
from train.norm import BatchNormalization

Tensor = Any
Film = Callable[[Tensor, str], Tensor]

NORM_EPSILON = 1e-3
FLOW_SCALE_PX = 8.0
"""Residual flow in crop pixels at a network output of 1."""
_RELU6 = 6.0
_FULL_RESIDUAL, _FULL_MASK = 1.0, 0.125
"""Sum of |changes| from which residual and mask count in full."""
_FULL_SHADE = 1.0
_SHADE_WIDTH = 24
_PATCH_FADE_PX = 3.0
_HEAD_CHANNELS = 12
_NEARBY_PX = 8
BASIS = "basis"
HEAD_PREFIX = "head_"


def build_generator(config: FaceConfig, batch: int | None = None) -> keras.Model:
    """image (B, S, S, 3) 0..1, delta (B, U) to flow (B, G, G, 2) in crop pixels, mask (B, S, S, 1), rgb (B, S, S, 3),
    and shade (B, S/2, S/2, 3) -1..1.

    ``batch`` 1 gives the static shapes that are exported; the weights of both forms are the same.
    """
    preset = config.preset
    size = config.crop.size_px
    image = keras.Input((size, size, 3), batch_size=batch, name="image")
    delta = keras.Input((len(config.units),), batch_size=batch, name="delta")
    signs = _signs(delta)
    condition = layers.Dense(preset.condition, name="condition")(signs)
    condition = layers.ReLU(_RELU6, name="condition_relu")(condition)

    def film(x: Tensor, name: str) -> Tensor:
        return _film(x, condition, name)

    skip, deep = _trunk(config, image, film)
    flow = _flow(config, delta, signs, deep)
    mask, rgb = _heads(config, image, signs, skip, deep, flow, film)
    outputs = {"flow": flow, "mask": mask, "rgb": rgb, "shade": _shade(config, signs, skip, deep, film)}
    return keras.Model({"image": image, "delta": delta}, outputs, name="expression_generator")


def build_linear(config: FaceConfig, batch: int | None = None) -> keras.Model:
    """The fallback tier: the linear basis alone, behind the same inputs and outputs."""
    size = config.crop.size_px
    image = keras.Input((size, size, 3), batch_size=batch, name="image")
    delta = keras.Input((len(config.units),), batch_size=batch, name="delta")
    nothing = image * 0.0
    half = size // 2
    outputs = {
        "flow": _basis(config, delta),
        "mask": nothing[..., :1],
        "rgb": nothing,
        "shade": nothing[:, :half, :half],
    }
    return keras.Model({"image": image, "delta": delta}, outputs, name="expression_linear")


def set_basis(model: keras.Model, basis: np.ndarray) -> None:
    """Put the fitted basis (U, G, G, 2), crop pixels for a change of 1, into the model."""
    model.get_layer(BASIS).set_weights([basis.reshape(len(basis), -1)])


def count_macs(model: keras.Model) -> int:
    """Multiply-accumulates of one face: the convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
            cells = int(np.prod(layer.output.shape[1:3]))
            channels = int(layer.output.shape[-1])
            taps = int(np.prod(layer.kernel_size))
            per_cell = taps * channels
            if isinstance(layer, layers.Conv2D) and not isinstance(layer, layers.DepthwiseConv2D):
                per_cell *= int(layer.input.shape[-1])
            total += cells * per_cell
        elif isinstance(layer, layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total


def is_head(layer: Any) -> bool:
    """Whether a layer serves only what is invented."""
    return str(layer.name).startswith(HEAD_PREFIX)


def _signs(delta: Tensor) -> Tensor:
    """Increases and decreases apart, (B, 2 U), none negative: a unit's two directions look different."""
    units = int(delta.shape[-1])
    both = np.concatenate([np.eye(units, dtype=np.float32), -np.eye(units, dtype=np.float32)], axis=1)
    x = _fixed_dense(2 * units, both, "signs")(delta)
    return layers.ReLU(name="signs_relu")(x)


def _amount(signs: Tensor, full: float, name: str, counted: np.ndarray | None = None) -> Tensor:
    """(B, 1, 1, 1): 0 without any change, growing in proportion to 6 at a sum of |changes| of ``full``.

    ``counted`` (U,) says with 1 which units count; all do without it.
    """
    slope = np.full((int(signs.shape[-1]), 1), _RELU6 / full, np.float32)
    if counted is not None:
        slope *= np.tile(counted, 2)[:, None]
    x = layers.ReLU(_RELU6, name=f"{name}_relu")(_fixed_dense(1, slope, name)(signs))
    return layers.Reshape((1, 1, 1), name=f"{name}_reshape")(x)


def _fixed_dense(units: int, kernel: np.ndarray, name: str) -> layers.Dense:
    """A dense layer with a constant kernel; where a converter has no slow path for the operation itself."""
    return layers.Dense(units, use_bias=False, kernel_initializer=_constant(kernel), trainable=False, name=name)


def _constant(value: np.ndarray) -> Callable[..., Tensor]:
    return lambda shape, dtype=None: ops.convert_to_tensor(value.reshape(shape), dtype)


def _film(x: Tensor, condition: Tensor, name: str) -> Tensor:
    channels = int(x.shape[-1])
    near_one = keras.initializers.RandomNormal(0.0, 0.1)
    gain = layers.Dense(channels, kernel_initializer=near_one, bias_initializer="ones", name=f"{name}_gain")(condition)
    shift = layers.Dense(channels, kernel_initializer=near_one, name=f"{name}_shift")(condition)
    return x * ops.reshape(gain, (-1, 1, 1, channels)) + ops.reshape(shift, (-1, 1, 1, channels))


def _norm(x: Tensor, name: str) -> Tensor:
    return BatchNormalization(epsilon=NORM_EPSILON, momentum=0.95, name=f"{name}_norm")(x)


def _relu(x: Tensor, name: str) -> Tensor:
    return layers.ReLU(_RELU6, name=f"{name}_relu")(x)


def _conv(x: Tensor, width: int, kernel: int, stride: int, name: str) -> Tensor:
    y = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, name=name)(x)
    return _relu(_norm(y, name), name)


def _depthwise(x: Tensor, kernel: int, stride: int, name: str) -> Tensor:
    y = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=name)(x)
    return _relu(_norm(y, name), name)


def _separable(x: Tensor, width: int, kernel: int, stride: int, name: str, film: Film | None = None) -> Tensor:
    y = _depthwise(x, kernel, stride, f"{name}_depthwise")
    y = _norm(layers.Conv2D(width, 1, use_bias=False, name=f"{name}_point")(y), f"{name}_point")
    return _relu(film(y, name) if film else y, name)


def _residual(x: Tensor, name: str, film: Film | None = None) -> Tensor:
    width = int(x.shape[-1])
    y = _conv(x, 2 * width, 1, 1, f"{name}_expand")
    y = _depthwise(y, 3, 1, f"{name}_depthwise")
    y = _norm(layers.Conv2D(width, 1, use_bias=False, name=f"{name}_project")(y), f"{name}_project")
    return x + (film(y, name) if film else y)


def _stack(x: Tensor, count: int, name: str, film: Film | None = None) -> Tensor:
    for i in range(count):
        x = _residual(x, f"{name}_{i}", film)
    return x


def _up(x: Tensor, name: str) -> Tensor:
    return layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_up")(x)


def _trunk(config: FaceConfig, image: Tensor, film: Film) -> tuple[Tensor, Tensor]:
    """Features at 1/2 (before anything is known of the wish) and at 1/4 of the crop."""
    preset = config.preset
    half = _conv(image, preset.widths[0], 5, 2, "down1")
    quarter = _separable(half, preset.widths[1], 5, 2, "down2")
    quarter = _stack(quarter, preset.blocks[0], "down2_block")
    eighth = _separable(quarter, preset.widths[2], 5, 2, "down3", film)
    eighth = _stack(eighth, preset.blocks[1], "down3_block", film)
    deep = _separable(eighth, preset.widths[3], 5, 2, "down4", film)
    deep = _stack(deep, preset.blocks[2], "down4_block", film)
    x = ops.concatenate([_up(deep, "up3"), eighth], axis=-1)
    x = _separable(x, preset.up_widths[0], 3, 1, "up3", film)
    x = _stack(x, preset.up_blocks[0], "up3_block", film)
    x = ops.concatenate([_up(x, "up2"), quarter], axis=-1)
    x = _separable(x, preset.up_widths[1], 3, 1, "up2", film)
    return half, _stack(x, preset.up_blocks[1], "up2_block", film)


def _basis(config: FaceConfig, delta: Tensor) -> Tensor:
    cells = config.flow_cells
    x = layers.Dense(cells * cells * 2, use_bias=False, kernel_initializer="zeros", trainable=False, name=BASIS)(delta)
    return layers.Reshape((cells, cells, 2), name="basis_field")(x)


def _flow(config: FaceConfig, delta: Tensor, signs: Tensor, deep: Tensor) -> Tensor:
    small = keras.initializers.RandomNormal(0.0, 1e-3)
    x = layers.Conv2D(2, 3, padding="same", kernel_initializer=small, name="residual_flow")(deep)
    x = x * _amount(signs, _FULL_RESIDUAL, "amount")
    x = layers.UpSampling2D(config.flow_cells // int(deep.shape[1]), interpolation="bilinear", name="flow_up")(x)
    return _basis(config, delta) + x * (FLOW_SCALE_PX / _RELU6)


def _shade(config: FaceConfig, signs: Tensor, skip: Tensor, deep: Tensor, film: Film) -> Tensor:
    """(B, S/2, S/2, 3) -1..1; see `edge_runtime.face.compose`. Only features have it."""
    name = f"{HEAD_PREFIX}shade"
    x = _separable(ops.concatenate([_up(deep, name), skip], axis=-1), _SHADE_WIDTH, 3, 1, name, film)
    small = keras.initializers.RandomNormal(0.0, 1e-2)
    x = layers.Conv2D(3, 3, padding="same", activation="tanh", kernel_initializer=small, name=f"{name}_out")(x)
    return x * (_amount(signs, _FULL_SHADE, f"{name}_amount", _features(config)) * (1.0 / _RELU6))


def _features(config: FaceConfig) -> np.ndarray:
    """(U,) 1 for units that are features of the person."""
    return np.array([unit in FEATURE_NAMES for unit in config.units], np.float32)


def _heads(
    config: FaceConfig, image: Tensor, signs: Tensor, skip: Tensor, deep: Tensor, flow: Tensor, film: Film
) -> tuple[Tensor, Tensor]:
    # Features need nothing invented; what they change in colour is shade's, which knows no patch and leaves no edge.
    amount = _amount(signs, _FULL_MASK, f"{HEAD_PREFIX}amount", 1.0 - _features(config))
    whole = [_head(config, patch, image, amount, skip, deep, flow, film) for patch in config.patches]
    mask, rgb = whole[0]
    for other_mask, other_rgb in whole[1:]:
        mask, rgb = mask + other_mask, rgb + other_rgb
    return mask, rgb


def _head(
    config: FaceConfig,
    patch: Patch,
    image: Tensor,
    amount: Tensor,
    skip: Tensor,
    deep: Tensor,
    flow: Tensor,
    film: Film,
) -> tuple[Tensor, Tensor]:
    """Mask and colour of one patch, in their place in a crop of zeros."""
    if not hasattr(ops, "depth_to_space"):
        raise WorkstationError("faces are trained with Keras 3.15 or newer, which needs Python 3.11; train there")
    name, preset = f"{HEAD_PREFIX}{patch.name}", config.preset
    pixels = ops.space_to_depth(_cut(image, patch, 1), 2)
    # Where the flow takes the lips or lids says where the gap is; the heads must not bend the flow to their own ends.
    moved = ops.stop_gradient(_cut(flow, patch, config.cell_px)) * (1.0 / FLOW_SCALE_PX)
    x = ops.concatenate([_up(_cut(deep, patch, 4), name), _cut(skip, patch, 2), pixels, moved], axis=-1)
    x = _separable(x, preset.head_width, 3, 1, name, film)
    x = _stack(x, preset.head_blocks, f"{name}_block", film)
    x = _conv(x, 4 * _HEAD_CHANNELS, 3, 1, f"{name}_half")
    x = ops.depth_to_space(x, 2)
    rgb = _colour(x, patch, _cut(image, patch, 1), name)
    # Shut at first: a mask that is a little open everywhere would teach the picture to be grey.
    mask_bias = keras.initializers.Constant(-4.0)
    mask = layers.Conv2D(1, 3, padding="same", activation="sigmoid", bias_initializer=mask_bias, name=f"{name}_mask")(x)
    mask = shut_mask(mask, patch, amount)
    return _place(mask, patch, config.crop.size_px), _place(rgb, patch, config.crop.size_px)


def shut_mask(mask: Tensor, patch: Patch, amount: Tensor) -> Tensor:
    """The mask (B, h, w, 1) of a patch, shut where little is asked for and at the patch's border."""
    return mask * amount * (_window(patch) / _RELU6)


def _colour(x: Tensor, patch: Patch, around: Tensor, name: str) -> Tensor:
    """Colours 0..1 from features x, counted from the photo's own: what is unlike anything rendered keeps its tone."""
    logits = layers.Conv2D(3, 3, padding="same", name=f"{name}_rgb")(x)
    return colour_near(logits, patch, around, name)


def colour_near(logits: Tensor, patch: Patch, around: Tensor, name: str) -> Tensor:
    """Colours 0..1 (B, h, w, 3) whose ``logits`` are counted from those of the patch ``around`` (B, h, w, 3)."""
    near = _mean(around, (_NEARBY_PX, _NEARBY_PX))
    if patch.counts_from == NEARBY:
        near = layers.UpSampling2D(_NEARBY_PX, interpolation="bilinear", name=f"{name}_near_up")(near)
    else:
        near = _mean(near, tuple(int(side) for side in near.shape[1:3]))
    # 4 (c - 1/2) is the logit of c to first order.
    return ops.sigmoid(logits + (near * 4.0 - 2.0))


def _mean(image: Tensor, cell: tuple[int, ...]) -> Tensor:
    """Means over square cells, or the whole; as a convolution, since no accelerator takes a pooling in integers."""
    kernel = np.full((*cell, 3, 1), 1.0 / (cell[0] * cell[1]), np.float32)
    # One step of the same length both ways is all that TensorFlow runs; of a whole picture there is one cell alone.
    step = cell[0] if cell[0] == cell[1] else 1
    return ops.depthwise_conv(image, kernel, strides=step, padding="valid")


def _cut(x: Tensor, patch: Patch, stride: int) -> Tensor:
    """The patch of a field whose cells are ``stride`` crop pixels wide."""
    top, left = patch.top_px // stride, patch.left_px // stride
    return x[:, top : top + patch.height_px // stride, left : left + patch.width_px // stride, :]


def _place(x: Tensor, patch: Patch, size_px: int) -> Tensor:
    below, right = size_px - patch.top_px - patch.height_px, size_px - patch.left_px - patch.width_px
    return ops.pad(x, [[0, 0], [patch.top_px, below], [patch.left_px, right], [0, 0]])


def _window(patch: Patch) -> np.ndarray:
    """(1, height, width, 1): 1 inside, falling to 0 at the patch's border, where there must be no seam."""
    rows, columns = (
        np.clip((np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) / _PATCH_FADE_PX, 0.0, 1.0)
        for n in (patch.height_px, patch.width_px)
    )
    return np.minimum(rows[:, None], columns[None, :])[None, :, :, None].astype(np.float32)
