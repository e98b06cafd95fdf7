"""The head's mesh and its targets, and the sums of them.

Coordinates are the mesh's own: decimetres, x to the person's left, y up, z out of the face; the head lies between
y = 5.2 (neck) and y = 8.6 (crown), its eyes near (+-0.3, 7.3, 1.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from train.face.heads.package import MASKS, PARTS, Delta, head_archive

Points = NDArray[np.floating]
Triangles = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class HeadModel:
    """A mesh whose vertices move by named targets."""

    positions: Points
    """(V, 3), the mesh at rest."""
    triangles: Mapping[str, Triangles]
    """(T, 3) by part; see `train.face.heads.package.PARTS`."""
    body_uv: Points
    """(T, 3, 2): texture place of every corner of the body's triangles, 0..1."""
    targets: Mapping[str, Delta]
    """Vertices and movements at weight 1, by name."""
    masks: Mapping[str, Points]
    """(V,) 0..1: how far a vertex belongs to the lips, the inside of the mouth, ..."""

    def moved(self, base: Points, weights: Mapping[str, float]) -> Points:
        """``base`` (V, 3) with every target added by its weight. Raises `KeyError` for a target there is not."""
        out = base.copy()
        for name, weight in weights.items():
            if weight:
                indices, deltas = self.targets[name]
                out[indices] += np.float32(weight) * deltas
        return out

    def vertices_of(self, part: str) -> NDArray[np.int32]:
        """Indices of the vertices of a part, ascending."""
        return np.unique(self.triangles[part]).astype(np.int32)


@lru_cache(maxsize=1)
def load_head(cache: Path) -> HeadModel:
    """The head from the cache, fetched and unpacked when it is not there yet; see `head_archive` for what it raises."""
    path = head_archive(cache)
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError) as error:
        raise WorkstationError(f"{path} cannot be read; delete it and run again") from error
    ends = np.cumsum(content["target_counts"])
    starts = ends - content["target_counts"]
    deltas = content["target_deltas"].astype(np.float32)
    targets = {
        str(name): (content["target_indices"][start:end], deltas[start:end])
        for name, start, end in zip(content["target_names"], starts, ends, strict=True)
    }
    return HeadModel(
        positions=content["positions"],
        triangles={part: content[f"triangles/{part}"] for part in PARTS},
        body_uv=content["body_uv"],
        targets=targets,
        masks={mask: content[f"mask/{mask}"] for mask in MASKS},
    )
