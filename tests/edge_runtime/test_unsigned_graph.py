"""Graphs without a signature, as third parties' detectors are: bound by the tensors' own names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.backends import open_backend
from edge_runtime.contract import TensorSpec
from edge_runtime.errors import BackendError

GRAPH = (Path(__file__).parents[1] / "assets" / "tiny.tflite").read_bytes()
"""y = 2 x + 1, converted without a signature."""
X, Y = TensorSpec("x", "float32", (1, 4), 0.0, 0), TensorSpec("Identity", "float32", (1, 4), 0.0, 0)


def test_tensors_are_bound_by_their_own_names() -> None:
    backend = open_backend(GRAPH, "tflite", (X,), (Y,))
    found = backend.run({"x": np.arange(4, dtype=np.float32)[None]})
    np.testing.assert_array_equal(found["Identity"], [[1.0, 3.0, 5.0, 7.0]])


def test_a_name_the_graph_does_not_have_is_refused() -> None:
    with pytest.raises(BackendError, match="no tensor 'y'"):
        open_backend(GRAPH, "tflite", (X,), (TensorSpec("y", "float32", (1, 4), 0.0, 0),))
