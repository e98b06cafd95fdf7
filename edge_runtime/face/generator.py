"""The expression graph as the face path sees it: an aligned crop and a wish in, flow and invented pixels out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import Backend
from edge_runtime.errors import BackendError
from edge_runtime.face.geometry import FloatArray


@dataclass(frozen=True)
class Edit:
    """What the graph answers for one crop of S pixels."""

    flow: FloatArray
    """(G, G, 2) backward, in crop pixels: the result at q is the crop at q + flow."""
    mask: FloatArray
    """(S, S, 1) 0..1: where pixels must be invented."""
    rgb: FloatArray
    """(S, S, 3) 0..1: those pixels."""
    shade: FloatArray
    """(C, C, 3) -1..1: how much lighter or darker moved pixels become, by the curve of `edge_runtime.face.compose`."""


PARTS = ("flow", "mask", "rgb", "shade")
"""Names of the graph's outputs."""


def edit_of(outputs: Mapping[str, FloatArray]) -> Edit:
    """The first face of a graph's answer, whose tensors are (B, ...) by name."""
    return Edit(*(np.asarray(outputs[name][0]) for name in PARTS))


def parts_of(edit: Edit) -> dict[str, FloatArray]:
    """The other way: each part of the edit by its tensor's name."""
    return {name: getattr(edit, name) for name in PARTS}


class Generator(Protocol):
    """Anything that answers a crop with an edit: a graph on the device, the Keras model on a workstation."""

    def run(self, crop: NDArray[np.uint8], delta: FloatArray) -> Edit:
        """The edit for a crop (S, S, 3) and a change of units (1, U)."""


class GraphGenerator:
    """An exported graph, whatever is inside it: the network, or the linear flow basis alone."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def run(self, crop: NDArray[np.uint8], delta: FloatArray) -> Edit:
        """See `Generator.run`. Raises `BackendError` when the graph answers with what is no number."""
        image = crop.astype(np.float32)
        image *= np.float32(1.0 / 255.0)
        outputs = self._backend.run({"image": image[None], "delta": delta})
        edit = edit_of(outputs)
        if not all(np.isfinite(part).all() for part in parts_of(edit).values()):
            raise BackendError(f"the graph gives values that are not numbers on {self._backend.name}; export it again")
        return edit
