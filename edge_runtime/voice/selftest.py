"""The stages of the voice path as golden vectors keep them (see `edge_runtime.golden`).

``golden.npz`` holds ``samples`` (n,) at the model's rate and what each stage made of them at export: ``mel``, ``aux``,
``harmonic``, ``noise``, ``residual``, ``converted``.
"""

from __future__ import annotations

import numpy as np

from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.network import Network
from edge_runtime.voice.stream import VoiceStream
from edge_runtime.voice.synthesis import Gains

STAGES = ("mel", "aux", "harmonic", "noise", "residual", "converted")


class RecordingNetwork:
    """Passes everything through to a network and keeps what went in and out, for goldens and their check."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: dict[str, list[FloatArray]] = {name: [] for name in STAGES[:-1]}

    def reset(self) -> None:
        """See `Network.reset`."""
        self._network.reset()

    def run(self, mel: FloatArray, aux: FloatArray, film: FloatArray) -> Gains:
        """See `Network.run`."""
        gains = self._network.run(mel, aux, film)
        values = (mel, aux, gains.harmonic, gains.noise, gains.residual)
        for name, value in zip(self._kept, values, strict=True):
            self._kept[name].append(np.array(value))
        return gains

    def recorded(self) -> dict[str, FloatArray]:
        """Everything so far, by stage."""
        return {name: np.concatenate(parts) for name, parts in self._kept.items()}


def run_stages(stream: VoiceStream, network: RecordingNetwork, samples: FloatArray) -> dict[str, FloatArray]:
    """Every stage of a conversion of samples (n,): what goes into ``golden.npz``, and what is compared with it."""
    converted = stream.process(samples)
    return {**network.recorded(), "converted": converted}
