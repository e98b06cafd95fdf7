"""Collecting swaps: which heads meet, seeded, resumable and growing. Rendering is replaced by arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.errors import InputError, WorkstationError
from tests.train.face.face_pairs import SIZE_PX, make_pair
from train.face import collect as faces_module
from train.face.dataset import load_dataset
from train.face.swap import collect as collect_module
from train.face.swap.collect import SOURCES, TARGETS, SwapRecipe, collect_swaps, plan, target_names

RECIPE = SwapRecipe(1, SIZE_PX, 16, 4, 1, "0")


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """The heads of every pair that was rendered; a head is the random number that its person was drawn with."""
    calls: list[tuple[Any, Any]] = []

    def pair(heads: tuple[Any, Any], rng: np.random.Generator, size_px: int) -> Any:
        calls.append(heads)
        return make_pair(int(rng.integers(1 << 30)), size_px)

    monkeypatch.setattr(faces_module, "load_head", lambda cache: None)
    monkeypatch.setattr(collect_module, "load_head", lambda cache: None)
    monkeypatch.setattr(collect_module, "sample_person", lambda model, rng: int(rng.integers(1 << 60)))
    monkeypatch.setattr(collect_module, "build_head", lambda model, person: person)
    monkeypatch.setattr(collect_module, "target_head", lambda seed, name: f"{seed} {name}")
    monkeypatch.setattr(collect_module, "identity_pair", pair)
    monkeypatch.setattr(collect_module, "stored_pair", lambda stored: stored)
    return calls


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "pairs").iterdir())}


def test_a_folder_holds_what_its_description_says(tmp_path: Path, rendered: list[Any]) -> None:
    argv = ["train", "face", "swap", "collect", "-o", str(tmp_path), "--pairs", "40", "--size", str(SIZE_PX)]
    assert main([*argv, "--identities", "16"]) == 0
    dataset = load_dataset(tmp_path)
    assert len(dataset.pairs) == len(rendered) == 40
    assert {pair.kind for pair in dataset.pairs} == {"identity"}
    assert all(source.startswith("s") and target[0] in "th" for source, target in (p.identities for p in dataset.pairs))
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"


def test_every_source_of_a_block_meets_every_target(tmp_path: Path, rendered: list[Any]) -> None:
    collect_swaps(tmp_path, SOURCES * TARGETS, 16, size_px=SIZE_PX)
    assert len({source for source, _ in rendered}) == SOURCES
    assert len({target for _, target in rendered}) == TARGETS
    assert len(set(rendered)) == SOURCES * TARGETS


def test_a_stopped_run_goes_on_and_a_finished_one_grows(tmp_path: Path, rendered: list[Any]) -> None:
    collect_swaps(tmp_path / "whole", 40, 16, size_px=SIZE_PX)
    collect_swaps(tmp_path / "parts", 21, 16, size_px=SIZE_PX)
    (tmp_path / "parts" / "pairs" / "00004.npz").unlink()
    rendered.clear()
    collect_swaps(tmp_path / "parts", 40, 16, size_px=SIZE_PX)
    assert len(rendered) == 20
    assert _bytes(tmp_path / "parts") == _bytes(tmp_path / "whole")


def test_held_out_targets_and_sources_are_never_trained_on() -> None:
    blocks = plan(RECIPE, 3000)
    trained, heldout = (
        {name for block in blocks if block.split == split for name in block.targets} for split in ("train", "heldout")
    )
    known, unseen = target_names(RECIPE.identities)
    assert trained == set(known)
    assert heldout == {*known, *unseen}
    share = sum(len(block.pairs) for block in blocks if block.split == "heldout") / 3000
    assert 0.12 < share < 0.25
    names = [block.identities(pair)[0] for block in blocks for pair in block.pairs]
    assert len(set(names)) == sum(len(block.pairs) for block in blocks) / TARGETS or len(unseen) < TARGETS


def test_a_block_is_the_same_however_many_pairs_are_asked_for() -> None:
    few, many = plan(RECIPE, 50), plan(RECIPE, 500)
    for ours, theirs in zip(few, many, strict=False):
        assert (ours.targets, ours.split) == (theirs.targets, theirs.split)
        assert [ours.identities(pair) for pair in ours.pairs] == [theirs.identities(pair) for pair in ours.pairs]


def test_few_identities_still_have_one_that_is_held_out(tmp_path: Path, rendered: list[Any]) -> None:
    dataset = collect_swaps(tmp_path, 60, 2, size_px=SIZE_PX)
    assert {pair.identities[1] for pair in dataset.pairs} == {"t000", "h000"}


def test_impossible_wishes_and_other_folders_are_refused(tmp_path: Path, rendered: list[Any]) -> None:
    for identities in (1, 5000):
        with pytest.raises(InputError, match="identities"):
            collect_swaps(tmp_path, 4, identities)
    collect_swaps(tmp_path, 4, 16, size_px=SIZE_PX)
    with pytest.raises(WorkstationError, match="another seed, size or version"):
        collect_swaps(tmp_path, 4, 8, size_px=SIZE_PX)
