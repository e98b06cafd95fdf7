"""The step model to ONNX through tf2onnx, from the same SavedModel as the TFLite files."""

from __future__ import annotations

from pathlib import Path

from export.to_tflite import SIGNATURE

OPSET = 17
"""Old enough for every ONNX Runtime with aarch64 wheels, new enough for all operators used here."""


def convert(saved_model: str, target: str) -> None:
    """Convert the SavedModel to the ONNX file ``target``; runs in a child process.

    Tensor names are those of the signature, in and out. Raises whatever the converter or the checker raises.
    """
    import onnx
    import tensorflow as tf
    from tf2onnx import convert as tf2onnx_convert

    loaded = tf.saved_model.load(saved_model)
    tensors = loaded.signatures[SIGNATURE].structured_input_signature[1]
    signature = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in tensors.items()}
    endpoint = getattr(loaded, SIGNATURE)
    proto, _ = tf2onnx_convert.from_function(endpoint, input_signature=[signature], opset=OPSET)
    onnx.checker.check_model(proto, full_check=True)
    Path(target).write_bytes(proto.SerializeToString())
