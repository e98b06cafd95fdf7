"""Pairs made by arithmetic, for tests that need a pair and no face."""

from __future__ import annotations

import numpy as np

from train.face.dataset import StoredFlow, StoredPair
from train.face.render.pairs import LANDMARKS
from train.face.units import UNITS

SIZE_PX = 64


def make_pair(seed: int, size_px: int = SIZE_PX) -> StoredPair:
    """A pair of random pictures; the flow is smooth and within 20 pixels."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size_px, 0:size_px].astype(np.float32)

    def picture() -> np.ndarray:
        return rng.integers(0, 256, (size_px, size_px, 3)).astype(np.uint8)

    def flow() -> StoredFlow:
        waves = np.stack([np.sin(rows / 9.0), np.cos(columns / 7.0)], axis=2) * rng.uniform(-20.0, 20.0)
        hidden = (rng.random((size_px, size_px)) < 0.1).astype(np.float32)
        return StoredFlow(waves.astype(np.float32), 1.0 - hidden, hidden)

    def points() -> np.ndarray:
        return rng.uniform(0.0, size_px, (len(LANDMARKS), 2)).astype(np.float32)

    def bits() -> np.ndarray:
        return rng.integers(0, 8, (size_px, size_px)).astype(np.uint8)

    def units() -> np.ndarray:
        return rng.random(len(UNITS)).astype(np.float32)

    return StoredPair(
        picture(), picture(), units(), units(), points(), points(), bits(), bits(), flow(), flow()
    )  # fmt: skip
