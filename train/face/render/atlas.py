"""The texture map of the head: which point of the skin each texel is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from train.face.heads.model import HeadModel
from train.face.render.raster import NOTHING, rasterise

Points = NDArray[np.floating]

SIZE_TEXELS = 1024
"""About 95 texels a decimetre of face; a rendered face of 192 pixels has 75."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Texels of the body's texture, n of them."""

    rest: Points
    """(n, 3) place on the mesh at rest."""
    masks: Mapping[str, Points]
    """(n,) each; see `HeadModel.masks`."""
    fill: NDArray[np.int32]
    """(N, N): which texel colours this place; outside the triangles the nearest."""
    corner_texels: Points
    """(T, 3, 2): place in the texture of each corner of the body's triangles, texels."""

    def picture(self, values: Points) -> Points:
        """(N, N, C) from one row of ``values`` (n, C) a texel."""
        return np.ascontiguousarray(values[self.fill])


@lru_cache(maxsize=1)
def make_atlas(model: HeadModel) -> Atlas:
    """Draw the body's triangles in its texture."""
    from scipy.ndimage import distance_transform_edt

    texels = model.body_uv * np.float32(SIZE_TEXELS - 1)
    texels[..., 1] = SIZE_TEXELS - 1 - texels[..., 1]
    corners = np.concatenate([texels, np.ones_like(texels[..., :1])], axis=2).reshape(-1, 3)
    triangles = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    shape = (SIZE_TEXELS, SIZE_TEXELS)
    hit = np.full(shape, NOTHING, np.int32)
    weights = np.zeros((*shape, 3), np.float32)
    rasterise(corners, triangles, np.zeros(shape, np.float32), hit, weights)
    rows, columns = np.nonzero(hit != NOTHING)
    body = model.triangles["body"][hit[rows, columns]]
    shares = weights[rows, columns]
    number = np.zeros(shape, np.int32)
    number[rows, columns] = np.arange(len(rows), dtype=np.int32)
    nearest = distance_transform_edt(hit == NOTHING, return_distances=False, return_indices=True)
    return Atlas(
        rest=np.einsum("nc,ncx->nx", shares, model.positions[body]).astype(np.float32),
        masks={name: (mask[body] * shares).sum(axis=1).astype(np.float32) for name, mask in model.masks.items()},
        fill=number[nearest[0], nearest[1]],
        corner_texels=texels.astype(np.float32),
    )
