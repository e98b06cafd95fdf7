"""Aligning pairs of two heads: masks say where both show a face, and what is done is not done again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from edge_runtime.face.landmarks import Face
from tests.train.face.face_pairs import make_pair
from tests.train.face.swap.made_up import NAMES, aligned, write_aligned
from train.face.dataset import PAIRS_FOLDER, FaceDataset, PairRecord, save_dataset, save_pair
from train.face.parts import CROP
from train.face.preprocess import load_shard_of, stored_names
from train.face.render.pairs import LANDMARKS
from train.face.render.scene import EYES, FACE
from train.face.swap import preprocess as module
from train.face.swap.looks import OwnHalf, RenderedLooks, SwapHalf
from train.face.swap.preprocess import SwapAligned, align_swap, preprocess
from train.face.units import UNIT_NAMES


def _face(size: int) -> Face:
    five = (np.array(CROP.reference, np.float32) + 12.0) * (size / 152.0)
    return Face(np.zeros((468, 3), np.float32), five, 1.0)


def test_shares_follow_the_regions_of_either_picture() -> None:
    import dataclasses

    pair = make_pair(1, 152)
    left = np.zeros((152, 152), np.uint8)
    left[:, :76] = FACE
    left[60:70, 40:60] |= EYES
    pair = dataclasses.replace(pair, regions_a=left, regions_b=np.ascontiguousarray(left[:, ::-1]))
    found = align_swap(pair, (_face(152), _face(152)), ("s00000.0", "t001"))
    assert found.images.shape[:2] == (1, 2)
    middle = found.face.shape[-1] // 2
    assert found.face[0, 0, :, : middle - 4].min() >= 0
    assert found.face[0, 0, 20:-20, 20 : middle - 4].min() == 255
    assert found.face[0, 0, :, middle + 4 :].max() == 0
    assert found.face[0, 1, 20:-20, middle + 4 : -20].min() == 255
    assert 0 < (found.features[0, 0] > 0).mean() < 0.05
    assert found.heads.tolist() == [["s00000.0", "t001"]]


def test_looks_are_swaps_and_targets_as_themselves(tmp_path: Path) -> None:
    looks = RenderedLooks([aligned(NAMES, 6, 1)], NAMES)
    assert len(looks) == 12
    swap, own = looks.look(4), looks.look(5)
    assert (swap.own, own.own) == (False, True)
    assert swap.identity == own.identity == 2
    np.testing.assert_array_equal(swap.target, own.image)
    assert (swap.image != own.image).any()
    folder = write_aligned(tmp_path / "aligned")
    with pytest.raises(WorkstationError, match="no train pairs of these identities"):
        RenderedLooks.of([folder], "train", ("t999",))


def test_what_a_held_out_identity_is_judged_on_was_not_taught() -> None:
    looks = RenderedLooks([aligned(NAMES[:1], 7, 1)], NAMES)
    taught, judged = OwnHalf(looks), SwapHalf(looks)
    assert (len(taught), len(judged)) == (4, 3)
    assert all(taught.look(i).own for i in range(4))
    assert not any(judged.look(i).own for i in range(3))
    shown = {taught.look(i).target.tobytes() for i in range(4)}
    assert not shown & {judged.look(i).target.tobytes() for i in range(3)}


def test_what_is_aligned_is_not_aligned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a shard are its key: it once held the heads' names in their place, and was made anew every time."""
    (tmp_path / PAIRS_FOLDER).mkdir()
    records = []
    for number in range(3):
        file = f"{PAIRS_FOLDER}/{number:05d}.npz"
        save_pair(tmp_path / file, make_pair(number, 152))
        records.append(PairRecord(file, "identity", "train", (f"s{number:05d}.0", "t000"), ()))
    dataset = FaceDataset(tmp_path, 152, UNIT_NAMES, tuple(LANDMARKS), tuple(records), ())
    save_dataset(dataset)
    looked = []

    def found(path: Path, names: object, finder: object) -> object:
        looked.append(path.name)
        return make_pair(1, 152), _face(152), _face(152)

    class Parts:
        def finder(self) -> None:
            return None

    monkeypatch.setattr(module, "find_pair", found)
    folder = preprocess(dataset, Parts())  # type: ignore[arg-type]
    assert preprocess(dataset, Parts()) == folder  # type: ignore[arg-type]
    assert len(looked) == 3
    path = folder / "train-00000.npz"
    assert stored_names(path) == [record.file for record in records]
    shard = load_shard_of(path, SwapAligned)
    assert shard is not None
    assert shard.heads[:, 1].tolist() == ["t000"] * 3
