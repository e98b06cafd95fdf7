"""Right-aligned frames of a signal, whole or chunk by chunk.

Frame t ends with sample (t + 1) * hop_length, so a frame never waits for the future; before the first sample there is
silence. There is no centre padding anywhere: what training sees is what a live microphone gives.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_FEW_FRAMES = 4


class FrameBuffer:
    """Cuts a stream into overlapping frames; the remainder that fills no hop is kept for the next call."""

    def __init__(self, frame_length: int, hop_length: int) -> None:
        if frame_length < hop_length:
            raise ValueError(f"frame_length {frame_length} must be at least hop_length {hop_length}")
        self._hop = hop_length
        self._length = frame_length
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._history = np.zeros(self._length - self._hop, np.float32)

    def push(self, samples: FloatArray) -> FloatArray:
        """Take samples (n,) and return the frames they complete, (T, frame_length); T may be 0.

        The result may be a view: it must not be written to.
        """
        signal = np.concatenate([self._history, samples])
        n_frames = max(0, (len(signal) - self._length) // self._hop + 1)
        self._history = signal[n_frames * self._hop :]
        if n_frames == 0:
            return np.empty((0, self._length), np.float32)
        if n_frames <= _FEW_FRAMES:
            # Building a strided view costs more than copying two frames, and this runs fifty times a second.
            frames = np.empty((n_frames, self._length), np.float32)
            for t in range(n_frames):
                frames[t] = signal[t * self._hop : t * self._hop + self._length]
            return frames
        return sliding_window_view(signal, self._length)[:: self._hop][:n_frames]


def frame_signal(samples: FloatArray, frame_length: int, hop_length: int) -> FloatArray:
    """Batch twin of `FrameBuffer`: frames (T, frame_length) with T = len(samples) // hop_length."""
    return FrameBuffer(frame_length, hop_length).push(np.asarray(samples, np.float32))


def hann(length: int) -> FloatArray:
    """Periodic Hann window (length,): shifted by half its length it sums to exactly one."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)


Limits = tuple[FloatArray, FloatArray]
"""Lowest and highest value, each an array of no dimension."""


def limits(minimum: float, maximum: float) -> Limits:
    """What `limited` holds values between; made once, since NumPy takes its time to read a plain number."""
    return np.array(minimum, np.float32), np.array(maximum, np.float32)


def limited(values: FloatArray, minimum: FloatArray, maximum: FloatArray) -> FloatArray:
    """`np.clip` in place, at half its overhead, which is what counts for a few values."""
    np.maximum(values, minimum, out=values)
    return np.minimum(values, maximum, out=values)
