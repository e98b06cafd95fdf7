"""Where along a lash each point of the mesh's lash sheets is."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from train.face.heads.lids import SIDES, margins
from train.face.heads.model import HeadModel
from train.face.render.mesh import Points
from train.face.render.noise import noise

_LOWER_STRENGTH: Final = 0.35


@lru_cache(maxsize=1)
def lash_places(model: HeadModel) -> Points:
    """(V, 3): place along the lid (decimetres), from the root (0) to the tip (1), and the strength of the row, 0..1."""
    from scipy.spatial import cKDTree

    out = np.zeros_like(model.positions)
    vertices = model.vertices_of("lashes")
    points = model.positions[vertices]
    rows = [margins(model, side) for side in SIDES]
    upper = cKDTree(model.positions[np.concatenate([row.upper for row in rows])]).query(points)[0]
    lower = cKDTree(model.positions[np.concatenate([row.lower for row in rows])]).query(points)[0]
    nearest = np.minimum(upper, lower)
    out[vertices, 0] = points[:, 0]
    out[vertices, 1] = np.clip(nearest / np.quantile(nearest, 0.97), 0.0, 1.0)
    out[vertices, 2] = np.where(upper <= lower, 1.0, _LOWER_STRENGTH)
    return out


def lash_cover(places: Points, thickness: float) -> Points:
    """How dark lashes make what is behind them, (n,) 0..1, at ``places`` (n, 3) of `lash_places`."""
    line = np.stack([places[:, 0] + 5.0, np.zeros(len(places)), np.zeros(len(places))], axis=1).astype(np.float32)
    strands = 0.5 * noise(line, 60.0) + 0.5 * noise(line, 110.0)
    # thick at the root, single and thin at the tip
    threshold = 0.05 + 0.5 * places[:, 1]
    cover = np.clip((strands - threshold) * 3.0, 0.0, 1.0) * (1.0 - 0.4 * places[:, 1])
    return cover * places[:, 2] * (0.7 + 0.3 * thickness)
