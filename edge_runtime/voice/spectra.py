"""Power spectra of frames, for the mel bands and for the pitch, by one transform for both.

NumPy plans a transform anew at every call, which for the frames of one chunk costs as much as the transform itself.
The spectrum of a frame that is padded to twice its length holds its own in every other bin.
"""

from __future__ import annotations

import numpy as np

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice import mel
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.pitch import pitch_window


class FrameSpectra:
    """No state but memory that is used again, so not for two threads."""

    def __init__(self, spec: FrontEndSpec) -> None:
        self._n_fft, self._pitch_fft = spec.n_fft, spec.pitch.fft_length
        self._window, self._pitch_window = mel.analysis_window(spec), pitch_window(spec)
        self.frame_length = max(len(self._window), len(self._pitch_window))
        """Samples of the frames, which end together."""
        self._padded = np.zeros((2, 0, self._pitch_fft), np.float32)

    def __call__(self, frames: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Power of frames (T, frame_length) for mel bands, (T, n_fft / 2 + 1), and for the pitch.

        The second, (T, fft_length / 2 + 1), is what `Periodicity` takes.
        """
        short = frames[:, self.frame_length - len(self._window) :]
        long = frames[:, self.frame_length - len(self._pitch_window) :]
        if self._pitch_fft % self._n_fft:
            power = mel.windowed_power(short, self._window, self._n_fft)
            return power, mel.windowed_power(long, self._pitch_window, self._pitch_fft)
        if self._padded.shape[1] != len(frames):
            self._padded = np.zeros((2, len(frames), self._pitch_fft), np.float32)
        np.multiply(short, self._window, out=self._padded[0, :, : len(self._window)])
        np.multiply(long, self._pitch_window, out=self._padded[1, :, : len(self._pitch_window)])
        both = mel.squared_magnitude(np.fft.rfft(self._padded))
        return np.ascontiguousarray(both[0, :, :: self._pitch_fft // self._n_fft]), both[1]
