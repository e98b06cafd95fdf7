"""Half-float weights in a finished graph: a smaller file that gives the same to the precision of half floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
tf = pytest.importorskip("tensorflow")

from edge_runtime.backends import open_backend
from export.half_weights import halve_weights
from export.inspect_graph import read_graph

pytestmark = pytest.mark.tensorflow

ASSETS = Path(__file__).parents[1] / "assets"


def _graph() -> bytes:
    """One convolution with 4,608 weights."""
    kernel = tf.constant(np.random.default_rng(1).normal(size=(3, 3, 16, 32)), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 16), tf.float32, name="x")])
    def convolve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.nn.conv2d(x, kernel, 1, "SAME")}

    module = tf.Module()
    module.run = convolve
    converted: bytes = tf.lite.TFLiteConverter.from_concrete_functions(
        [convolve.get_concrete_function()], module
    ).convert()
    return converted


def test_a_graph_at_half_its_size_gives_the_same() -> None:
    whole = _graph()
    half = halve_weights(whole)
    assert len(half) < 0.65 * len(whole)
    assert halve_weights(whole) == half
    x = np.random.default_rng(2).normal(size=(1, 8, 8, 16)).astype(np.float32)
    facts = read_graph(whole, "tflite")
    ours, theirs = (
        open_backend(graph, "tflite", facts.inputs, facts.outputs).run({"x": x})["y"].copy() for graph in (half, whole)
    )
    assert 0.0 < np.abs(ours - theirs).max() < 2e-3 * np.abs(theirs).max()


def test_a_graph_without_large_constants_keeps_its_answers() -> None:
    graph = (ASSETS / "tiny_face_swapper.tflite").read_bytes()
    facts = read_graph(graph, "tflite")
    image = np.random.default_rng(1).random((1, 32, 32, 3)).astype(np.float32)
    ours, theirs = (
        open_backend(one, "tflite", facts.inputs, facts.outputs).run({"image": image})["rgb"].copy()
        for one in (halve_weights(graph), graph)
    )
    np.testing.assert_array_equal(ours, theirs)
