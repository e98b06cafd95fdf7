"""The voice network in Keras 3: one set of layers in two forms.

`build_offline` sees whole utterances and is what trains; `build_step` sees one chunk of hops, carries its context as
explicit state tensors, has batch normalisation folded in, and is what is exported. Both make their layers from the
same names, and `copy_weights` moves the weights by those names.

    mel ─► encoder (causal blocks) ─► content ─┬─► decoder (causal blocks with FiLM) ─► harmonic, noise, residual
                                     aux ──────┘                         film ──┘

Only `keras.ops` is used, so the offline form trains on the TensorFlow, JAX or PyTorch backend.
Shapes: B batch, T hops, C channels; in the step form B is gone and T is the chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from edge_runtime.contract import StatePair
from edge_runtime.voice.front_end import AUX_SIZE
from train.norm import BatchNormalization
from train.voice.config import VoiceConfig

NORM_EPSILON = 1e-3
HARMONIC_BIAS = -4.0
NOISE_BIAS = -5.5
"""Log gains the untrained network starts from: a quiet voice, not a loud one."""

Tensor = Any
Convolve = Callable[[Tensor, str, int], Tensor]
"""Causal depthwise convolution of a block: (x, block name, dilation) → same shape as x."""


def state_name(block: str) -> str:
    """Name of a block's state input; the output is ``<name>_next``."""
    return f"{block}_state"


def state_pairs(config: VoiceConfig) -> tuple[StatePair, ...]:
    """All states of the step form."""
    return tuple(StatePair(state_name(name), f"{state_name(name)}_next") for name, _, _ in block_shapes(config))


def block_shapes(config: VoiceConfig) -> list[tuple[str, int, int]]:
    """Name, state length in hops and width of every block, in order."""
    preset = config.preset
    shapes = [(f"enc{i}", preset.state_hops(i), preset.encoder_width) for i in range(preset.encoder_blocks)]
    return shapes + [(f"dec{i}", preset.state_hops(i), preset.decoder_width) for i in range(preset.decoder_blocks)]


@keras.saving.register_keras_serializable(package="changeling")
class CausalDepthwise(layers.Layer):
    """Causal depthwise convolution over time of (B, T, C), zeros before the start."""

    def __init__(self, kernel_size: int, dilation: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.convolution = layers.DepthwiseConv1D(
            kernel_size, dilation_rate=dilation, use_bias=False, name="convolution"
        )

    def build(self, input_shape: Any) -> None:
        self.convolution.build(input_shape)
        super().build(input_shape)

    def call(self, x: Tensor) -> Tensor:
        return self.convolution(ops.pad(x, [[0, 0], [(self.kernel_size - 1) * self.dilation, 0], [0, 0]]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def _dense(name: str, units: int, activation: str | None = None, bias: float = 0.0) -> layers.Dense:
    return layers.Dense(units, activation=activation, bias_initializer=keras.initializers.Constant(bias), name=name)


def _block(x: Tensor, name: str, dilation: int, width: int, hidden: int, convolve: Convolve, film: Any) -> Tensor:
    """x + FiLM(project(relu6(expand(convolve(x)))))."""
    y = convolve(x, name, dilation)
    y = _dense(f"{name}_expand", hidden, "relu6")(y)
    y = _dense(f"{name}_project", width)(y)
    if film is not None:
        gain, offset = film
        y = y * gain + offset
    return x + y


def _encoder(config: VoiceConfig, mel: Tensor, convolve: Convolve) -> Tensor:
    preset = config.preset
    x = _dense("enc_in", preset.encoder_width)(mel)
    for i in range(preset.encoder_blocks):
        hidden = int(preset.encoder_width * preset.expansion)
        x = _block(x, f"enc{i}", preset.dilation(i), preset.encoder_width, hidden, convolve, None)
    return _dense("content", preset.content_size)(x)


def _decoder(config: VoiceConfig, content: Tensor, aux: Tensor, film: Tensor, convolve: Convolve) -> dict[str, Tensor]:
    preset, synthesis = config.preset, config.synthesis
    width = preset.decoder_width
    x = _dense("dec_in", width)(ops.concatenate([content, aux], axis=-1))
    for i in range(preset.decoder_blocks):
        start = 2 * width * i
        pair = film[..., start : start + width], film[..., start + width : start + 2 * width]
        x = _block(x, f"dec{i}", preset.dilation(i), width, int(width * preset.expansion), convolve, pair)
    x = ops.relu6(x)
    return {
        "harmonic": _dense("head_harmonic", synthesis.n_bands, bias=HARMONIC_BIAS)(x),
        "noise": _dense("head_noise", synthesis.n_bands, bias=NOISE_BIAS)(x),
        "residual": layers.Dense(
            2 * synthesis.residual_bins,
            "tanh",
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.01),
            name="head_residual",
        )(x),
    }


def build_offline(config: VoiceConfig, content_noise: float = 0.0) -> keras.Model:
    """Whole utterances: mel (B, T, n_mels), aux (B, T, 3), film (B, F) → a dict of (B, T, …).

    Besides the three heads of the step form it gives ``content`` and, when the corpus knows phones, ``phones`` logits.
    ``content_noise`` is the standard deviation of noise on the content code in training.
    """
    preset = config.preset

    def convolve(x: Tensor, name: str, dilation: int) -> Tensor:
        y = CausalDepthwise(preset.kernel_size, dilation, name=f"{name}_depthwise")(x)
        return BatchNormalization(epsilon=NORM_EPSILON, momentum=0.98, name=f"{name}_norm")(y)

    mel = keras.Input((None, config.front_end.n_mels), name="mel")
    aux = keras.Input((None, AUX_SIZE), name="aux")
    film = keras.Input((preset.film_size,), name="film")
    content = _encoder(config, mel, convolve)
    noisy = layers.GaussianNoise(content_noise, name="content_noise")(content) if content_noise else content
    outputs = _decoder(config, noisy, aux, film[:, None, :], convolve)
    outputs["content"] = content
    if config.n_phones:
        outputs["phones"] = _dense("head_phones", config.n_phones)(content)
    return keras.Model({"mel": mel, "aux": aux, "film": film}, outputs, name="voice_offline")


def build_step(config: VoiceConfig) -> keras.Model:
    """One chunk of hops with explicit states, static shapes, rank 2: the graph that is exported.

    Inputs mel (T, n_mels), aux (T, 3), film (1, F), ``<block>_state`` (S, C); outputs harmonic, noise, residual and
    ``<block>_state_next``.
    """
    hops = config.timing.chunk_hops
    kernel_size = config.preset.kernel_size
    inputs = {
        "mel": keras.Input(batch_shape=(hops, config.front_end.n_mels), name="mel"),
        "aux": keras.Input(batch_shape=(hops, AUX_SIZE), name="aux"),
        "film": keras.Input(batch_shape=(1, config.preset.film_size), name="film"),
    }
    for block, length, width in block_shapes(config):
        inputs[state_name(block)] = keras.Input(batch_shape=(length, width), name=state_name(block))
    next_states: dict[str, Tensor] = {}

    def convolve(x: Tensor, name: str, dilation: int) -> Tensor:
        width = x.shape[-1]
        seen = ops.concatenate([inputs[state_name(name)], x], axis=0)
        length = seen.shape[0] - hops
        next_states[f"{state_name(name)}_next"] = ops.slice(seen, (hops, 0), (length, width))
        batched = ops.reshape(seen, (1, length + hops, width))
        y = layers.DepthwiseConv1D(kernel_size, dilation_rate=dilation, name=f"{name}_depthwise")(batched)
        return ops.reshape(y, (hops, width))

    content = _encoder(config, inputs["mel"], convolve)
    outputs = _decoder(config, content, inputs["aux"], inputs["film"], convolve)
    return keras.Model(inputs, {**outputs, **next_states}, name="voice_step")


def copy_weights(offline: keras.Model, step: keras.Model) -> None:
    """Give the step form the offline form's weights, by layer name, folding batch normalisation."""
    for layer in step.layers:
        if not layer.weights:
            continue
        if layer.name.endswith("_depthwise"):
            layer.set_weights(_folded(offline, layer.name.removesuffix("_depthwise")))
        else:
            layer.set_weights(offline.get_layer(layer.name).get_weights())


def _folded(offline: keras.Model, block: str) -> list[np.ndarray]:
    """Kernel (k, C, 1) and bias (C,) of a block's depthwise convolution with its normalisation inside."""
    kernel = offline.get_layer(f"{block}_depthwise").get_weights()[0]
    gamma, beta, mean, variance = offline.get_layer(f"{block}_norm").get_weights()
    scale = gamma / np.sqrt(variance + NORM_EPSILON)
    return [kernel * scale[None, :, None], beta - mean * scale]


def count_macs_per_second(config: VoiceConfig) -> float:
    """Multiply-accumulates of the step form for one second of sound."""
    macs = 0
    for layer in build_step(config).layers:
        if isinstance(layer, (layers.Dense, layers.DepthwiseConv1D)):
            macs += int(np.prod(layer.kernel.shape))
    return float(macs) * config.front_end.sample_rate_hz / config.front_end.hop_length


@keras.saving.register_keras_serializable(package="changeling")
class VoiceTable(layers.Layer):
    """FiLM vectors of the voices: a small embedding and one linear map, so that mixing voices is mixing vectors."""

    def __init__(self, n_voices: int, film_size: int, embedding_size: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_voices, self.film_size, self.embedding_size = n_voices, film_size, embedding_size

    def build(self, input_shape: Any) -> None:
        self.embedding = self.add_weight(shape=(self.n_voices, self.embedding_size), initializer="glorot_uniform")
        self.map = self.add_weight(
            shape=(self.embedding_size, self.film_size), initializer=keras.initializers.RandomNormal(0.0, 0.1)
        )
        self.offset = self.add_weight(shape=(self.film_size,), initializer="zeros")
        super().build(input_shape)

    def call(self, voice: Tensor) -> Tensor:
        """FiLM vectors (B, F) of voice indices (B,)."""
        return ops.take(self.table(), voice, axis=0)

    def table(self) -> Tensor:
        """All FiLM vectors (V, F)."""
        return ops.matmul(self.embedding, self.map) + self.offset
