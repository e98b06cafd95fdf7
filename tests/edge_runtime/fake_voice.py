"""A voice converter without a model: halves what it hears, late by one chunk when streaming."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ControlError
from edge_runtime.voice.stream import StageClock

Samples = NDArray[np.float32]

RATE_HZ = 16_000
CHUNK = 320


class FakeStream:
    """``out[n] = in[n - CHUNK] / 2``, in whole chunks."""

    latency_samples = CHUNK
    chunk_samples = CHUNK

    def __init__(self) -> None:
        self.clock = StageClock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._held = np.zeros(0, np.float32)
        self._late = np.zeros(CHUNK, np.float32)

    def prime(self, samples: Samples) -> None:
        """Needs no knowledge of the speaker."""

    def process(self, chunk: Samples) -> Samples:
        """Take (m,), give whole chunks."""
        self.clock.graph_s += 1e-6
        held = np.concatenate([self._held, chunk])
        ready = len(held) // CHUNK * CHUNK
        self._held = held[ready:]
        late = np.concatenate([self._late, held[:ready]])
        self._late = late[ready:]
        return (0.5 * late[:ready]).astype(np.float32)

    def flush(self) -> Samples:
        """Give the rest."""
        pending = len(self._held) + CHUNK
        return self.process(np.zeros(2 * CHUNK - len(self._held), np.float32))[:pending]


class FakeConverter:
    """Remembers what it was asked for."""

    backend_name = "fake 1.0"
    block_samples = 50 * CHUNK

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.heard: list[tuple[int, int]] = []
        self.manifest = SimpleNamespace(
            name="fake",
            precision="fp32",
            latency_ms=50.0,
            front_end=SimpleNamespace(sample_rate_hz=RATE_HZ, hop_length=CHUNK // 2),
            timing=SimpleNamespace(chunk_hops=2),
        )

    def controls(
        self, voice: str | None = None, morph: str | None = None, morph_amount: float | None = None, **values: float
    ) -> SimpleNamespace:
        """Refuses the voice "nobody"."""
        if voice == "nobody":
            raise ControlError("this model has no voice 'nobody'; it has: anna")
        self.asked = {"voice": voice, "morph": morph, "morph_amount": morph_amount, **values}
        return SimpleNamespace(voice=voice or "anna", morph=morph, morph_amount=morph_amount or 0.0)

    def convert(
        self,
        samples: Samples,
        sample_rate: int,
        controls: Any = None,
        *,
        progress: Callable[[float], None] | None = None,
    ) -> Samples:
        """Half as loud."""
        self.heard.append((len(samples), sample_rate))
        if progress is not None:
            progress(1.0)
        return (0.5 * samples).astype(np.float32)

    def stream(self, controls: Any = None) -> FakeStream:
        """A fresh stream."""
        return FakeStream()
