"""How far a network's answers for one real photo differ when the photo is seen twice under hard conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from train.face.augment import Augmentation, degrade, recolour, soften
from train.face.config import FaceConfig
from train.face.looks import Flows, Frame, answers, draw_changes, draw_looks, see
from train.face.preprocess import FRAME_SCALE

HARD: Final = Augmentation(blur_share=1.0, noise_share=1.0, jpeg_share=1.0)
"""Light, blur, noise, compression and points that are found elsewhere, always; what covers a face is no look at it."""
CHANGES: Final = 6
"""Of each photo."""
LOOKS: Final = 8
"""Of each photo; compared by twos."""

_MOVING_PX: Final = 0.5
_PURPOSE: Final = 2


def consistency(flows: Flows, frames: Sequence[Frame], config: FaceConfig) -> dict[str, float]:
    """``photo_spread_px``: mean distance of the movements in two looks at the same place of the same photo for the same
    change, in crop pixels, over what moves in either; ``photo_motion_px``: how far it moves there, since a network
    that does nothing is consistent too; ``photo_spread``: the first over the second.
    """
    apart = motion = count = 0.0
    for frame in frames:
        rng = frame.random(_PURPOSE)
        changes = draw_changes(frame, CHANGES, rng)
        looks = draw_looks(frame, config, HARD, LOOKS, rng)
        crops = [see(frame, look, config.crop.size_px) for look in looks]
        crops = [degrade(soften(recolour((crop,), HARD, rng), HARD, rng)[0], HARD, rng) for crop in crops]
        moved, reached = answers(flows, crops, looks, changes, config)
        for first, second in zip(range(0, LOOKS, 2), range(1, LOOKS, 2), strict=True):
            lengths = np.linalg.norm(moved[[first, second]], axis=-1) / FRAME_SCALE
            counted = (lengths.max(axis=0) > _MOVING_PX) & (reached[first] & reached[second])
            difference = np.linalg.norm(moved[first] - moved[second], axis=-1) / FRAME_SCALE
            apart += float(difference[counted].sum())
            motion += float(lengths.mean(axis=0)[counted].sum())
            count += float(counted.sum())
    return {
        "photo_spread_px": round(apart / max(count, 1.0), 5),
        "photo_motion_px": round(motion / max(count, 1.0), 5),
        "photo_spread": round(apart / max(motion, 1e-9), 5),
    }
