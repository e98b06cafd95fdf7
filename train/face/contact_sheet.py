"""A picture of many pairs, to see at a glance what a data set holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.files import write_atomic
from train.face.dataset import StoredPair

Image = NDArray[np.uint8]

_FULL_COLOUR_PX: Final = 12.0
"""Motion that is drawn in the strongest colour."""
_GAP_PX: Final = 6


def contact_sheet(pairs: Sequence[StoredPair], *, columns: int = 2) -> Image:
    """(H, W, 3): A, B, A's pixels moved to B, the flow as colour and what must be invented, ``columns`` pairs a row.

    Direction is hue and length is strength (after S. Baker et al., "A database and evaluation methodology for optical
    flow", 2011); in the last picture white must be invented, and grey is neither known nor asked for.
    """
    strips = [_strip(pair) for pair in pairs]
    blank = np.zeros_like(strips[0])
    strips += [blank] * (-len(strips) % columns)
    gap = np.zeros((len(blank), _GAP_PX, 3), np.uint8)
    rows = []
    for start in range(0, len(strips), columns):
        row = [part for strip in strips[start : start + columns] for part in (strip, gap)]
        rows.append(np.concatenate(row[:-1], axis=1))
    return np.concatenate(rows, axis=0)


def write_sheet(path: Path, pairs: Sequence[StoredPair]) -> None:
    """Write the contact sheet of ``pairs`` as PNG. Raises `OutputError`."""
    done, data = cv2.imencode(".png", contact_sheet(pairs)[..., ::-1])
    if not done:
        raise WorkstationError(f"{path.name} cannot be made from {len(pairs)} pairs; report this fault")
    write_atomic(path, (data.tobytes(),))


def flow_colours(backward_px: NDArray[np.float32]) -> Image:
    """(H, W, 3) for a flow (H, W, 2): no motion is white."""
    angle = np.degrees(np.arctan2(backward_px[..., 1], backward_px[..., 0])) % 360.0
    length = np.clip(np.linalg.norm(backward_px, axis=2) / _FULL_COLOUR_PX, 0.0, 1.0)
    hsv = np.stack([angle / 2.0, 255.0 * np.sqrt(length), np.full_like(angle, 255.0)], axis=2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def moved(image: Image, backward_px: NDArray[np.float32]) -> Image:
    """``image`` (H, W, 3) with every pixel taken from where the flow (H, W, 2) says, bilinear, edges repeated."""
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    x, y = columns + backward_px[..., 0], rows + backward_px[..., 1]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _strip(pair: StoredPair) -> Image:
    if pair.flow_b is None:
        blank = np.full_like(pair.image_a, 40)
        return np.concatenate([pair.image_a, pair.image_b, blank, blank, blank], axis=1)
    flow = pair.flow_b
    rest = 0.35 * np.clip(1.0 - flow.known - flow.hidden, 0.0, 1.0)
    invented = np.repeat(np.rint(255.0 * np.maximum(flow.hidden, rest)).astype(np.uint8)[..., None], 3, axis=2)
    pictures = [pair.image_a, pair.image_b, moved(pair.image_a, flow.backward_px), flow_colours(flow.backward_px)]
    return np.concatenate([*pictures, invented], axis=1)
