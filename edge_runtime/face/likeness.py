"""Which face of a picture is the one in a photo: small grey pictures of aligned faces, held against each other.

Alignment has taken place, size and tilt out; mean and contrast are taken out here, so that light matters less. It tells
the few people of one video apart (Brunelli & Poggio 1993 found normalised correlation of aligned faces to do so); it
does not recognise a person among many, and is not meant to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.remap import shrink

_LUMA = np.array((0.299, 0.587, 0.114), np.float32)
_SIDE_MARGIN, _TOP_MARGIN = 0.22, 0.18
"""Of the crop, that shows hair and background rather than a face."""


def appearance(crop: NDArray[np.uint8], thumbnail_px: int) -> tuple[float, ...]:
    """What the face of an aligned crop (S, S, 3) looks like: a vector of length 1, or zeros for one colour alone."""
    small = shrink(np.ascontiguousarray(crop.astype(np.float32)), crop.shape[0] // thumbnail_px) @ _LUMA
    left, top = round(_SIDE_MARGIN * thumbnail_px), round(_TOP_MARGIN * thumbnail_px)
    inner = small[top : thumbnail_px - top // 2, left : thumbnail_px - left]
    vector = inner - inner.mean()
    length = float(np.linalg.norm(vector))
    return tuple((vector / length if length > 1e-3 else np.zeros_like(vector)).ravel().tolist())


def likeness(first: Sequence[float], second: Sequence[float]) -> float:
    """-1..1, 1 for the same picture."""
    ours: FloatArray = np.asarray(first, np.float32)
    theirs: FloatArray = np.asarray(second, np.float32)
    return float(ours @ theirs) if ours.shape == theirs.shape else -1.0
