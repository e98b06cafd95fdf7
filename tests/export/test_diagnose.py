"""When the converter dies, the message must name the layer: "signal 11" alone has cost people days."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from export.diagnose import conversion_job, explain
from export.recipes import Recipe, select
from export.to_tflite import save_step
from export.worker import run_jobs, start_server

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def _tensorflow() -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    start_server()


def _explain(step: object, recipe: Recipe, folder: Path) -> tuple[str, str]:
    """How converting ``step`` fails, and what is said about it."""
    feeds = np.random.default_rng(0).standard_normal((8, 1, 8, 4)).astype(np.float32)
    np.savez(folder / "calibration.npz", x=feeds)
    save_step(step, folder / "step")
    job = conversion_job("c", folder / "step", recipe, folder / "calibration.npz", None, folder / "out")
    outcome = run_jobs([job], timeout_s=120.0)[0]
    assert not outcome.ok
    return outcome.failure, explain(outcome, step, recipe, folder / "calibration.npz", None, folder)


def test_a_crash_names_the_layer(tmp_path: Path) -> None:
    """A GRU with a while loop crashes TensorFlow 2.21's int8 converter with a segmentation fault."""
    import keras
    from keras import layers

    x = keras.Input(batch_shape=(1, 8, 4), name="x")
    y = layers.GRU(5, return_sequences=True, name="memory")(x)
    y = layers.Dense(3, name="after")(y)
    failure, text = _explain(keras.Model({"x": x}, {"y": y}), select(("int8",), ("tflite",))[0], tmp_path)
    assert failure == "crash"
    assert "signal 11" in text
    assert "layer 'memory' (GRU)" in text
    assert "unroll=True" in text
    assert "\n" not in text


def test_a_refusal_names_the_operation(tmp_path: Path) -> None:
    import keras
    from keras import layers

    x = keras.Input(batch_shape=(1, 8, 4), name="x")
    y = layers.Dense(6, name="before")(x)
    y = layers.Dense(3, name="after")(keras.ops.erf(y))
    failure, text = _explain(keras.Model({"x": x}, {"y": y}), select(("fp32",), ("tflite",))[0], tmp_path)
    assert failure == "error"
    assert "tf.Erf" in text
    assert "layer 'erf'" in text
    assert "\n" not in text
