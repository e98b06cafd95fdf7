"""Losses: what they are 0 for, what counts, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import ops

from train.face.swap.losses import SwapLossWeights, dssim, swap_terms, total

pytestmark = pytest.mark.tensorflow


def _batch(seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    face = np.zeros((2, 32, 32, 1), np.float32)
    face[:, 8:24, 8:24] = 1.0
    features = np.zeros_like(face)
    features[:, 10:14, 10:22] = 1.0
    return {
        "target": rng.random((2, 32, 32, 3)).astype(np.float32),
        "face": face,
        "shown": face,
        "features": features,
    }


def _terms(batch: dict[str, np.ndarray], rgb: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    vectors = np.zeros((2, 4), np.float32)
    found = swap_terms(SwapLossWeights(), batch, {"rgb": rgb, "mask": mask}, vectors)
    return {name: float(ops.convert_to_numpy(value)) for name, value in found.items()}


def test_the_truth_costs_nothing() -> None:
    batch = _batch()
    terms = _terms(batch, batch["target"], batch["shown"])
    assert all(abs(value) < 2e-4 for value in terms.values()), terms
    assert float(total(SwapLossWeights(), terms)) < 1e-3


def test_what_lies_outside_the_face_costs_nothing() -> None:
    batch = _batch()
    rgb = np.where(np.pad(np.ones((2, 24, 24, 1)), ((0, 0), (4, 4), (4, 4), (0, 0))) > 0, batch["target"], 0.0)
    terms = _terms(batch, rgb.astype(np.float32), batch["shown"])
    assert terms["colour"] < 1e-6
    assert terms["edges"] < 1e-6


def test_eyes_and_mouth_count_more() -> None:
    batch = _batch()
    inside, beside = batch["target"].copy(), batch["target"].copy()
    inside[:, 10:14, 10:22] += 0.2
    beside[:, 18:22, 10:22] += 0.2
    ours, theirs = (_terms(batch, rgb, batch["shown"])["colour"] for rgb in (inside, beside))
    assert ours == pytest.approx(theirs * (1.0 + SwapLossWeights().features), rel=1e-3)


def test_structure_sees_blur_that_colour_hardly_does() -> None:
    batch = _batch()
    grey = np.full_like(batch["target"], 0.5)
    same = ops.convert_to_numpy(dssim(batch["target"], batch["target"], 7))
    assert np.abs(same).max() < 1e-5
    assert ops.convert_to_numpy(dssim(grey, batch["target"], 7)).mean() > 0.4
