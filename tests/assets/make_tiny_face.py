"""Make the graphs of face and swap models that are small enough to keep in the repository: tiny_face_*.tflite.

A "face" of these graphs is a red disc. The detector answers where a cell is red, the landmark model hangs a fixed mesh
on the disc's centre of gravity, the generator is a linear flow basis with one mouth to invent, the swapper turns red to
blue: enough to test all that lies around the real ones, exactly. Run on a workstation (needs the extra ``train``):
``python -m tests.assets.make_tiny_face``
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.edge_runtime.face.tiny_face import (
    CELLS,
    CROP_PX,
    DETECTOR_PX,
    FLOW_CELLS,
    LANDMARKS_PX,
    STRIDE_PX,
    UNITS,
    disc_mesh,
    key_points,
    linear_basis,
    mouth_mask,
)

FOLDER = Path(__file__).parent


def _red(image: tf.Tensor) -> tf.Tensor:
    """How red (1, H, W, 1) an image 0..1 is; grey is 0."""
    return tf.nn.relu(image[..., :1] - 0.5 * (image[..., 1:2] + image[..., 2:3]))


@tf.function(input_signature=[tf.TensorSpec((1, DETECTOR_PX, DETECTOR_PX, 3), tf.float32, name="image")])
def detect(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """A face of fixed size wherever a cell is red to its edges."""
    red = tf.nn.avg_pool2d(_red(0.5 * (image + 1.0)), STRIDE_PX, STRIDE_PX, "VALID")
    logits = tf.reshape(20.0 * (red - 0.7), (1, CELLS * CELLS, 1))
    row = tf.constant(np.concatenate([[0.0, 0.0, 24.0, 24.0], key_points(24.0).ravel()]), tf.float32)
    return {"boxes": tf.ones((1, CELLS * CELLS, 1)) * row, "logits": logits}


@tf.function(input_signature=[tf.TensorSpec((1, LANDMARKS_PX, LANDMARKS_PX, 3), tf.float32, name="image")])
def landmarks(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """The mesh about the centre of gravity of what is red."""
    red = _red(image)
    total = tf.reduce_sum(red) + 1e-3
    at = tf.constant(np.arange(LANDMARKS_PX) + 0.5, tf.float32)
    x = tf.reduce_sum(red * tf.reshape(at, (1, 1, -1, 1))) / total
    y = tf.reduce_sum(red * tf.reshape(at, (1, -1, 1, 1))) / total
    points = tf.constant(disc_mesh(), tf.float32) + tf.stack([x, y, 0.0 * x])
    presence = tf.reshape(0.1 * (total - 60.0), (1, 1))
    return {"points": tf.reshape(points, (1, -1)), "presence": presence}


@tf.function(
    input_signature=[
        tf.TensorSpec((1, CROP_PX, CROP_PX, 3), tf.float32, name="image"),
        tf.TensorSpec((1, len(UNITS)), tf.float32, name="delta"),
    ]
)
def generate(image: tf.Tensor, delta: tf.Tensor) -> dict[str, tf.Tensor]:
    """flow = delta x basis; an open mouth is invented dark, and darker skin is darker."""
    basis = tf.constant(linear_basis().reshape(len(UNITS), -1), tf.float32)
    flow = tf.reshape(tf.matmul(delta, basis), (1, FLOW_CELLS, FLOW_CELLS, 2))
    opened = tf.nn.relu(tf.reshape(delta[:, UNITS.index("jaw_open")], (1, 1, 1, 1)))
    mask = tf.constant(mouth_mask()[None], tf.float32) * opened
    darker = tf.reshape(delta[:, UNITS.index("skin_tone")], (1, 1, 1, 1))
    shade = tf.ones((1, FLOW_CELLS, FLOW_CELLS, 3)) * (-0.5 * darker)
    return {"flow": flow, "mask": mask, "rgb": 0.0 * image + 0.125, "shade": shade}


@tf.function(input_signature=[tf.TensorSpec((1, CROP_PX, CROP_PX, 3), tf.float32, name="image")])
def swap(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """A red face becomes a blue one, wherever it is red."""
    return {"rgb": tf.reverse(image, [3]), "mask": tf.clip_by_value(4.0 * (_red(image) - 0.3), 0.0, 1.0)}


def main() -> None:
    """Write the graphs beside this script."""
    graphs: dict[str, Callable[..., dict[str, tf.Tensor]]] = {
        "detector": detect,
        "landmarks": landmarks,
        "generator": generate,
        "swapper": swap,
    }
    for name, function in graphs.items():
        module = tf.Module()
        module.run = function  # what holds the function gives the graph its signature, and so its tensors their names
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
        (FOLDER / f"tiny_face_{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
