"""Step 2: rendered pairs of two heads into aligned frames, by the detector, landmarks and transform of the device.

Both pictures lie in the frame of A, the source (`train.face.preprocess`): what the device sees, and what it should make
of it. ``where A shows a face and B shows one too`` is where a swap may paint: outside of B's face nothing is known of
how it would look, and what covers A's (hair, glasses) must stay.

    DATA/swap-aligned/<fingerprint>/<split>-NNNNN.npz
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.face.finder import FaceFinder
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample
from edge_runtime.face_path_contract import CropSpec
from edge_runtime.files import make_folder
from train.face.dataset import FaceDataset, PairRecord, StoredPair
from train.face.parts import CROP, FaceParts
from train.face.preprocess import (
    Shard,
    Tell,
    aligned_folder,
    crop_to_frame,
    fill_shard,
    find_pair,
    frame_size_px,
    make_shards,
    own_finder,
    waiting_shards,
)
from train.face.render.scene import EYES, FACE, MOUTH
from train.pool import check_workers

_VERSION: Final = 2
"""Bumped on any change of what the files hold."""


@dataclass(frozen=True, eq=False)
class SwapAligned:
    """Pairs in their frames of F pixels; index 0 of the second axis is A, the source, index 1 is B, the target."""

    images: NDArray[np.uint8]
    """(N, 2, F, F, 3)"""
    face: NDArray[np.uint8]
    """(N, 2, F, F) 0..255: share of a pixel that shows skin, eyes or mouth of the face, and nothing that covers it."""
    features: NDArray[np.uint8]
    """(N, 2, F, F) 0..255: share of a pixel that shows eyes or mouth."""
    five: FloatArray
    """(N, 2, 5, 2) the device's five points in A and in B, in frame pixels."""
    heads: NDArray[np.str_]
    """(N, 2) names of the heads."""

    def __len__(self) -> int:
        return len(self.images)


def swap_folder(dataset: FaceDataset) -> Path:
    """Where the frames of a dataset lie; another geometry of the device has another folder."""
    digest = hashlib.sha256(f"{aligned_folder(dataset).name} {_VERSION}".encode()).hexdigest()
    return dataset.root / "swap-aligned" / digest[:16]


def align_swap(pair: StoredPair, faces: tuple[Face, Face], names: Sequence[str], crop: CropSpec = CROP) -> SwapAligned:
    """One pair in the frame of A's face, with the faces that the device found in A and B; N is 1."""
    to_frame = crop_to_frame().after(align(faces[0].five, crop))
    size = frame_size_px(crop)
    back, shape = to_frame.inverse(), (size, size)
    regions = (pair.regions_a, pair.regions_b)
    shares = [
        [sample(_share(one, bits), back, shape, black_outside=True)[..., 0] for one in regions]
        for bits in (FACE, EYES | MOUTH)
    ]
    return SwapAligned(
        np.stack([sample(image, back, shape) for image in (pair.image_a, pair.image_b)])[None],
        np.stack(shares[0])[None],
        np.stack(shares[1])[None],
        np.stack([to_frame.apply(face.five) for face in faces])[None],
        np.array([list(names)]),
    )


def preprocess(dataset: FaceDataset, parts: FaceParts | None = None, *, workers: int = 1) -> Path:
    """Align all pairs of identities that are not aligned yet; returns their folder. Safe to interrupt and repeat.

    Raises as `train.face.preprocess.preprocess`, and `WorkstationError` when there are no such pairs.
    """
    check_workers(workers)
    if not any(pair.kind == "identity" for pair in dataset.pairs):
        raise WorkstationError(f"{dataset.root} holds no pairs of two heads; make some with train face swap collect")
    folder = swap_folder(dataset)
    make_folder(folder)
    make = partial(_make_shard, dataset.root, dataset.landmarks, parts)
    make_shards(waiting_shards(dataset, folder, "identity"), make, parts, dataset.root, workers)
    return folder


def _make_shard(
    root: Path, landmarks: Sequence[str], parts: FaceParts | None, tell: Tell | None, shard: Shard
) -> tuple[int, int]:
    finder = own_finder() if parts is None else parts.finder()
    return fill_shard(shard, partial(_aligned, root, landmarks, finder), SwapAligned, tell)


def _aligned(root: Path, landmarks: Sequence[str], finder: FaceFinder, record: PairRecord) -> SwapAligned | None:
    found = find_pair(root / record.file, landmarks, finder)
    return None if found is None else align_swap(found[0], found[1:], record.identities)


def _share(regions: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    return np.where(regions[..., None] & bits, 255, 0).astype(np.uint8)
