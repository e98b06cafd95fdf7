"""The swap graph as the face path sees it: an aligned crop in, another face and where it shows out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import Backend
from edge_runtime.errors import BackendError
from edge_runtime.face.geometry import FloatArray


@dataclass(frozen=True)
class Swapped:
    """What the graph answers for one crop of S pixels."""

    rgb: FloatArray
    """(S, S, 3) 0..1: the other face, as the photo's own looks, lies and is lit."""
    mask: FloatArray
    """(S, S, 1) 0..1: where the photo shows a face that nothing covers."""


class Swapper(Protocol):
    """Anything that answers a crop with another face: a graph on the device, the Keras model on a workstation."""

    def run(self, crop: NDArray[np.uint8]) -> Swapped:
        """The other face for a crop (S, S, 3)."""


class GraphSwapper:
    """An exported graph."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def run(self, crop: NDArray[np.uint8]) -> Swapped:
        """See `Swapper.run`. Raises `BackendError` when the graph answers with what is no number."""
        image = crop.astype(np.float32)
        image *= np.float32(1.0 / 255.0)
        outputs = self._backend.run({"image": image[None]})
        swapped = Swapped(outputs["rgb"][0], outputs["mask"][0])
        if not all(np.isfinite(part).all() for part in (swapped.rgb, swapped.mask)):
            raise BackendError(f"the graph gives values that are not numbers on {self._backend.name}; export it again")
        return swapped
