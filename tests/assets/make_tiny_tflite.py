"""Make ``tiny.tflite``, the smallest graph an interpreter runs: y = 2 * x + 1 on float32 (1, 4).

Run on a workstation (needs the extra ``train``): ``python tests/assets/make_tiny_tflite.py``.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


def main() -> None:
    """Write the graph beside this script."""

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def double_and_one(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 2.0 * x + 1.0}

    converter = tf.lite.TFLiteConverter.from_concrete_functions([double_and_one.get_concrete_function()])
    Path(__file__).with_name("tiny.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
