"""ONNX graphs through ONNX Runtime, on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import Tensors, check_tensor
from edge_runtime.contract import TensorSpec
from edge_runtime.errors import BackendError

_DTYPES = {"tensor(float)": "float32", "tensor(int8)": "int8", "tensor(uint8)": "uint8"}


class OnnxBackend:
    """One ONNX session."""

    def __init__(
        self, graph: bytes, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], threads: int
    ) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise BackendError('ONNX Runtime is not installed; run: pip install "changeling[onnx]"') from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would burn a core between two chunks of a live stream.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.name = f"onnxruntime {onnxruntime.__version__}"
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception types are not importable in every release
            reason = str(error).strip().splitlines()[0]
            raise BackendError(f"{self.name} refuses this model: {reason}") from error
        for specs, found in ((inputs, self._session.get_inputs()), (outputs, self._session.get_outputs())):
            known = {item.name: (_shape(item), _DTYPES.get(item.type, item.type)) for item in found}
            for spec in specs:
                check_tensor(spec, known)
        self._outputs = [spec.name for spec in outputs]

    def run(self, feeds: Tensors) -> dict[str, NDArray[np.float32]]:
        """Run the graph once; see `Backend.run`."""
        values = self._session.run(self._outputs, dict(feeds))
        return dict(zip(self._outputs, values, strict=True))

    def close(self) -> None:
        """Free the session."""
        del self._session


def _shape(item: Any) -> tuple[int, ...]:
    return tuple(n if isinstance(n, int) else -1 for n in item.shape)
