"""The shape of a painted face, as landmarks see it: measured on held-out faces that it is put on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.finder import FaceFinder
from edge_runtime.face.follow import read
from edge_runtime.face.swapper import Swapped
from train.face.preprocess import find_largest
from train.face.swap.monitor import finish
from train.face.swap.run import UNKNOWN, SwapHeldOut

Image = NDArray[np.uint8]

_FEWEST: Final = 8
"""Faces below which a mean tells nothing."""


def painted_shape(swap: Callable[[Image], Swapped], heldout: SwapHeldOut, finder: FaceFinder) -> tuple[float, ...]:
    """See `edge_runtime.swap_contract.SwapManifest.painted_shape`; empty where too few faces are found again.

    ``swap`` answers a crop (S, S, 3). The network carries the expressions of rendered heads over, so what differs on
    average is shape. A person's own photos are left out: they are no other face.
    """
    lacking = []
    for image, target, row in zip(heldout.images, heldout.targets, heldout.identities, strict=True):
        face = None if row != UNKNOWN and np.array_equal(image, target) else find_largest(finder, image)
        found = None if face is None else finder.landmarker.follow(finish(image, swap(image)), face)
        if face is None or found is None:
            continue
        before, after = read(face), read(found)
        if before is not None and after is not None:
            lacking.append(before - after)
    if len(lacking) < _FEWEST:
        return ()
    return tuple(round(float(value), 4) for value in np.mean(lacking, axis=0))
