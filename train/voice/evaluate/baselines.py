"""What a vocoder does without any training: WORLD (Morise et al. 2016) with pitch and formants moved."""

from __future__ import annotations

import numpy as np

from edge_runtime.contract import FrontEndSpec
from train.voice.evaluate.evaluators import RATE_HZ, missing
from train.voice.evaluate.measures import Samples

NAME = "world-pyworld-0.3.6"
_LARGEST_RATIO = 1.25
"""Formants of grown-up speakers lie within about this of each other."""


def world(samples: Samples, target_f0_hz: float, front_end: FrontEndSpec) -> Samples:
    """Samples (N,) at 16 kHz with their geometric mean F0 moved to the target's and the envelope stretched to fit.

    The ratio of the formants is not measured but follows from the pitches by the same rule that aligns sources in the
    front end. Raises `MissingDependencyError`.
    """
    try:
        import pyworld
    except ImportError:
        raise missing("pyworld-prebuilt") from None
    sound = samples.astype(np.float64)
    coarse, times = pyworld.dio(sound, RATE_HZ)
    f0 = pyworld.stonemask(sound, coarse, times, RATE_HZ)
    envelope = pyworld.cheaptrick(sound, f0, times, RATE_HZ)
    noise = pyworld.d4c(sound, f0, times, RATE_HZ)
    voiced = f0 > 0.0
    if not voiced.any():
        return samples
    shift = target_f0_hz / float(np.exp(np.log(f0[voiced]).mean()))
    ratio = float(np.clip(shift**front_end.formant_exponent, 1.0 / _LARGEST_RATIO, _LARGEST_RATIO))
    moved = pyworld.synthesize(f0 * shift, stretched(envelope, ratio), stretched(noise, ratio), RATE_HZ)
    return np.clip(moved[: len(samples)], -1.0, 1.0).astype(np.float32)


def stretched(spectra: np.ndarray, ratio: float) -> np.ndarray:
    """Spectra (F, bins) with every frequency multiplied by ``ratio``."""
    bins = np.arange(spectra.shape[1])
    source = np.minimum(bins / ratio, bins[-1])
    lower = np.minimum(source.astype(int), len(bins) - 2)
    share = source - lower
    return np.ascontiguousarray(spectra[:, lower] * (1.0 - share) + spectra[:, lower + 1] * share)
