"""Aligned frames: pictures and flows go through one transform, and a face that the device does not find is left out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face.geometry import Similarity
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import remap
from edge_runtime.face_manifest import FaceDataSource
from train.face.dataset import FaceDataset, PairRecord, StoredFlow, StoredPair, save_pair
from train.face.parts import CROP
from train.face.preprocess import (
    Aligned,
    align_pair,
    aligned_folder,
    crop_to_frame,
    frame_size_px,
    load_shard,
    preprocess,
    shard_paths,
    true_five,
)
from train.face.units import UNIT_NAMES

SIZE = 192
NAMES = (
    *("right_eye_outer", "right_eye_inner", "left_eye_outer", "left_eye_inner"),
    *("nose_tip", "mouth_right", "mouth_left"),
)
FIVE = Similarity(1.35, 0.2, 0.0, 2.0).apply(np.array(CROP.reference))
"""A face that is tilted and larger than the crop's, within the picture."""


def landmarks(five: np.ndarray) -> np.ndarray:
    """Named points (L, 2) that give ``five`` back."""
    across = np.array((4.0, 0.0))
    return np.stack([five[0] - across, five[0] + across, five[1] + across, five[1] - across, *five[2:]]).astype("f4")


def pair(seed: int = 0) -> StoredPair:
    """Smooth noise, moved by a smooth field that is known exactly."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((24, 24, 3), np.float32)
    a = np.clip(255 * cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    moves = cv2.resize(rng.normal(0, 4, (5, 5, 2)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    b = remap(a, columns + moves[..., 0], rows + moves[..., 1])
    ones, zeros = np.ones((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    units = np.zeros(len(UNIT_NAMES), np.float32)
    points, regions = landmarks(FIVE), np.zeros((SIZE, SIZE), np.uint8)
    there, back = StoredFlow(moves, ones, zeros), StoredFlow(-moves, ones, zeros)
    return StoredPair(a, b, units, units + 0.5, points, points, regions, regions, there, back)


def test_the_flow_still_leads_from_a_to_b_in_the_frame() -> None:
    """Turned, scaled and cut out: the exact flow of the render must stay exact."""
    frame = align_pair(pair(), (FIVE, FIVE))
    size = frame_size_px(CROP)
    assert frame.images.shape == (1, 2, size, size, 3)
    a, b = frame.images[0].astype(np.float32)
    flow = cv2.resize(frame.flows[0, 0].astype(np.float32), (size, size))
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    inner = np.s_[30:-30, 30:-30]
    left = np.abs(remap(a, columns + flow[..., 0], rows + flow[..., 1]) - b)[inner].mean()
    assert left < 0.12 * np.abs(a - b)[inner].mean()


def test_the_five_points_land_on_their_places() -> None:
    frame = align_pair(pair(), (FIVE, FIVE))
    expected = crop_to_frame().apply(np.array(CROP.reference))
    assert np.abs(frame.five[0, 0] - expected).max() < 0.05
    assert np.abs(true_five(landmarks(FIVE), NAMES) - FIVE).max() < 1e-3


def test_skin_that_unfolds_must_be_invented_and_background_that_appears_must_not() -> None:
    """A closing lid was folded away before: nothing in the picture shows it, though its motion is known."""
    one = pair()
    known, moves = np.ones((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE, 2), np.float32)
    known[60:80, 60:80] = known[120:140, 60:80] = 0.0
    moves[60:80, 60:80, 1] = -5.0  # a lid
    flow = StoredFlow(moves, known, np.zeros((SIZE, SIZE), np.float32))
    upright = Similarity(1.5, 0.0, 0.0, 0.0).apply(np.array(CROP.reference))
    frame = align_pair(dataclasses.replace(one, flow_b=flow), (upright, upright))
    assert 0.8 * 20 * 20 * 0.64 < (frame.hidden[0, 0] > 128).sum() < 1.25 * 20 * 20 * 0.64
    assert (frame.known[0, 0] < 128).sum() > 1.5 * (frame.hidden[0, 0] > 128).sum() / 4
    assert not (frame.hidden[0, 1] > 0).any()


class FakeParts:
    """The device's face finder, which knows where the face is, in every picture but the black ones."""

    def finder(self) -> Any:
        """Itself."""
        return self

    def find(self, image: np.ndarray) -> list[Face]:
        """The made-up face."""
        return [Face(np.zeros((1, 3), np.float32), FIVE, 1.0)] if image.any() else []


def dataset(root: Path) -> FaceDataset:
    """Three pairs to train on, the last without a face, one held out, and one of two identities."""
    (root / "pairs").mkdir(parents=True)
    records = []
    kinds = [("expression", "train")] * 3 + [("expression", "heldout"), ("identity", "train")]
    for i, (kind, split) in enumerate(kinds):
        one = pair(i)
        if i == 2:
            one = dataclasses.replace(one, image_b=np.zeros_like(one.image_b))
        if kind == "identity":
            one = dataclasses.replace(one, flow_a=None, flow_b=None)
        save_pair(root / "pairs" / f"{i}.npz", one)
        records.append(PairRecord(f"pairs/{i}.npz", kind, split, ("x", "x"), ("smile",)))
    source = FaceDataSource("made up", "CC0-1.0", 10)
    return FaceDataset(root, SIZE, UNIT_NAMES, NAMES, tuple(records), (source,))


def loaded(folder: Path, split: str) -> Aligned:
    (path,) = shard_paths(folder, split)
    shard = load_shard(path)
    assert shard is not None
    return shard


def test_pairs_are_aligned_once_and_faces_that_are_not_found_left_out(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    folder = preprocess(data, FakeParts())  # type: ignore[arg-type]
    assert folder == aligned_folder(data)
    assert (len(loaded(folder, "train")), len(loaded(folder, "heldout"))) == (2, 1)
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    preprocess(data, FakeParts())  # type: ignore[arg-type]
    assert stamps == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_several_processes_make_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has more cores gets the same pairs; the processes are real, and small shards keep both busy."""
    monkeypatch.setattr("train.face.preprocess.SHARD_PAIRS", 1)
    one, two = dataset(tmp_path / "one"), dataset(tmp_path / "two")
    alone = preprocess(one, FakeParts())  # type: ignore[arg-type]
    shared = preprocess(two, FakeParts(), workers=2)  # type: ignore[arg-type]
    made = {path.name: path.read_bytes() for path in alone.iterdir()}
    assert len(made) == 4
    assert {path.name: path.read_bytes() for path in shared.iterdir()} == made
    with pytest.raises(InputError, match="choose 1 to 256"):
        preprocess(one, FakeParts(), workers=0)  # type: ignore[arg-type]


def test_a_damaged_shard_is_made_again(tmp_path: Path) -> None:
    """A disk that filled up must not make a data set useless."""
    data = dataset(tmp_path / "data")
    folder = preprocess(data, FakeParts())  # type: ignore[arg-type]
    (path,) = shard_paths(folder, "train")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WorkstationError, match="run preprocess again"):
        load_shard(path)
    preprocess(data, FakeParts())  # type: ignore[arg-type]
    assert len(loaded(folder, "train")) == 2
