"""The linear basis: found again from flows that were made by one, and blind where nothing is known."""

from __future__ import annotations

import numpy as np

from train.face.basis import BasisFit, apply_basis

UNITS, CELLS, EDITS = 4, 6, 200


def made(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    basis = rng.standard_normal((UNITS, CELLS, CELLS, 2)).astype(np.float32)
    delta = rng.uniform(-1, 1, (EDITS, UNITS)).astype(np.float32)
    return basis, delta, apply_basis(basis, delta)


def test_a_basis_is_found_again() -> None:
    basis, delta, flow = made(np.random.default_rng(0))
    fit = BasisFit(UNITS, CELLS)
    fit.add(delta[:50], flow[:50], np.ones(flow[:50].shape[:3], np.float32))
    fit.add(delta[50:], flow[50:], np.ones(flow[50:].shape[:3], np.float32))
    assert np.abs(fit.solve(ridge=1e-6) - basis).max() < 1e-3


def test_flow_that_nobody_knows_does_not_count() -> None:
    """Wrong flow behind a weight of zero must not bend the basis, cell by cell."""
    rng = np.random.default_rng(1)
    basis, delta, flow = made(rng)
    weight = (rng.random(flow.shape[:3]) < 0.7).astype(np.float32)
    spoilt = np.where(weight[..., None] > 0.0, flow, 99.0).astype(np.float32)
    fit = BasisFit(UNITS, CELLS)
    fit.add(delta, spoilt, weight)
    assert np.abs(fit.solve(ridge=1e-6) - basis).max() < 1e-3


def test_the_ridge_holds_what_was_hardly_seen_near_zero() -> None:
    basis, delta, flow = made(np.random.default_rng(2))
    delta[:, 0] *= 0.01
    fit = BasisFit(UNITS, CELLS)
    fit.add(delta, apply_basis(basis, delta) + 0.01, np.ones(flow.shape[:3], np.float32))
    assert np.abs(fit.solve()[0]).max() < 1.0
