"""What training minimises: spectra of the sound at four resolutions, its log-mel, and phones where they are known.

Magnitude losses only, because excitation phase is ours to choose: multi-resolution STFT with spectral convergence and
log magnitude (Yamamoto et al. 2020), plus log-mel L1. The log floor keeps silence from ruling the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice.framing import hann
from edge_runtime.voice.mel import mel_matrix
from train.voice.batches import NO_PHONE

Tensor = Any

_MAGNITUDE_FLOOR = 3e-3
_FFT_LENGTHS = (2048, 1024, 512, 256)


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms."""

    convergence: float = 0.5
    log_magnitude: float = 1.0
    log_mel: float = 2.0
    residual: float = 0.02
    """Holds the complex residual small where it does not help."""
    phones: float = 0.05
    """Little: taught more, the encoder takes the sounds of other languages for English ones."""


class VoiceLoss:
    """Terms of the loss by name, each a scalar."""

    def __init__(self, front_end: FrontEndSpec, weights: LossWeights) -> None:
        self.weights = weights
        self._mel = mel_matrix(front_end)
        self._mel_fft = front_end.n_fft
        self._windows = {n: hann(n) for n in (*_FFT_LENGTHS, front_end.n_fft)}

    def __call__(self, batch: dict[str, Tensor], outputs: dict[str, Tensor], rendered: Tensor) -> dict[str, Tensor]:
        """Terms and their weighted sum ``loss``; ``rendered`` and batch["target"] are (B, n)."""
        target = batch["target"]
        convergence, log_magnitude = 0.0, 0.0
        for n_fft in _FFT_LENGTHS:
            ours, theirs = self._magnitude(rendered, n_fft), self._magnitude(target, n_fft)
            difference = ops.sqrt(ops.sum(ops.square(theirs - ours), axis=(1, 2)) + 1e-9)
            norm = ops.sqrt(ops.sum(ops.square(theirs), axis=(1, 2)) + 1e-3)
            convergence += ops.mean(difference / norm) / len(_FFT_LENGTHS)
            ratio = ops.log(ours + _MAGNITUDE_FLOOR) - ops.log(theirs + _MAGNITUDE_FLOOR)
            log_magnitude += ops.mean(ops.abs(ratio)) / len(_FFT_LENGTHS)
        terms = {
            "convergence": convergence,
            "log_magnitude": log_magnitude,
            "log_mel": ops.mean(ops.abs(self._log_mel(rendered) - self._log_mel(target))),
            "residual": ops.mean(ops.square(outputs["residual"])),
        }
        if "phones" in outputs:
            terms["phones"] = _phone_loss(outputs["phones"], batch["phones"])
        terms["loss"] = sum(getattr(self.weights, name) * value for name, value in list(terms.items()))
        return terms

    def _magnitude(self, samples: Tensor, n_fft: int) -> Tensor:
        frames = ops.multiply(ops.extract_sequences(samples, n_fft, n_fft // 4), self._windows[n_fft])
        real, imaginary = ops.rfft(frames)
        return ops.sqrt(ops.square(real) + ops.square(imaginary) + 1e-7)

    def _log_mel(self, samples: Tensor) -> Tensor:
        magnitude = self._magnitude(samples, self._mel_fft)
        power = ops.matmul(ops.square(magnitude), self._mel)
        return 0.5 * ops.log(power + _MAGNITUDE_FLOOR**2)


def _phone_loss(logits: Tensor, phones: Tensor) -> Tensor:
    """Cross-entropy over frames whose phone is known."""
    known = ops.cast(ops.not_equal(phones, NO_PHONE), "float32")
    log_probability = ops.log_softmax(logits, axis=-1)
    labels = ops.one_hot(ops.maximum(phones, 0), logits.shape[-1])
    cross_entropy = -ops.sum(labels * log_probability, axis=-1)
    return ops.sum(cross_entropy * known) / (ops.sum(known) + 1.0)
