"""Several data sets become one that stands on its own."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import InputError, WorkstationError
from tests.train.voice.tiny_dataset import make_dataset
from train.records import write_json
from train.voice.dataset import Dataset, load_dataset, read_clip, save_dataset, write_labels
from train.voice.join import join, main


@pytest.fixture
def parts(tmp_path: Path) -> list[Dataset]:
    """Two data sets with the same file names: one with phone labels, one of a person's recordings."""
    first, second = (make_dataset(tmp_path / name, sentences=2) for name in ("first", "second"))
    write_json(first.root / "phones.json", ["sil", "a"])
    write_labels(first.root / "phones.npy", np.ones(250, np.int16))
    first = dataclasses.replace(first, clips=tuple(dataclasses.replace(c, phones="phones.npy") for c in first.clips))
    save_dataset(first)
    clips = tuple(dataclasses.replace(c, speaker="anna") for c in second.clips if c.speaker == "low")
    second = dataclasses.replace(second, clips=clips, people=("anna",))
    save_dataset(second)
    return [first, second]


def test_everything_is_there_and_stays_when_the_parts_go(parts: list[Dataset], tmp_path: Path) -> None:
    out = tmp_path / "joined"
    assert main([*(str(part.root) for part in parts), "-o", str(out)]) == 0
    expected = [read_clip(part.path(clip)) for part in parts for clip in part.clips]
    minutes = sum(part.minutes for part in parts)
    for part in parts:
        shutil.rmtree(part.root)
    joined = load_dataset(out)
    assert joined.minutes == pytest.approx(minutes)
    assert joined.people == ("anna",)
    assert set(joined.speakers) == {"low", "bright", "anna"}
    assert all(np.array_equal(read_clip(joined.path(c)), e) for c, e in zip(joined.clips, expected, strict=True))
    labelled = [clip for clip in joined.clips if clip.phones]
    assert len(labelled) == sum(clip.speaker != "anna" for clip in joined.clips)
    assert all(joined.phone_ids(clip) is not None for clip in labelled)


def test_groups_of_different_sets_are_no_pairs(parts: list[Dataset], tmp_path: Path) -> None:
    """Sentence 1 of one corpus is not sentence 1 of another, whatever both call it."""
    joined = join(parts, tmp_path / "joined")
    groups = {clip.group for clip in joined.clips if clip.speaker == "anna"}
    assert not groups & {clip.group for clip in joined.clips if clip.speaker != "anna"}


def test_joining_again_gives_the_same(parts: list[Dataset], tmp_path: Path) -> None:
    assert join(parts, tmp_path / "joined") == join(parts, tmp_path / "joined")


def test_what_cannot_be_joined_is_one_line(parts: list[Dataset], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least two"):
        join([parts[0], parts[0]], tmp_path / "out")
    with pytest.raises(InputError, match="choose another folder"):
        join(parts, parts[0].root)
    write_json(parts[1].root / "phones.json", ["sil", "other"])
    with pytest.raises(WorkstationError, match="label other phones"):
        join(parts, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    with pytest.raises(InputError, match="something else"):
        main([*(str(part.root) for part in parts), "-o", str(tmp_path / "mine")])
