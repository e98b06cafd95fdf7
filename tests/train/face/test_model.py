"""The network: nothing asked for is nothing done, and what it may cost."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from tests.train.face.warped_faces import tiny_config
from train.face.config import make_config
from train.face.model import build_generator, build_linear, count_macs, set_basis
from train.face.presets import PATCHES, PRESETS
from train.face.units import EXPRESSIONS

pytestmark = pytest.mark.tensorflow

UNITS = len(tiny_config().units)


def shaken(batch: int | None = None) -> keras.Model:
    """A generator in which nothing is small or zero that training would not leave so."""
    keras.utils.set_random_seed(3)
    model = build_generator(tiny_config(), batch)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.trainable and layer.weights:
            layer.set_weights([w + 0.2 * np.abs(rng.standard_normal(w.shape)) for w in layer.get_weights()])
    set_basis(model, rng.standard_normal((UNITS, 64, 64, 2)).astype(np.float32))
    return model


@pytest.fixture(scope="module")
def generator() -> keras.Model:
    return shaken()


def ask(model: keras.Model, delta: np.ndarray) -> dict[str, np.ndarray]:
    image = np.random.default_rng(1).random((len(delta), 128, 128, 3), np.float32)
    return {name: np.asarray(v) for name, v in model.predict_on_batch({"image": image, "delta": delta}).items()}


def test_a_change_of_zero_moves_and_opens_nothing_at_all(generator: keras.Model) -> None:
    """Exactly, not nearly: sliders that stand at zero must leave a photo bit by bit as it is."""
    still = ask(generator, np.zeros((2, UNITS), np.float32))
    assert not still["flow"].any()
    assert not still["mask"].any()
    assert not still["shade"].any()
    moved = ask(generator, np.full((2, UNITS), 0.3, np.float32))
    assert np.abs(moved["flow"]).max() > 0.1
    assert moved["mask"].max() > 0.1
    assert np.abs(moved["shade"]).max() > 0.1


def test_expressions_have_no_shades(generator: keras.Model) -> None:
    """A smile moves what is there; what it would darken has not been seen on real faces."""
    delta = np.ones((1, UNITS), np.float32)
    delta[:, EXPRESSIONS:] = 0.0
    assert not ask(generator, delta)["shade"].any()


def test_small_changes_are_small(generator: keras.Model) -> None:
    """A slider that has just left zero must not jump."""
    one = np.zeros((1, UNITS), np.float32)
    one[0, 0] = 0.02
    full = ask(generator, 50.0 * one)["flow"]
    assert np.abs(ask(generator, one)["flow"]).max() < 0.05 * np.abs(full).max()


def test_pixels_are_invented_in_the_patches_only(generator: keras.Model) -> None:
    mask = ask(generator, np.ones((1, UNITS), np.float32))["mask"][0, ..., 0]
    inside = np.zeros((128, 128), bool)
    for patch in PATCHES:
        assert not inside[patch.rows, patch.columns].any(), "patches add up, so they must not overlap"
        inside[patch.rows, patch.columns] = True
    assert mask[inside].max() > 0.1
    assert not mask[~inside].any()


def test_the_exported_form_has_the_weights_of_the_trained_one(generator: keras.Model) -> None:
    one = build_generator(tiny_config(), 1)
    one.set_weights(generator.get_weights())
    delta = np.linspace(-1, 1, UNITS, dtype=np.float32)[None]
    for name, value in ask(generator, delta).items():
        assert np.abs(value - ask(one, delta)[name]).max() < 1e-4, name
    assert all(None not in tensor.shape for tensor in [*one.input.values(), *one.output.values()])


def test_the_linear_tier_is_the_basis(generator: keras.Model) -> None:
    basis = np.random.default_rng(5).standard_normal((UNITS, 64, 64, 2)).astype(np.float32)
    linear = build_linear(tiny_config())
    set_basis(linear, basis)
    delta = np.linspace(-1, 1, UNITS, dtype=np.float32)[None]
    found = ask(linear, delta)
    assert np.abs(found["flow"][0] - np.tensordot(delta[0], basis, axes=1)).max() < 1e-4
    assert not found["mask"].any()
    assert not found["shade"].any()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_face_costs_no_more_than_a_board_has(name: str) -> None:
    """0.15 GMAC for the generator, of which at most 60 MMAC for the flow."""
    model = build_generator(make_config("m", name), 1)
    flow = keras.Model(model.input, model.output["flow"])
    assert count_macs(model) <= 150e6
    assert count_macs(flow) <= 60e6


def test_macs_are_counted_right() -> None:
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
    x = keras.layers.DepthwiseConv2D(5, padding="same")(x)
    x = keras.layers.Dense(7)(keras.layers.Flatten()(x))
    assert count_macs(keras.Model(image, x)) == 16 * 9 * 3 * 4 + 16 * 25 * 4 + 64 * 7
