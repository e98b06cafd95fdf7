"""What both rendered heads and footage are measured by: where the parts of a face lie, and how the head is turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.face.follow import expression_of
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.landmarks import Face
from train.face.photos import pose_deg


def pose_error_deg(face: Face, true: Face) -> float:
    """Mean difference of yaw, pitch and roll."""
    return float(np.mean(np.abs(np.subtract(pose_deg(face), pose_deg(true)))))


def expression_error(face: Face, true: Face) -> float:
    """Mean distance of the expressive points from where they should be, in distances between the eyes."""
    return float(np.linalg.norm(expression_of(face) - expression_of(true), axis=1).mean())


@dataclass(frozen=True)
class Following:
    """How a swapped face follows the one it was put on, through a video; distances are shares of the eyes'."""

    error: float
    """Mean distance of the expressive points from where the source's moved them."""
    standing_still: float
    """What ``error`` would be of a face that never changes its expression."""
    carried: float
    """Slope of its movements over the source's: 1 moves as far, 0 not at all."""


def following(source: Sequence[FloatArray], swapped: Sequence[FloatArray]) -> Following:
    """Of the expressive points (N, 2) of the same moments of a video, before and after.

    Two people with one expression differ: the exact truth of rendered swaps lies 0.040 from its source
    (``SWAP_MODEL_CARD.md``). So each face is held against its own mean over the video, and what never changes
    there, such as a steady smile, is not judged.
    """
    before, after = (np.stack(list(faces)).astype(np.float64) for faces in (source, swapped))
    before, after = before - before.mean(axis=0), after - after.mean(axis=0)
    return Following(
        float(np.linalg.norm(after - before, axis=-1).mean()),
        float(np.linalg.norm(before, axis=-1).mean()),
        float((before * after).sum() / max(float(np.square(before).sum()), 1e-12)),
    )


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Mean of those that could be measured; None without any."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
