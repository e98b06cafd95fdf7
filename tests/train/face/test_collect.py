"""Collecting pairs: seeded, resumable, growing, and clear words when it cannot. Rendering is replaced by arithmetic."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.errors import ChangelingError, InputError, OutputError, WorkstationError
from tests.train.face.face_pairs import SIZE_PX, make_pair
from train.face import collect as collect_module
from train.face.collect import PAIRS_PER_GROUP, Recipe, collect, plan
from train.face.dataset import load_dataset


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was rendered, in order; pairs come from the random numbers they are given."""
    calls: list[str] = []

    def pair(kind: str) -> Any:
        def make(_: Any, rng: np.random.Generator, size_px: int) -> Any:
            calls.append(kind)
            return make_pair(int(rng.integers(1 << 30)), size_px)

        return make

    monkeypatch.setattr(collect_module, "load_head", lambda cache: None)
    monkeypatch.setattr(collect_module, "sample_person", lambda model, rng: None)
    monkeypatch.setattr(collect_module, "shaved", lambda person: person)
    monkeypatch.setattr(collect_module, "changed", lambda person, values: (person, values))
    monkeypatch.setattr(collect_module, "build_head", lambda model, person, like=None: None)
    monkeypatch.setattr(collect_module, "expression_pair", pair("expression"))
    monkeypatch.setattr(collect_module, "identity_pair", pair("identity"))
    monkeypatch.setattr(collect_module, "feature_pair", lambda heads, _, *rest: pair("feature")(heads, *rest))
    monkeypatch.setattr(collect_module, "stored_pair", lambda stored: stored)
    return calls


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "pairs").iterdir())}


def test_a_folder_holds_what_its_description_says(tmp_path: Path, rendered: list[str]) -> None:
    """From the command line to the loader of the next step."""
    argv = ["train", "face", "collect", "-o", str(tmp_path), "--pairs", "40", "--size", str(SIZE_PX)]
    assert main([*argv, "--identity-share", "0.3", "--feature-share", "0.4"]) == 0
    dataset = load_dataset(tmp_path)
    assert len(dataset.pairs) == 40
    assert {pair.file for pair in dataset.pairs} == {f"pairs/{name}" for name in _bytes(tmp_path)}
    assert {pair.kind for pair in dataset.pairs} == {"expression", "feature", "identity"}
    assert set(rendered) == {"expression", "feature", "identity"}
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert len(rendered) == 40


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path, rendered: list[str]) -> None:
    """In any order: each pair has random numbers of its own."""
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        collect(tmp_path / name, 9, seed=seed, size_px=SIZE_PX)
    one, two, three = (_bytes(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert not set(one.values()) & set(three.values())


def test_a_stopped_run_goes_on_and_a_finished_one_grows(tmp_path: Path, rendered: list[str]) -> None:
    """Only what is missing is rendered, and the result is that of one run."""
    collect(tmp_path / "whole", 20, size_px=SIZE_PX)
    collect(tmp_path / "parts", 11, size_px=SIZE_PX)
    (tmp_path / "parts" / "pairs" / "00004.npz").unlink()
    rendered.clear()
    dataset = collect(tmp_path / "parts", 20, size_px=SIZE_PX)
    assert len(rendered) == 10
    assert _bytes(tmp_path / "parts") == _bytes(tmp_path / "whole")
    assert len(dataset.pairs) == 20


def test_people_are_held_out_whole_and_never_move(rendered: list[str]) -> None:
    """5 % of the identities; asking for more pairs must not put a held-out face into training."""
    recipe = Recipe(seed=1, size_px=SIZE_PX, identity_share=0.2, feature_share=0.3, renderer=1, head="")
    small, large = plan(recipe, 400), plan(recipe, 8000)
    assert small == large[: len(small)]
    heldout = [group for group in large if group.split == "heldout"]
    assert len(heldout) / len(large) == pytest.approx(0.05, abs=0.005)
    names = [name for group in large for name in set(group.identities)]
    assert len(names) == len(set(names))
    assert all(len(group.pairs) == PAIRS_PER_GROUP for group in large)


def test_a_folder_of_another_recipe_is_left_alone(tmp_path: Path, rendered: list[str]) -> None:
    """Mixed seeds or sizes could not be told apart later."""
    collect(tmp_path, 2, size_px=SIZE_PX)
    before = _bytes(tmp_path)
    with pytest.raises(WorkstationError, match="another seed"):
        collect(tmp_path, 4, size_px=SIZE_PX, seed=2)
    with pytest.raises(WorkstationError, match="another seed"):
        collect(tmp_path, 4, size_px=SIZE_PX + 2)
    assert _bytes(tmp_path) == before


def test_files_that_were_not_made_here_are_left_alone(tmp_path: Path, rendered: list[str]) -> None:
    """A pair of unknown origin would be taken for one of this seed."""
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "00000.npz").write_bytes(b"x")
    with pytest.raises(WorkstationError, match="not made here"):
        collect(tmp_path, 2, size_px=SIZE_PX)


def test_a_damaged_recipe_is_one_line(tmp_path: Path, rendered: list[str]) -> None:
    """Not a traceback."""
    collect(tmp_path, 1, size_px=SIZE_PX)
    (tmp_path / "recipe.json").write_text(json.dumps([]))
    with pytest.raises(WorkstationError, match="damaged"):
        collect(tmp_path, 1, size_px=SIZE_PX)


def test_a_full_disk_is_one_line_and_leaves_whole_pairs(
    tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the run goes on once there is room."""
    import os

    real, written = os.replace, []

    def full(source: str, target: str) -> None:
        if str(target).endswith(".npz"):
            written.append(target)
            if len(written) > 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    argv = ["train", "face", "collect", "-o", str(tmp_path), "--pairs", "6", "--size", str(SIZE_PX)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        assert main(argv) == OutputError.exit_code
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("changeling")]
    assert len(error) == 1
    assert "free some space" in error[0]
    assert len(_bytes(tmp_path)) == 3
    assert main(argv) == 0
    assert len(load_dataset(tmp_path).pairs) == 6


@pytest.mark.parametrize(
    "argv",
    [
        ["-o", "x"],
        ["-o", "x", "--pairs", "0"],
        ["-o", "x", "--pairs", "5", "photo.jpg"],
        ["-o", "x", "--pairs", "5", "--size", "63"],
        ["-o", "x", "--pairs", "5", "--workers", "0"],
        ["-o", "x", "--pairs", "5", "--identity-share", "nan"],
        ["-o", "x", "--pairs", "5", "--seed", "-1"],
        ["--pairs", "5"],
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rendered: list[str]
) -> None:
    """And nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    assert main(["train", "face", "collect", *argv]) == InputError.exit_code
    assert not list(tmp_path.iterdir())
    assert rendered == []


def test_a_failure_while_rendering_reaches_the_caller(
    tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was rendered before stays."""

    def broken(*_: Any) -> Any:
        raise WorkstationError("no head today; try again")

    collect(tmp_path, 2, size_px=SIZE_PX)
    monkeypatch.setattr(collect_module, "build_head", broken)
    with pytest.raises(ChangelingError, match="no head today"):
        collect(tmp_path, 12, size_px=SIZE_PX)
    assert len(_bytes(tmp_path)) == 2
