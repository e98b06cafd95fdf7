"""TFLite graphs through ai-edge-litert, or tflite-runtime 2.14 where that is what the board has.

The classic `Interpreter` is used on purpose: LiteRT's newer CompiledModel loads a library that needs atomics the
Raspberry Pi 3 and 4 do not have, and dies there of an illegal instruction. Tensors are bound by name once and then set
by index, because a signature runner costs more than a small graph itself.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import Tensors, check_tensor
from edge_runtime.contract import TensorSpec
from edge_runtime.errors import BackendError

_PACKAGES = {
    "litert": ("ai_edge_litert.interpreter", "ai-edge-litert"),
    "tflite": ("tflite_runtime.interpreter", "tflite-runtime"),
}

DELEGATE_LINE = "XNNPACK delegate"
"""Part of the line that the interpreter writes to standard error when its fast kernels are active."""


def _load_interpreter(prefer: str | None) -> tuple[Any, str]:
    """The Interpreter class and its name with version."""
    for name in (prefer,) if prefer else tuple(_PACKAGES):
        module, package = _PACKAGES[name]
        try:
            interpreter = importlib.import_module(module).Interpreter
        except ImportError:
            continue
        try:
            return interpreter, f"{package} {version(package)}"
        except PackageNotFoundError:
            return interpreter, package
    wanted = _PACKAGES[prefer][1] if prefer else "ai-edge-litert (or tflite-runtime==2.14.0 with numpy<2)"
    raise BackendError(f"no interpreter for .tflite files is installed; run: pip install {wanted}")


class LiteRtBackend:
    """One TFLite graph with its tensors allocated."""

    def __init__(
        self,
        graph: bytes,
        inputs: tuple[TensorSpec, ...],
        outputs: tuple[TensorSpec, ...],
        threads: int,
        prefer: str | None,
    ) -> None:
        interpreter_class, self.name = _load_interpreter(prefer)
        if self.name.startswith("tflite-runtime") and int(np.__version__.split(".")[0]) >= 2:
            raise BackendError(f"{self.name} needs numpy<2 and numpy {np.__version__} is installed; install numpy<2")
        try:
            self._interpreter = interpreter_class(model_content=graph, num_threads=threads)
            self._interpreter.allocate_tensors()
            found_inputs, found_outputs = _details(self._interpreter)
        except (ValueError, RuntimeError, IndexError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else "unknown reason"
            raise BackendError(f"{self.name} refuses this model: {reason}") from error
        self._inputs = _bind(inputs, found_inputs)
        self._outputs = _bind(outputs, found_outputs)

    def run(self, feeds: Tensors) -> dict[str, NDArray[np.float32]]:
        """Run the graph once; see `Backend.run`."""
        interpreter = self._interpreter
        for name, index in self._inputs:
            interpreter.set_tensor(index, feeds[name])
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in self._outputs}

    def close(self) -> None:
        """Free the interpreter."""
        del self._interpreter


def _details(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs by the names of the first signature; by the tensors' own names where there is none."""
    names = list(interpreter.get_signature_list())
    if names:
        runner = interpreter.get_signature_runner(names[0])
        return runner.get_input_details(), runner.get_output_details()
    inputs = {str(detail["name"]): detail for detail in interpreter.get_input_details()}
    return inputs, {str(detail["name"]): detail for detail in interpreter.get_output_details()}


def _bind(specs: tuple[TensorSpec, ...], details: dict[str, Any]) -> list[tuple[str, int]]:
    """Tensor indices by the names of the manifest, checked against the graph."""
    found = {
        name: (tuple(int(n) for n in detail["shape"]), np.dtype(detail["dtype"]).name)
        for name, detail in details.items()
    }
    for spec in specs:
        check_tensor(spec, found)
    return [(spec.name, int(details[spec.name]["index"])) for spec in specs]
