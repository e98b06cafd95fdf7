"""Real photos as pairs to learn from: what a trained network answers when it is asked gently and often.

Nobody knows the true movement in a photo. The network itself is asked instead, for the same change in several looks at
the photo (mirrored; shifted, turned and scaled a little), and the mean of its answers is taken for the truth where they
agree. That the mean over changed copies of unlabelled data is worth learning from is data distillation (Radosavovic et
al. 2018), after pseudo-labels (Lee 2013); that a student must learn it under noise, so that it becomes more robust than
its teacher, is noisy student training (Xie et al. 2020). The noise is `train.face.batches`'.

    RUN/pseudo/train-*.npz      one photo each, as `train.face.preprocess.Aligned`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.remap import remap, sample
from edge_runtime.files import make_folder
from train.face.augment import Augmentation
from train.face.config import FaceConfig
from train.face.looks import FRAME_TO_FIELD, Flows, Frame, Image, answers, draw_changes, draw_looks, make_frame, see
from train.face.photos import PhotoRecord, load_picture
from train.face.preprocess import FRAME_SCALE, Aligned, load_shard, save_shard, shard_paths, stored_names
from train.face.units import UnitValues
from train.progress import Progress

LOOKS: Final = 8
"""Of the teacher at a photo, half of them mirrored."""
GENTLE: Final = Augmentation(points_px=0.25, shift_px=0.6, turn=0.02, scale=0.015)
"""How far the teacher's looks are apart; light and sharpness stay the photo's own."""
DISAGREEMENT_PX: Final = 0.25
DISAGREEMENT_SHARE: Final = 0.15
"""Answers that differ (root mean square over the looks) by more crop pixels than this, plus this share of the movement,
teach nothing at that place. Where a trained network moves a photo it mostly differs by 0.15 pixels."""
LEAST_TRUSTED: Final = 0.5
"""An edit of which the looks agree on a smaller share of what moves is left out."""
EDITS_OF_ALL: Final = 2000
EDITS_OF_ONE: Final = (4, 24)
"""At least and at most, of a photo."""

_MOVING_PX: Final = 0.5
_PURPOSE: Final = 1


@dataclass(frozen=True)
class Lesson:
    """What came of asking the teacher."""

    photos: int
    """Photos with something to learn from."""
    dropped_photos: int
    """Photos whose looks disagree everywhere."""
    edits: int
    dropped_edits: int
    """Of the photos that are left."""

    def __str__(self) -> str:
        return (
            f"{self.edits} edits of {self.photos} photos to learn from; the teacher disagrees with itself on "
            f"{self.dropped_edits} more, and on {self.dropped_photos} photos altogether"
        )


def edits_each(photos: int) -> int:
    """How many changes each of so many photos is taught with."""
    return int(np.clip(EDITS_OF_ALL // max(photos, 1), *EDITS_OF_ONE))


def ask_teacher(
    folder: Path, data: Path, records: Sequence[PhotoRecord], flows: Flows, config: FaceConfig, edits: int
) -> Lesson:
    """Write what ``flows`` says about the photos of ``data`` into ``folder``; photos that are there are kept.

    Raises `WorkstationError` for a picture that cannot be read, and `OutputError`.
    """
    make_folder(folder)
    wanted = {folder / f"train-{PurePosixPath(record.file).stem}.npz": record for record in records}
    for path in shard_paths(folder, "train"):
        if path not in wanted:
            path.unlink()
    counts = []
    with Progress(len(wanted), "ask the teacher") as progress:
        for number, (path, record) in enumerate(wanted.items(), 1):
            if stored_names(path) != [record.file]:
                pairs = pseudo_pairs(make_frame(load_picture(data, record), record, config), flows, config, edits)
                save_shard(path, [] if pairs is None else [pairs], [record.file])
            counts.append(len(load_shard(path) or ()))
            progress.update(number, f"{sum(counts)} edits of {sum(map(bool, counts))} photos")
    used = [count for count in counts if count]
    return Lesson(len(used), len(counts) - len(used), sum(used), max(0, edits * len(used) - sum(used)))


def pseudo_pairs(frame: Frame, flows: Flows, config: FaceConfig, edits: int) -> Aligned | None:
    """Up to ``edits`` changes of one face that the teacher is sure of; None when it is sure of none."""
    rng = frame.random(_PURPOSE)
    changes = draw_changes(frame, edits, rng)
    looks = draw_looks(frame, config, GENTLE, LOOKS, rng)
    crops = [see(frame, look, config.crop.size_px) for look in looks]
    moved, reached = answers(flows, crops, looks, changes, config)
    means, sure = agreed(moved, reached)
    chosen = [k for k in range(edits) if trusted_share(means[k], sure[k]) >= LEAST_TRUSTED]
    return _as_pairs(frame, changes[chosen], means[chosen], sure[chosen]) if chosen else None


def agreed(moved: FloatArray, reached: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Mean (K, h, w, 2) of the answers (M, K, h, w, 2) of the looks that reach a cell (M, h, w), and where
    (K, h, w) at least half of them reach and do not differ by more than is allowed; all in frame pixels."""
    share = reached[:, None, :, :, None].astype(np.float32)
    count = np.maximum(share.sum(axis=0), 1.0)
    mean = (moved * share).sum(axis=0) / count
    spread = np.sqrt((np.square(moved - mean) * share).sum(axis=(0, -1)) / count[..., 0])
    allowed = DISAGREEMENT_PX * FRAME_SCALE + DISAGREEMENT_SHARE * np.linalg.norm(mean, axis=-1)
    sure = (spread <= allowed) & (reached.mean(axis=0) >= 0.5)
    return mean.astype(np.float32), np.asarray(sure, np.bool_)


def trusted_share(flow: FloatArray, sure: NDArray[np.bool_]) -> float:
    """Share of what moves (of everything, where nothing does) on which the looks agree."""
    moving = np.linalg.norm(flow, axis=-1) > _MOVING_PX * FRAME_SCALE
    return float(sure[moving].mean() if moving.any() else sure.mean())


def _as_pairs(frame: Frame, changes: UnitValues, flows: FloatArray, sure: NDArray[np.bool_]) -> Aligned:
    """Edits from the photo to the photo moved; the way back is not known."""
    size = frame.image.shape[0]
    after = np.stack([_moved(frame.image, flow) for flow in flows])
    known = sure.astype(np.uint8) * np.uint8(255)
    units = np.broadcast_to(frame.present, changes.shape)
    return Aligned(
        np.stack([np.broadcast_to(frame.image, after.shape), after], axis=1),
        np.stack([flows, np.zeros_like(flows)], axis=1).astype(np.float16),
        np.stack([known, np.zeros_like(known)], axis=1),
        np.zeros((len(changes), 2, size, size), np.uint8),
        np.stack([units, units + changes], axis=1).astype(np.float32),
        np.broadcast_to(frame.five, (len(changes), 2, 5, 2)).astype(np.float32),
    )


def _moved(image: Image, flow: FloatArray) -> Image:
    size = image.shape[0]
    fine = sample(flow, FRAME_TO_FIELD, (size, size))
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    return remap(image, columns + fine[..., 0], rows + fine[..., 1])
