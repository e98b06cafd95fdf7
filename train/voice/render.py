"""The synthesis of `edge_runtime.voice.synthesis` in `keras.ops`, so that losses on sound reach the gains.

Same bands, same residual, same overlap-add; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from edge_runtime.contract import FrontEndSpec, SynthesisSpec
from edge_runtime.voice.synthesis import band_matrix

Tensor = Any


class Renderer:
    """Gains and source spectra to samples."""

    def __init__(self, front_end: FrontEndSpec, synthesis: SynthesisSpec) -> None:
        self._spec = synthesis
        self._hop = front_end.hop_length
        self._bands = band_matrix(synthesis, front_end.sample_rate_hz)
        self._above = synthesis.n_fft // 2 - synthesis.residual_bins
        self._scale = float(synthesis.residual_bound / np.sqrt(2.0))

    def __call__(self, gains: dict[str, Tensor], sources: dict[str, Tensor]) -> Tensor:
        """Samples (B, (T - 1) * hop_length) that all windows cover, from gains (B, T, …) and spectra (B, T, n_bins)."""
        harmonic = self._amplitude(gains["harmonic"])
        noise = self._amplitude(gains["noise"])
        real, imaginary = self._residual(gains["residual"])
        h_re, h_im = sources["harmonic_re"] * harmonic, sources["harmonic_im"] * harmonic
        re = h_re * (1.0 + real) - h_im * imaginary + sources["noise_re"] * noise
        im = h_im * (1.0 + real) + h_re * imaginary + sources["noise_im"] * noise
        return self._overlap_add(ops.irfft((re, im), fft_length=self._spec.n_fft))

    def _amplitude(self, log_gains: Tensor) -> Tensor:
        clipped = ops.clip(log_gains, self._spec.log_gain_minimum, self._spec.log_gain_maximum)
        return ops.exp(ops.matmul(clipped, self._bands))

    def _residual(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary part (B, T, n_bins), zero at DC and above the residual's bins."""
        bins = self._spec.residual_bins
        padding = [[0, 0], [0, 0], [1, self._above]]
        return (
            ops.pad(residual[:, :, :bins] * self._scale, padding),
            ops.pad(residual[:, :, bins:] * self._scale, padding),
        )

    def _overlap_add(self, buffers: Tensor) -> Tensor:
        """Add (B, T, n_fft) one hop apart and keep what every window covers."""
        n_fft, hop = self._spec.n_fft, self._hop
        pieces = -(-n_fft // hop)
        frames = ops.shape(buffers)[1]
        padded = ops.pad(buffers, [[0, 0], [0, 0], [0, pieces * hop - n_fft]])
        total = None
        for piece in range(pieces):
            part = padded[:, :, piece * hop : (piece + 1) * hop]
            shifted = ops.pad(part, [[0, 0], [piece, pieces - 1 - piece], [0, 0]])
            total = shifted if total is None else total + shifted
        flat = ops.reshape(total, (-1, (frames + pieces - 1) * hop))
        start = (n_fft - self._spec.win_length) // 2 + hop
        return flat[:, start : start + (frames - 1) * hop]
