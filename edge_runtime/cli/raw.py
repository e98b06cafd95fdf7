"""Raw sound through a voice stream: 16-bit little-endian mono PCM in, the same out, as it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.media.pcm import decode, encode_pcm16
from edge_runtime.media.resample import StreamResampler

if TYPE_CHECKING:
    from edge_runtime.voice.stream import VoiceStream

_READ_BYTES = 4096
"""At most this much is taken at once; what has arrived is never kept waiting for more."""


class _Stage(Protocol):
    """Whatever takes chunks (m,) and gives chunks (k,), float32."""

    def process(self, chunk: NDArray[np.float32], /) -> NDArray[np.float32]: ...

    def flush(self) -> NDArray[np.float32]: ...


class PcmConverter:
    """A voice stream between bytes, with resamplers around it when ``rate_hz`` is not the model's own rate.

    The output is as long as the input and lies on it: the stream's latency is cut from the start and comes out of
    `finish`.
    """

    def __init__(self, stream: VoiceStream, model_rate_hz: int, rate_hz: int | None = None) -> None:
        rate_hz = model_rate_hz if rate_hz is None else rate_hz
        self._stages: list[_Stage] = [stream]
        if rate_hz != model_rate_hz:
            self._stages = [
                StreamResampler(rate_hz, model_rate_hz),
                stream,
                StreamResampler(model_rate_hz, rate_hz),
            ]
        self._to_drop = round(stream.latency_samples * rate_hz / model_rate_hz)
        self._odd = b""
        self._owed = 0

    def run(self, source: BinaryIO, sink: BinaryIO) -> None:
        """Convert from ``source`` to ``sink`` until the source ends."""
        read = getattr(source, "read1", source.read)
        while data := read(_READ_BYTES):
            sink.write(self.process(data))
            sink.flush()
        sink.write(self.finish())
        sink.flush()

    def process(self, data: bytes) -> bytes:
        """Convert what arrived; an odd byte waits for its other half."""
        data = self._odd + data
        whole = len(data) // 2 * 2
        self._odd = data[whole:]
        samples = decode(data[:whole], is_float=False, width=2)
        self._owed += len(samples)
        return self._give(self._through(samples, 0))

    def finish(self) -> bytes:
        """What the stages still hold, cut or filled with silence to the input's length."""
        parts = []
        for index, stage in enumerate(self._stages):
            parts.append(self._through(stage.flush(), index + 1))
        rest = np.concatenate(parts)[self._to_drop :]
        self._to_drop = 0
        rest = np.pad(rest, (0, max(0, self._owed - len(rest))))[: self._owed]
        return self._give(rest)

    def _through(self, samples: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        for stage in self._stages[first:]:
            samples = stage.process(samples)
        return samples

    def _give(self, samples: NDArray[np.float32]) -> bytes:
        dropped = min(self._to_drop, len(samples))
        self._to_drop -= dropped
        samples = samples[dropped:]
        self._owed -= len(samples)
        return bytes(encode_pcm16(samples))
