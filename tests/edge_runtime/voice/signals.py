"""Signals with a known truth, and the specs of the shipped presets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from train.voice.presets import front_end_spec, synthesis_spec

SPEC = front_end_spec()
SYNTHESIS = synthesis_spec()
RATE_HZ = SPEC.sample_rate_hz


def vowel(seconds: float, f0_hz: float | NDArray[np.float64], seed: int = 0) -> NDArray[np.float32]:
    """A sawtooth-like voice with two formants and a little noise, (n,); ``f0_hz`` a number or one value a sample."""
    n = round(seconds * RATE_HZ)
    f0 = np.broadcast_to(np.asarray(f0_hz, np.float64), (n,))
    phase = 2 * np.pi * np.cumsum(f0) / RATE_HZ
    out = np.zeros(n)
    for harmonic in range(1, int(7000 / f0.max())):
        hz = harmonic * f0
        envelope = 1 / (1 + ((hz - 600) / 200) ** 2) + 0.5 / (1 + ((hz - 1700) / 300) ** 2) + 0.01
        out += envelope * np.cos(harmonic * phase)
    out += 1e-3 * np.random.default_rng(seed).standard_normal(n)
    return (0.05 * out / np.sqrt(np.mean(out**2))).astype(np.float32)


def speechlike(seconds: float = 4.0, seed: int = 0) -> NDArray[np.float32]:
    """Vowels with gliding pitch, noise bursts and pauses, (n,): everything a front end can meet."""
    rng = np.random.default_rng(seed)
    parts: list[NDArray[np.float32]] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        length = float(rng.uniform(0.1, 0.4))
        glide = np.geomspace(rng.uniform(90, 220), rng.uniform(90, 220), round(length * RATE_HZ))
        parts.append(vowel(length, glide, seed))
        parts.append((0.02 * rng.standard_normal(round(rng.uniform(0.03, 0.12) * RATE_HZ))).astype(np.float32))
        parts.append(np.zeros(round(rng.uniform(0.0, 0.3) * RATE_HZ), np.float32))
    return np.concatenate(parts)[: round(seconds * RATE_HZ)]


def random_cuts(n: int, rng: np.random.Generator, longest: int = 700) -> list[slice]:
    """Consecutive slices of random length, some empty, that cover n samples."""
    cuts = [0]
    while cuts[-1] < n:
        cuts.append(min(n, cuts[-1] + int(rng.integers(0, longest))))
    return [slice(a, b) for a, b in pairwise(cuts)]
