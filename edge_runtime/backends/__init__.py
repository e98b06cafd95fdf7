"""Interpreters behind one small face: named tensors in, named tensors out.

`open_backend` picks by the graph's format and what is installed: a .tflite runs on ai-edge-litert, else on
tflite-runtime; a .onnx on ONNX Runtime. Each interpreter is imported in exactly one place, here below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import TensorSpec
from edge_runtime.errors import BackendError

Tensors = Mapping[str, NDArray[np.float32]]

BACKENDS_BY_FORMAT = {"tflite": ("litert", "tflite"), "onnx": ("onnx",)}
"""Names a user may ask for, in the order in which they are tried."""


def wish_for(backend: str | None, graph_format: str) -> str | None:
    """The ``backend`` that a user asked for, where it runs graphs of this format; None lets these choose their own."""
    return backend if backend in BACKENDS_BY_FORMAT[graph_format] else None


class Backend(Protocol):
    """A loaded graph."""

    @property
    def name(self) -> str:
        """What runs the graph, with its version."""

    def run(self, feeds: Tensors) -> dict[str, NDArray[np.float32]]:
        """Run the graph once on all inputs by name; gives all outputs by name, freshly allocated."""

    def close(self) -> None:
        """Free the interpreter."""


def open_backend(
    graph: bytes,
    graph_format: str,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    *,
    prefer: str | None = None,
    threads: int = 1,
) -> Backend:
    """Load ``graph`` and bind its tensors by name.

    Raises `BackendError` when no fitting interpreter is installed, or the graph does not have the named tensors.
    """
    choices = BACKENDS_BY_FORMAT[graph_format]
    if prefer is not None and prefer not in choices:
        raise BackendError(f"backend {prefer!r} does not run .{graph_format} files; choose {' or '.join(choices)}")
    if graph_format == "onnx":
        from edge_runtime.backends.onnx import OnnxBackend

        return OnnxBackend(graph, inputs, outputs, threads)
    from edge_runtime.backends.litert import LiteRtBackend

    return LiteRtBackend(graph, inputs, outputs, threads, prefer)


def check_tensor(spec: TensorSpec, found: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
    """Compare a promised tensor with what the interpreter reports (name → shape, dtype). Raises `BackendError`."""
    if spec.name not in found:
        raise BackendError(f"the graph has no tensor {spec.name!r} that its manifest names; export the model again")
    shape, dtype = found[spec.name]
    if shape != spec.shape or dtype != spec.dtype:
        raise BackendError(
            f"tensor {spec.name!r} is {dtype}{list(shape)} and the manifest says {spec.dtype}{list(spec.shape)}; "
            "export the model again"
        )
