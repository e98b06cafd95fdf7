"""The network as the signal path sees it: features in, gains out, state inside."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edge_runtime.backends import Backend
from edge_runtime.contract import VoiceManifest
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.synthesis import Gains


class Network(Protocol):
    """Anything that answers frames with gains: a graph on the device, or the Keras model on a workstation."""

    def run(self, mel: FloatArray, aux: FloatArray, film: FloatArray) -> Gains:
        """Gains for T ticks of mel (T, n_mels) and aux (T, 3) in the voice film (1, F)."""

    def reset(self) -> None:
        """Forget the context."""


class GraphNetwork:
    """An exported graph, run chunk by chunk with its state tensors fed back."""

    def __init__(self, backend: Backend, manifest: VoiceManifest) -> None:
        self._backend = backend
        self._hops = manifest.timing.chunk_hops
        self._pairs = tuple((pair.input, pair.output) for pair in manifest.states)
        self._shapes = {tensor.name: tensor.shape for tensor in manifest.inputs}
        self.reset()

    def reset(self) -> None:
        """Zero all states."""
        self._states = {name: np.zeros(self._shapes[name], np.float32) for name, _ in self._pairs}

    def run(self, mel: FloatArray, aux: FloatArray, film: FloatArray) -> Gains:
        """See `Network.run`; T must be a whole number of chunks."""
        harmonic, noise, residual = [], [], []
        for start in range(0, len(mel), self._hops):
            stop = start + self._hops
            feeds = {"mel": mel[start:stop], "aux": aux[start:stop], "film": film, **self._states}
            outputs = self._backend.run(feeds)
            self._states = {name: outputs[after] for name, after in self._pairs}
            harmonic.append(outputs["harmonic"])
            noise.append(outputs["noise"])
            residual.append(outputs["residual"])
        if len(harmonic) == 1:
            return Gains(harmonic[0], noise[0], residual[0])
        return Gains(np.concatenate(harmonic), np.concatenate(noise), np.concatenate(residual))
