"""Decibels, semitones and nats: people say controls in dB and semitones, the signal path computes in natural logs."""

from __future__ import annotations

import math

NATS_PER_DB = math.log(10.0) / 20.0
"""Natural log of amplitude that one decibel is."""
NATS_PER_SEMITONE = math.log(2.0) / 12.0
"""Natural log of frequency that one semitone is."""
