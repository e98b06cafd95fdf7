"""The swap network: an aligned crop and an identity's vector in; that identity's face, and where it shows, out.

The face is drawn from a dense code of the photo alone (the shared encoder and bottleneck of DeepFaceLab, Perov et al.
2020): skips would carry the photo's own features over, and so the very face that is to go. The code knows expression,
pose and light; the identity scales and shifts the decoder's channels (FiLM, Perez et al. 2018, without statistics of
the picture, so that one identity folds into the convolutions). The mask has skips: it must follow a strand of hair or a
finger to the pixel, and no colour passes through it.

One description builds both forms: `build_swap` to train, with normalisation and FiLM, and `build_folded` to export, one
plain net of convolutions, whose weights `folded_weights` computes.
"""

from __future__ import annotations

from typing import Any, Protocol

import keras
import numpy as np
from keras import layers, ops

from edge_runtime.face.geometry import FloatArray
from train.face.model import NORM_EPSILON
from train.face.swap.presets import SwapPreset
from train.norm import BatchNormalization

Tensor = Any
_RELU6 = 6.0
MASK_PREFIX = "mask"
RGB, MASK = "rgb", "mask"


class Kit(Protocol):
    """What a layer of convolution is made of: in training three layers, in the exported net one."""

    def conv(self, x: Tensor, width: int, kernel: int, stride: int, name: str, *, film: bool, relu: bool) -> Tensor:
        """A convolution, normalised, steered by the identity where ``film``."""

    def depthwise(self, x: Tensor, kernel: int, stride: int, name: str) -> Tensor:
        """A depthwise convolution, normalised, with ReLU6."""


class TrainedKit:
    """Convolution without bias, batch normalisation, FiLM of an identity (B, E)."""

    def __init__(self, identity: Tensor) -> None:
        self._identity = identity

    def conv(self, x: Tensor, width: int, kernel: int, stride: int, name: str, *, film: bool, relu: bool) -> Tensor:
        """See `Kit.conv`."""
        y = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, name=name)(x)
        y = _norm(y, name)
        if film:
            small = keras.initializers.RandomNormal(0.0, 0.05)
            gain = layers.Dense(width, kernel_initializer=small, bias_initializer="ones", name=f"{name}_gain")
            shift = layers.Dense(width, kernel_initializer=small, name=f"{name}_shift")
            y = y * _channels(gain(self._identity), width) + _channels(shift(self._identity), width)
        return _relu(y, name) if relu else y

    def depthwise(self, x: Tensor, kernel: int, stride: int, name: str) -> Tensor:
        """See `Kit.depthwise`."""
        y = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=name)(x)
        return _relu(_norm(y, name), name)


class FoldedKit:
    """Convolutions with a bias, and nothing beside them."""

    def conv(self, x: Tensor, width: int, kernel: int, stride: int, name: str, *, film: bool, relu: bool) -> Tensor:
        """See `Kit.conv`."""
        y = layers.Conv2D(width, kernel, stride, padding="same", name=name)(x)
        return _relu(y, name) if relu else y

    def depthwise(self, x: Tensor, kernel: int, stride: int, name: str) -> Tensor:
        """See `Kit.depthwise`."""
        return _relu(layers.DepthwiseConv2D(kernel, stride, padding="same", name=name)(x), name)


def build_swap(preset: SwapPreset, size_px: int, batch: int | None = None) -> keras.Model:
    """image (B, S, S, 3) 0..1 and identity (B, E) to rgb (B, S, S, 3) and mask (B, S, S, 1), both 0..1."""
    image = keras.Input((size_px, size_px, 3), batch_size=batch, name="image")
    identity = keras.Input((preset.identity,), batch_size=batch, name="identity")
    outputs = _network(preset, image, TrainedKit(identity))
    return keras.Model({"image": image, "identity": identity}, outputs, name="swap")


def build_folded(preset: SwapPreset, size_px: int) -> keras.Model:
    """The same for one picture and one identity: image (1, S, S, 3) to rgb and mask."""
    image = keras.Input((size_px, size_px, 3), batch_size=1, name="image")
    return keras.Model({"image": image}, _network(preset, image, FoldedKit()), name="swap_folded")


def fold(model: keras.Model, identity: FloatArray, preset: SwapPreset, size_px: int) -> keras.Model:
    """The plain net of ``model`` for one ``identity`` (E,); its weights are copies."""
    folded = build_folded(preset, size_px)
    trained = {layer.name: layer for layer in model.layers}
    for layer in folded.layers:
        if layer.weights:
            layer.set_weights(folded_weights(layer.name, trained, identity))
    return folded


def folded_weights(name: str, trained: dict[str, Any], identity: FloatArray) -> list[np.ndarray]:
    """Kernel and bias of a layer of the plain net.

    gain (norm(kernel x)) + shift = (gain scale kernel) x + (gain offset + shift), per channel of the output.
    """
    weights = [np.asarray(weight, np.float64) for weight in trained[name].get_weights()]
    if f"{name}_norm" not in trained:
        return weights
    gamma, beta, mean, variance = (np.asarray(w, np.float64) for w in trained[f"{name}_norm"].get_weights())
    scale = gamma / np.sqrt(variance + NORM_EPSILON)
    offset = beta - mean * scale
    if f"{name}_gain" in trained:
        gain, shift = (_dense(trained[f"{name}_{what}"], identity) for what in ("gain", "shift"))
        scale, offset = gain * scale, gain * offset + shift
    kernel = weights[0]
    # a depthwise kernel is (h, w, channels, 1), any other (h, w, in, out)
    shape = (1, 1, -1, 1) if isinstance(trained[name], layers.DepthwiseConv2D) else (1, 1, 1, -1)
    return [kernel * scale.reshape(shape), offset]


def is_mask(name: str) -> bool:
    """Whether a layer serves only the mask."""
    return name.startswith(f"{MASK_PREFIX}_")


def is_film(name: str) -> bool:
    """Whether a layer makes gains or shifts of an identity."""
    return name.endswith(("_gain", "_shift"))


def _dense(layer: Any, x: FloatArray) -> np.ndarray:
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    return np.asarray(x, np.float64) @ kernel + bias


def _channels(x: Tensor, width: int) -> Tensor:
    return ops.reshape(x, (-1, 1, 1, width))


def _norm(x: Tensor, name: str) -> Tensor:
    return BatchNormalization(epsilon=NORM_EPSILON, momentum=0.97, name=f"{name}_norm")(x)


def _relu(x: Tensor, name: str) -> Tensor:
    return layers.ReLU(_RELU6, name=f"{name}_relu")(x)


def _up(x: Tensor, name: str) -> Tensor:
    return layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_up")(x)


def _separable(kit: Kit, x: Tensor, width: int, kernel: int, stride: int, name: str, *, film: bool = False) -> Tensor:
    y = kit.depthwise(x, kernel, stride, f"{name}_depthwise")
    return kit.conv(y, width, 1, 1, f"{name}_point", film=film, relu=True)


def _residual(kit: Kit, x: Tensor, name: str, *, film: bool) -> Tensor:
    """An inverted residual block (Sandler et al. 2018)."""
    width = int(x.shape[-1])
    y = kit.conv(x, 2 * width, 1, 1, f"{name}_expand", film=False, relu=True)
    y = kit.depthwise(y, 3, 1, f"{name}_depthwise")
    return x + kit.conv(y, width, 1, 1, f"{name}_project", film=film, relu=False)


def _stack(kit: Kit, x: Tensor, count: int, name: str, *, film: bool = False) -> Tensor:
    for i in range(count):
        x = _residual(kit, x, f"{name}_{i}", film=film)
    return x


def _network(preset: SwapPreset, image: Tensor, kit: Kit) -> dict[str, Tensor]:
    half, quarter, eighth, deep = _encoder(preset, image, kit)
    code = _bottleneck(preset, deep, kit)
    return {RGB: _decoder(preset, code, kit), MASK: _mask(preset, (half, quarter, eighth, deep), kit)}


def _encoder(preset: SwapPreset, image: Tensor, kit: Kit) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    half = kit.conv(image, preset.widths[0], 5, 2, "down1", film=False, relu=True)
    found = [half]
    for level, (width, count) in enumerate(zip(preset.widths[1:], preset.blocks, strict=True), 2):
        x = _separable(kit, found[-1], width, 5, 2, f"down{level}")
        found.append(_stack(kit, x, count, f"down{level}_block"))
    return found[0], found[1], found[2], found[3]


def _bottleneck(preset: SwapPreset, deep: Tensor, kit: Kit) -> Tensor:
    side = int(deep.shape[1])
    x = kit.conv(deep, preset.squeeze, 1, 1, "squeeze", film=False, relu=True)
    x = layers.Dense(preset.code, name="code")(layers.Reshape((side * side * preset.squeeze,), name="flat")(x))
    x = layers.ReLU(_RELU6, name="spread_relu")(layers.Dense(side * side * preset.spread, name="spread")(x))
    return layers.Reshape((side, side, preset.spread), name="unflat")(x)


def _decoder(preset: SwapPreset, code: Tensor, kit: Kit) -> Tensor:
    widths, blocks = preset.up_widths, preset.up_blocks
    x = kit.conv(code, widths[0], 3, 1, "up0", film=True, relu=True)
    x = kit.conv(_up(x, "up1"), widths[1], 3, 1, "up1", film=True, relu=True)
    x = _stack(kit, x, blocks[0], "up1_block", film=True)
    for level in (2, 3):
        x = _separable(kit, _up(x, f"up{level}"), widths[level], 3, 1, f"up{level}", film=True)
        x = _stack(kit, x, blocks[level - 1], f"up{level}_block", film=True)
    x = kit.conv(x, 12, 3, 1, "rgb_half", film=True, relu=False)
    return layers.Activation("sigmoid", name="rgb_sigmoid")(ops.depth_to_space(x, 2))


def _mask(preset: SwapPreset, features: tuple[Tensor, Tensor, Tensor, Tensor], kit: Kit) -> Tensor:
    half, quarter, eighth, deep = features
    x = kit.conv(deep, 2 * preset.mask_width, 1, 1, f"{MASK_PREFIX}_deep", film=True, relu=True)
    for level, skip in ((1, eighth), (2, quarter), (3, half)):
        x = ops.concatenate([_up(x, f"{MASK_PREFIX}_{level}"), skip], axis=-1)
        width = preset.mask_width * (2 if level == 1 else 1)
        x = _separable(kit, x, width, 3, 1, f"{MASK_PREFIX}_{level}", film=True)
    x = kit.conv(x, 4, 3, 1, f"{MASK_PREFIX}_half", film=True, relu=False)
    return layers.Activation("sigmoid", name=f"{MASK_PREFIX}_sigmoid")(ops.depth_to_space(x, 2))
