"""The dataset folder is the contract between collect and every later step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.contract import DataSource
from edge_runtime.errors import WorkstationError
from train.voice.dataset import Clip, Dataset, load_dataset, read_clip, save_dataset, write_clip, write_labels


def _dataset(root: Path) -> Dataset:
    clips = (
        Clip("clips/a.wav", "ada", 1.5, "train", "g1", "phones/1.npy"),
        Clip("clips/b.wav", "bob", 1.5, "heldout", "g1", None),
    )
    return Dataset(root, clips, (DataSource("somebody", "CC0", 0.05),), people=("bob",))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    dataset = _dataset(tmp_path)
    save_dataset(dataset)
    assert load_dataset(tmp_path) == dataset
    assert dataset.speakers == ("ada", "bob")
    assert [clip.file for clip in dataset.split("heldout")] == ["clips/b.wav"]


def _without_a_field(data: dict) -> None:
    del data["clips"][0]["seconds"]


def _with_another_version(data: dict) -> None:
    data["version"] = 99


def _pointing_outside(data: dict) -> None:
    data["clips"][0]["file"] = "../../secret.wav"


def _in_no_split(data: dict) -> None:
    data["clips"][0]["split"] = "test"


@pytest.mark.parametrize("damage", [_without_a_field, _with_another_version, _pointing_outside, _in_no_split])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, damage) -> None:
    path = save_dataset(_dataset(tmp_path))
    data = json.loads(path.read_text())
    damage(data)
    path.write_text(json.dumps(data))
    with pytest.raises(WorkstationError, match="run collect again") as caught:
        load_dataset(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_a_file_that_is_no_dataset_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "collected.json").write_bytes(content)
    with pytest.raises(WorkstationError):
        load_dataset(tmp_path)


def test_a_folder_without_dataset_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkstationError, match="changeling train voice collect"):
        load_dataset(tmp_path)


def test_clips_are_plain_16_bit_wav_without_the_mark_of_converted_sound(tmp_path: Path) -> None:
    """A recording must not be taken for converted sound by `changeling verify`."""
    samples = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    write_clip(tmp_path / "a.wav", samples)
    assert np.abs(read_clip(tmp_path / "a.wav") - samples).max() <= 0.5 / 32768
    assert (tmp_path / "a.wav").stat().st_size == 44 + 2 * 1600


def test_labels_come_back_and_other_arrays_are_refused(tmp_path: Path) -> None:
    dataset = _dataset(tmp_path)
    (tmp_path / "phones").mkdir()
    ids = np.arange(5, dtype=np.int16)
    write_labels(tmp_path / "phones/1.npy", ids)
    np.testing.assert_array_equal(dataset.phone_ids(dataset.clips[0]), ids)
    assert dataset.phone_ids(dataset.clips[1]) is None
    np.save(tmp_path / "phones/1.npy", ids.astype(np.float32))
    with pytest.raises(WorkstationError, match="phone labels"):
        dataset.phone_ids(dataset.clips[0])
