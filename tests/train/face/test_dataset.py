"""The folder of pairs: what is written is what is read, and what is damaged says so in one line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from edge_runtime.face_manifest import FaceDataSource
from tests.train.face.face_pairs import make_pair
from train.face.dataset import (
    DATASET_FILE,
    FLOW_STEPS_PER_PX,
    FaceDataset,
    PairRecord,
    load_dataset,
    load_pair,
    save_dataset,
    save_pair,
)


def _dataset(root: Path) -> FaceDataset:
    records = tuple(
        PairRecord(f"pairs/{index:05d}.npz", kind, split, identities, ("smile",))
        for index, (kind, split, identities) in enumerate(
            (
                ("expression", "train", ("a", "a")),
                ("expression", "heldout", ("b", "b")),
                ("identity", "train", ("c", "d")),
            )
        )
    )
    return FaceDataset(root, 64, ("smile",), ("nose_tip",), records, (FaceDataSource("test", "CC0-1.0", 6),))


def test_a_pair_comes_back_as_it_was(tmp_path: Path) -> None:
    """Pictures and masks exactly, flow within half a step."""
    pair = make_pair(seed=1)
    size = save_pair(tmp_path / "pair.npz", pair)
    again = load_pair(tmp_path / "pair.npz")
    assert size == (tmp_path / "pair.npz").stat().st_size
    for name in ("image_a", "image_b", "units_a", "units_b", "landmarks_a", "landmarks_b", "regions_a", "regions_b"):
        assert np.array_equal(getattr(pair, name), getattr(again, name)), name
    for flow, read in ((pair.flow_a, again.flow_a), (pair.flow_b, again.flow_b)):
        assert flow is not None
        assert read is not None
        assert np.abs(flow.backward_px - read.backward_px).max() <= 0.5 / FLOW_STEPS_PER_PX
        assert np.abs(flow.known - read.known).max() <= 0.5 / 255.0
        assert np.abs(flow.hidden - read.hidden).max() <= 0.5 / 255.0


def test_the_same_pair_gives_the_same_bytes(tmp_path: Path) -> None:
    """No dates and no order of a dictionary in the file."""
    for name in ("one", "two"):
        save_pair(tmp_path / name, make_pair(seed=2))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_reversed_pair_swaps_everything() -> None:
    """Both signs of a change come from one pair; a mask of the wrong picture would teach nonsense."""
    pair = make_pair(seed=3)
    back = pair.reversed()
    assert back.image_a is pair.image_b
    assert back.units_b is pair.units_a
    assert back.regions_a is pair.regions_b
    assert back.landmarks_a is pair.landmarks_b
    assert back.flow_b is pair.flow_a
    assert back.reversed().flow_b is pair.flow_b


def test_a_pair_of_two_people_has_no_flow(tmp_path: Path) -> None:
    """There is no truth of where a point of one face was on another."""
    pair = dataclasses.replace(make_pair(seed=4), flow_a=None, flow_b=None)
    save_pair(tmp_path / "pair.npz", pair)
    assert load_pair(tmp_path / "pair.npz").flow_b is None


def test_a_dataset_comes_back_as_it_was(tmp_path: Path) -> None:
    """And tells its splits and people."""
    dataset = _dataset(tmp_path)
    save_dataset(dataset)
    again = load_dataset(tmp_path)
    assert again == dataset
    assert [pair.file for pair in again.split("heldout")] == ["pairs/00001.npz"]
    assert [pair.file for pair in again.split("train", "identity")] == ["pairs/00002.npz"]
    assert again.identities == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 9}, "version 9"),
        ({"size_px": "large"}, "damaged"),
        ({"extra": 1}, "damaged"),
    ],
)
def test_a_damaged_description_is_one_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """Never a guess."""
    path = save_dataset(_dataset(tmp_path))
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WorkstationError, match=message) as caught:
        load_dataset(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("field", "value"), [("file", "../x.npz"), ("file", "/x.npz"), ("kind", "x"), ("split", "x")])
def test_a_record_that_leads_astray_is_refused(tmp_path: Path, field: str, value: str) -> None:
    """A data set from elsewhere must not read files outside its folder."""
    dataset = _dataset(tmp_path)
    bad = dataclasses.replace(dataset.pairs[0], **{field: value})
    save_dataset(dataclasses.replace(dataset, pairs=(bad,)))
    with pytest.raises(WorkstationError):
        load_dataset(tmp_path)


def test_a_folder_without_a_dataset_says_how_to_make_one(tmp_path: Path) -> None:
    """The command is in the message."""
    with pytest.raises(WorkstationError, match="changeling train face collect"):
        load_dataset(tmp_path)
    assert not (tmp_path / DATASET_FILE).exists()


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_pair_is_one_line(tmp_path: Path, damage: bytes | None) -> None:
    """Truncated, empty or something else."""
    path = tmp_path / "pair.npz"
    save_pair(path, make_pair(seed=5))
    path.write_bytes(path.read_bytes()[:3000] if damage is None else damage)
    with pytest.raises(WorkstationError, match="collect again") as caught:
        load_pair(path)
    assert "\n" not in str(caught.value)
