"""How near an edit comes to its rendered truth: the arithmetic that training, export and evaluation share.

Everything is in the aligned crop, finished by the device's own composer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.compose import Composer
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import FloatArray, Similarity
from train.face.batches import Example

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HERE = Similarity(1.0, 0.0, 0.0, 0.0)
"""The crop is its own photo."""

PSNR_LIMIT_DB = 99.0
"""What two equal pictures are said to have."""
_MOVING_PX = 1.0
_CHANGED = 0.03
_UNCHANGED = 0.01
_OWN_SHARE = 0.6
"""An edit counts for a unit when at least this share of what it is expected to move is the unit's doing."""


def compose(composer: Composer, image: Image, edit: Edit) -> Image:
    """The finished crop, exactly as the device makes it."""
    out = image.copy()
    composer.paste(out, edit, HERE)
    return out


def warp_alone(edit: Edit) -> Edit:
    """The same edit without invented pixels, and nothing lighter or darker."""
    return replace(edit, mask=np.zeros_like(edit.mask), shade=np.zeros_like(edit.shade))


def flow_alone(flow: FloatArray, size_px: int) -> Edit:
    """A flow (G, G, 2) as an edit of crops of ``size_px`` that invents nothing."""
    zeros = np.zeros((size_px, size_px, 3), np.float32)
    return Edit(flow, zeros[..., :1], zeros, np.zeros((*flow.shape[:2], 3), np.float32))


def moving(example: Example) -> tuple[Mask, FloatArray]:
    """Where something really moves and the truth is known (G, G), and the length of the true flow there, in pixels."""
    length = np.linalg.norm(example.flow, axis=-1)
    return (length > _MOVING_PX) & (example.known > 0.5), length.astype(np.float32)


def flow_error_px(flow: FloatArray, example: Example) -> FloatArray:
    """(G, G) distance of a flow from the true one."""
    return np.asarray(np.linalg.norm(flow - example.flow, axis=-1), np.float32)


def picture_error(image: Image, target: Image) -> FloatArray:
    """(S, S) mean absolute difference over the colours, 0..1."""
    return np.asarray(np.abs(image.astype(np.float32) - target).mean(axis=-1) / 255.0, np.float32)


def changed_and_still(example: Example) -> tuple[Mask, Mask, FloatArray]:
    """Pixels that the true edit changes, those that it does not, and the error of doing nothing (S, S)."""
    copied = picture_error(example.source, example.target)
    return copied > _CHANGED, copied < _UNCHANGED, copied


def main_unit(delta: FloatArray, reach: FloatArray, units: Sequence[str]) -> str | None:
    """The unit that most of an edit (U,) is, or None; ``reach`` (U,) is how much each unit moves at 1."""
    share = np.abs(delta) * reach
    if share.sum() <= 0.0:
        return None
    index = int(share.argmax())
    return units[index] if share[index] >= _OWN_SHARE * share.sum() else None


def basis_reach(basis: FloatArray) -> FloatArray:
    """(U,) how much each unit of a linear basis (U, G, G, 2) moves."""
    return np.asarray(np.abs(basis).sum(axis=(1, 2, 3)), np.float32)


def psnr_db(square_error: float) -> float:
    """PSNR of a mean square error in grey levels, at most `PSNR_LIMIT_DB`."""
    return min(PSNR_LIMIT_DB, 10.0 * float(np.log10(255.0**2 / max(square_error, 1e-9))))


def touched_square_error(before: Image, first: Image, second: Image) -> tuple[float, int]:
    """Sum of squared differences between two finished pictures over what either of them changes, and its values."""
    touched = ((first != before) | (second != before)).any(axis=-1)
    error = np.square(first[touched].astype(np.float64) - second[touched]).sum()
    return float(error), 3 * int(touched.sum())
