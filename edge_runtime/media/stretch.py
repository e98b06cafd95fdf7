"""A resampler whose ratio is close to 1 and may change at any time: it makes two clocks one.

A microphone and a speaker each have a crystal of their own, tens of parts in a million apart. Playing that much faster
or slower keeps the sound between them at one length. Dropping or repeating samples would do it too, and would click or
comb in a held vowel; a few hundred parts in a million are below what is heard as pitch (a hundredth of a semitone).
"""

from __future__ import annotations

import functools

import numpy as np

from edge_runtime.media.pcm import Samples
from edge_runtime.media.resample import sinc_taps

MAXIMUM_DEVIATION = 0.01
"""Furthest the ratio may be from 1; the filter is not narrowed for it."""

_LOBES = 16  # flat to 0.85 of Nyquist; what lies above is a converted voice's hiss
_STEPS = 256


class Stretcher:
    """Takes samples and gives them ``rate`` times as fast; output lies `delay_samples` behind the input."""

    delay_samples = _LOBES

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._buffer: Samples = np.zeros(2 * _LOBES - 1, np.float32)
        self._place = float(_LOBES - 1)  # of the next output, in samples of the buffer

    def process(self, samples: Samples, rate: float) -> Samples:
        """Take (n,), give what is complete (m,): n / rate in the long run. ``rate`` is 0.99..1.01, else `ValueError`.

        All outputs together are the same however the input is cut into chunks of one rate.
        """
        if not abs(rate - 1.0) <= MAXIMUM_DEVIATION:
            raise ValueError(f"a rate of {rate} is further than {MAXIMUM_DEVIATION} from 1")
        self._buffer = np.concatenate([self._buffer, np.asarray(samples, np.float32)])
        last = len(self._buffer) - 1 - _LOBES
        count = int((last - self._place) // rate) + 1 if last >= self._place else 0
        places = self._place + rate * np.arange(count)
        outputs = self._sample(places) if count else np.zeros(0, np.float32)
        self._place += rate * count
        drop = max(0, int(self._place) - _LOBES + 1)
        self._buffer = self._buffer[drop:]
        self._place -= drop
        return outputs

    def _sample(self, places: np.ndarray) -> Samples:
        whole = places.astype(np.int64)
        fraction = (places - whole) * _STEPS
        step = fraction.astype(np.int64)
        rest = (fraction - step).astype(np.float32)[:, None]
        table = _table()
        taps = table[step] * (1 - rest) + table[step + 1] * rest
        windows = np.lib.stride_tricks.sliding_window_view(self._buffer, 2 * _LOBES)[whole - _LOBES + 1]
        outputs: Samples = np.einsum("ij,ij->i", windows, taps)
        return outputs


@functools.lru_cache(maxsize=1)
def _table() -> Samples:
    return sinc_taps(np.arange(_STEPS + 1) / _STEPS, _LOBES, 1.0, lobes=_LOBES, cutoff=1.0)
