"""The network: the step form is the offline form, whatever the chunk, and nothing looks into the future."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.voice.config import VoiceConfig, make_config
from train.voice.model import (
    block_shapes,
    build_offline,
    build_step,
    copy_weights,
    count_macs_per_second,
    state_name,
    state_pairs,
)
from train.voice.presets import PRESETS, TimingSpec

pytestmark = pytest.mark.tensorflow

HEADS = ("harmonic", "noise", "residual")


def tiny_config(chunk_hops: int = 2) -> VoiceConfig:
    """The shape of the real thing, small enough to build in a moment."""
    config = make_config("tiny", "nano", "default", n_voices=2, n_phones=0)
    preset = dataclasses.replace(config.preset, encoder_width=12, decoder_width=16, encoder_blocks=3, decoder_blocks=3)
    return dataclasses.replace(config, preset=preset, timing=TimingSpec(chunk_hops, 2, preset.receptive_hops))


@pytest.fixture(scope="module")
def offline() -> keras.Model:
    """An untrained network whose normalisation has statistics worth folding."""
    keras.utils.set_random_seed(0)
    model = build_offline(tiny_config())
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def inputs(hops: int, config: VoiceConfig) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "mel": rng.standard_normal((hops, config.front_end.n_mels)).astype(np.float32),
        "aux": rng.standard_normal((hops, 3)).astype(np.float32),
        "film": rng.uniform(0.5, 1.5, (1, config.preset.film_size)).astype(np.float32),
    }


def run_offline(model: keras.Model, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    batch = {"mel": feeds["mel"][None], "aux": feeds["aux"][None], "film": feeds["film"]}
    return {name: np.asarray(value[0]) for name, value in model.predict_on_batch(batch).items()}


@pytest.mark.parametrize("chunk_hops", [1, 2, 5])
def test_step_by_step_equals_offline(offline: keras.Model, chunk_hops: int) -> None:
    config = tiny_config(chunk_hops)
    feeds = inputs(60, config)
    expected = run_offline(offline, feeds)
    step = build_step(config)
    copy_weights(offline, step)
    states = {state_name(b): np.zeros((n, w), np.float32) for b, n, w in block_shapes(config)}
    found: dict[str, list[np.ndarray]] = {name: [] for name in HEADS}
    for t in range(0, 60, chunk_hops):
        chunk = {"mel": feeds["mel"][t : t + chunk_hops], "aux": feeds["aux"][t : t + chunk_hops]}
        tensors = {**chunk, "film": feeds["film"], **states}
        out = step({name: keras.ops.convert_to_tensor(value) for name, value in tensors.items()})
        states = {pair.input: np.asarray(out[pair.output]) for pair in state_pairs(config)}
        for name in HEADS:
            found[name].append(np.asarray(out[name]))
    for name in HEADS:
        assert np.abs(np.concatenate(found[name]) - expected[name]).max() < 1e-4, name


def test_no_output_depends_on_later_input(offline: keras.Model) -> None:
    feeds = inputs(40, tiny_config())
    before = run_offline(offline, feeds)
    feeds["mel"][25:] += 1.0
    after = run_offline(offline, feeds)
    for name in HEADS:
        assert np.array_equal(before[name][:25], after[name][:25]), name
        assert np.abs(before[name][25:] - after[name][25:]).max() > 1e-3, name


def test_receptive_field_is_what_the_manifest_says(offline: keras.Model) -> None:
    config = tiny_config()
    hops = config.timing.warmup_hops + 10
    feeds = inputs(hops, config)
    before = run_offline(offline, feeds)
    feeds["mel"][0] += 5.0
    changed = np.abs(run_offline(offline, feeds)["harmonic"] - before["harmonic"]).max(axis=1)
    assert (changed[config.timing.warmup_hops + 1 :] == 0).all()
    assert changed[config.timing.warmup_hops] > 0


@pytest.mark.parametrize(
    ("preset", "parameters", "gmacs"), [("nano", 0.75e6, 0.075), ("small", 1.75e6, 0.18), ("base", 3.0e6, 0.3)]
)
def test_presets_stay_within_their_budget(preset: str, parameters: float, gmacs: float) -> None:
    """design.md: nano 0.75 M and 0.07 GMAC/s, small 1.7 M and 0.17, base 3.0 M and 0.30; and every
    depthwise kernel small enough to stay in float, without which dynamic_int8 falls apart into partitions."""
    config = make_config("x", preset, "default", 1, 0)
    assert build_step(config).count_params() <= parameters
    assert count_macs_per_second(config) <= gmacs * 1e9
    size = PRESETS[preset]
    assert size.kernel_size * max(size.encoder_width, size.decoder_width) <= 1024
