"""The step model to a TFLite flatbuffer, by the one route that freezes the weights and keeps the names.

Keras model -> `keras.export.ExportArchive` -> SavedModel -> ``TFLiteConverter.from_saved_model(signature_keys=...)``.
The other routes (``from_keras_model``, ``from_concrete_functions``, ``Model.export(format="litert")``) lose tensor
names, leave the weights outside the file, or allow operators that no board has. The SavedModel is also what the ONNX
conversion starts from, and what a child process reads, so that no Keras object crosses a process boundary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from export.float_nodes import float_nodes
from export.recipes import COMPAT_TFLITE_2_14, Recipe

SIGNATURE = "step"
"""Name of the only signature of the graph."""


def save_step(step: Any, folder: Path) -> None:
    """Write ``step`` (keras.Model, dict in and dict out by name, static shapes) as a SavedModel into ``folder``.

    The model's weights are read, never written.
    """
    import keras
    import tensorflow as tf

    signature = {name: tf.TensorSpec(tensor.shape, tf.float32, name=name) for name, tensor in step.input.items()}
    archive = keras.export.ExportArchive()
    archive.track(step)
    archive.add_endpoint(SIGNATURE, lambda feeds: step(feeds, training=False), input_signature=[signature])
    archive.write_out(str(folder), verbose=False)


def convert(saved_model: str, recipe: Recipe, calibration: str | None, compat: str | None, target: str) -> None:
    """Convert the SavedModel to the flatbuffer ``target``; runs in a child process.

    ``calibration`` is an .npz with one array (calls, *shape) per input name; only calibrated recipes read it.
    Raises whatever the converter raises.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[SIGNATURE])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    # Per-channel dense weights are FULLY_CONNECTED version 12; tflite-runtime 2.14 knows versions up to 11.
    dense_per_tensor = compat == COMPAT_TFLITE_2_14
    converter._experimental_disable_per_channel_quantization_for_dense_layers = dense_per_tensor
    if recipe.precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe.calibrated:
        if calibration is None:
            raise ValueError(f"{recipe.label} needs calibration inputs")
        graph = _convert_calibrated(converter, recipe, calibration, dense_per_tensor)
    else:
        graph = converter.convert()
    Path(target).write_bytes(graph)


def _convert_calibrated(converter: Any, recipe: Recipe, calibration: str, dense_per_tensor: bool) -> bytes:
    """Calibrate, then quantise in a second step, which alone takes exceptions (as `QuantizationDebugger`)."""
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: _feeds(calibration)
    converter._experimental_calibrate_only = True
    calibrated = converter.convert()
    quantised = mlir_quantize(
        calibrated,
        denylisted_ops=set(recipe.float_ops) or None,
        denylisted_nodes=float_nodes(calibrated, recipe.float_layers) or None,
        disable_per_channel_for_dense_layers=dense_per_tensor,
    )
    return bytes(quantised)


def _feeds(calibration: str) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Signature and inputs by name, call by call: the form in which the calibrator cannot mix inputs up."""
    with np.load(calibration, allow_pickle=False) as arrays:
        feeds = {name: arrays[name] for name in arrays.files}
    for call in range(len(next(iter(feeds.values())))):
        yield SIGNATURE, {name: values[call] for name, values in feeds.items()}
