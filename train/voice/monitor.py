"""What a run shows of itself: columns of its log, and samples one can hear and look at."""

from __future__ import annotations

import numpy as np

from edge_runtime.media.audio import write_wav
from edge_runtime.voice.framing import FloatArray
from train.voice.picture import draw
from train.voice.run import Run

SAMPLE_COMMENT = "training sample"

FIELDS = ("step", "seconds", "rate", "loss", "log_mel", "log_magnitude", "convergence", "phones", "heldout_loss")
"""Columns of ``log.csv``."""

CURVES = ("loss", "heldout_loss", "log_mel", "log_magnitude", "convergence", "phones")


def write_sample(run: Run, step: int, name: str, source: FloatArray, converted: FloatArray, rate_hz: int) -> None:
    """Sound and picture of one held-out clip as the voice says it now."""
    run.samples.mkdir(parents=True, exist_ok=True)
    spoken = run.samples / f"{name}-source.wav"
    write_wav(spoken, source, rate_hz, comment=SAMPLE_COMMENT)
    said = run.samples / f"{step:06d}-{name}.wav"
    write_wav(said, np.clip(converted, -1.0, 1.0), rate_hz, comment=SAMPLE_COMMENT)
    draw([spoken, said], said.with_suffix(".png"))
