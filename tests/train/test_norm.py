"""The quick batch normalisation must be Keras' own: results, gradients, statistics, and names in files of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from train.norm import BatchNormalization

pytestmark = pytest.mark.tensorflow

SHAPES = ((3, 5, 4, 6), (3, 7, 6))


def trained_once(layer: Any, x: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """What one pass in training gives and leaves behind."""
    layer.build(x.shape)
    layer.set_weights([np.linspace(low, high, x.shape[-1]) for low, high in ((0.5, 2), (-1, 1), (-3, 3), (1, 4))])
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs, training=True)
        loss = tf.reduce_sum(y * weights)
    found = tape.gradient(loss, {"x": inputs, "gamma": layer.gamma.value, "beta": layer.beta.value})
    found |= {"y": y, "mean": layer.moving_mean.value, "variance": layer.moving_variance.value}
    return {name: np.asarray(value) for name, value in found.items()}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_of_training_is_that_of_keras(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x, weights = (rng.normal(2.0, 3.0, shape).astype(np.float32) for _ in range(2))

    ours = trained_once(BatchNormalization(momentum=0.9), x, weights)
    theirs = trained_once(keras.layers.BatchNormalization(momentum=0.9), x, weights)

    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=2e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("frozen", [False, True])
def test_in_use_and_frozen_it_has_the_statistics_of_before(frozen: bool) -> None:
    layer = BatchNormalization()
    layer.build((None, 2, 2, 3))
    layer.trainable = not frozen
    x = np.full((1, 2, 2, 3), 5.0, np.float32)

    y = layer(x, training=frozen)

    np.testing.assert_allclose(y, x / np.sqrt(1.0 + layer.epsilon), rtol=1e-6)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))


def test_weights_saved_with_keras_own_layer_fit(tmp_path: Path) -> None:
    """Runs and shipped bases from before must stay readable."""
    saved = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.BatchNormalization(name="first")])
    saved.layers[0].set_weights([np.full(3, value) for value in (2.0, 3.0, 4.0, 5.0)])
    saved.save_weights(tmp_path / "all.weights.h5")

    model = keras.Sequential([keras.Input((4, 4, 3)), BatchNormalization(name="first")])
    model.load_weights(tmp_path / "all.weights.h5")

    assert [float(weight[0]) for weight in model.layers[0].get_weights()] == [2.0, 3.0, 4.0, 5.0]
