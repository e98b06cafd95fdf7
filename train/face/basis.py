"""The linear flow basis: what each unit moves on an average aligned face, by ridge regression on rendered flows.

One least squares problem per cell of the flow field, with the cell's own weights (a flow counts only where its truth is
known): F(cell) ~ delta . B(:, cell). Alone it is the fallback tier; in the network it is what the residual adds to.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

RIDGE = 2.0
"""Pseudo-observations of no movement, in units of |delta|² with full weight: what a rare unit is shrunk by."""


class BasisFit:
    """Gathers the normal equations sample by sample."""

    def __init__(self, units: int, cells: int) -> None:
        self._cells = cells
        self._gram = np.zeros((cells * cells, units, units), np.float64)
        self._moment = np.zeros((cells * cells, units, 2), np.float64)

    def add(self, delta: FloatArray, flow: FloatArray, weight: FloatArray) -> None:
        """Changes (N, U), their flows (N, G, G, 2), and how much each cell's flow is to be believed (N, G, G), 0..1."""
        count = len(delta)
        weights = weight.reshape(count, -1).astype(np.float32)
        flows = flow.reshape(count, -1, 2).astype(np.float32)
        weighted = weights.T[:, :, None] * delta[None]  # (cells², N, U)
        self._gram += np.swapaxes(weighted, 1, 2) @ delta[None]
        self._moment += np.swapaxes(weighted, 1, 2) @ np.swapaxes(flows, 0, 1)

    def solve(self, ridge: float = RIDGE) -> FloatArray:
        """(U, G, G, 2): crop pixels for a change of 1."""
        units = self._gram.shape[1]
        solved = np.linalg.solve(self._gram + ridge * np.eye(units), self._moment)
        return np.moveaxis(solved, 1, 0).reshape(units, self._cells, self._cells, 2).astype(np.float32)


def fit_basis(samples: Iterable[tuple[FloatArray, FloatArray, FloatArray]], units: int, cells: int) -> FloatArray:
    """The basis (U, G, G, 2) from batches as `BasisFit.add` takes them."""
    fit = BasisFit(units, cells)
    for delta, flow, weight in samples:
        fit.add(delta, flow, weight)
    return fit.solve()


def apply_basis(basis: FloatArray, delta: FloatArray) -> FloatArray:
    """Flow (N, G, G, 2) of changes (N, U)."""
    return np.asarray(np.tensordot(delta, basis, axes=1), np.float32)
