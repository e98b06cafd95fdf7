"""Fixed colours of the output: tilt, presence and the band of a small radio, as one curve over the bins.

The curve is added to the log gains of the synthesis, so it costs neither time nor latency.
"""

from __future__ import annotations

import numpy as np

from edge_runtime.voice.decibels import NATS_PER_DB
from edge_runtime.voice.framing import FloatArray

_TILT_PIVOT_HZ = 500.0
"""About the middle of speech's energy, so that a voice grows little louder with tilt of either sign."""
_LOWEST_HZ = 62.5
"""Below this, tilt goes no further: there is no octave below DC."""
PRESENCE_HZ = (2000.0, 5000.0)
_PRESENCE_SKIRT_OCTAVES = 0.6
RADIO_HZ = (300.0, 3400.0)
"""The band of narrow-band telephony and of a small speaker."""
_RADIO_DB_PER_OCTAVE = 48.0
_RADIO_FLOOR_DB = 40.0
_RADIO_GAIN_DB = 4.0
"""Given back in the band for what is cut off outside, and what drives the saturation."""


def output_curve(bins_hz: np.ndarray, *, tilt: float, presence: float, radio: float) -> FloatArray:
    """What is added to the log gain (natural log) of bins at ``bins_hz`` (n,).

    ``tilt`` in dB per octave about 500 Hz, ``presence`` in dB between 2 and 5 kHz, ``radio`` 0..1. All neutral is zero.
    """
    octaves = np.log2(np.maximum(bins_hz, _LOWEST_HZ))
    curve_db = tilt * (octaves - np.log2(_TILT_PIVOT_HZ))
    if presence:
        curve_db = curve_db + presence * _plateau(octaves)
    if radio:
        outside = _octaves_outside(octaves, RADIO_HZ)
        cut_db = np.minimum(_RADIO_DB_PER_OCTAVE * outside, _RADIO_FLOOR_DB)
        curve_db = curve_db + radio * (_RADIO_GAIN_DB - cut_db)
    return np.asarray(curve_db * NATS_PER_DB, np.float32)


def _octaves_outside(octaves: np.ndarray, band_hz: tuple[float, float]) -> np.ndarray:
    low, high = np.log2(band_hz[0]), np.log2(band_hz[1])
    return np.asarray(np.maximum(np.maximum(low - octaves, octaves - high), 0.0))


def _plateau(octaves: np.ndarray) -> np.ndarray:
    """One inside the presence band, falling to zero on both sides by half a cosine."""
    distance = np.minimum(_octaves_outside(octaves, PRESENCE_HZ) / _PRESENCE_SKIRT_OCTAVES, 1.0)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * distance))
