"""Decibels and nats: people say controls in dB, and the network says gains in natural logs of amplitude."""

from __future__ import annotations

import math

NATS_PER_DB = math.log(10.0) / 20.0
"""Natural log of amplitude that one decibel is."""
