"""A run between two: its weights are their mean, and what does not fit together is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.cli.main import main
from tests.train.face.warped_faces import new_run, tiny_config
from train.face.model import build_generator, set_basis
from train.face.run import Run, TrainedFace, load_run
from train.records import save_json

pytestmark = pytest.mark.tensorflow


def _run(root: Path, seed: int, basis: float = 0.0) -> TrainedFace:
    config = tiny_config()
    vectors = np.full((len(config.units), 64, 64, 2), basis, np.float32)
    run = new_run(root, vectors)
    keras.utils.set_random_seed(seed)
    network = build_generator(config)
    set_basis(network, vectors)
    network.save_weights(run.weights)
    run.heldout.write_bytes(b"held-out faces")
    return load_run(root)


def test_its_weights_lie_between_theirs(tmp_path: Path) -> None:
    first, second = _run(tmp_path / "a", 1), _run(tmp_path / "b", 2)
    argv = ["train", "face", "blend", str(first.root), str(second.root), "--share", "0.25", "-o", str(tmp_path / "c")]
    assert main(argv) == 0
    mixed = load_run(tmp_path / "c")
    three = zip(*(run.network.get_weights() for run in (first, second, mixed)), strict=True)
    for one, two, between in three:
        np.testing.assert_allclose(between, 0.75 * one + 0.25 * two, atol=1e-6)
    assert Run(mixed.root).heldout.read_bytes() == b"held-out faces"
    assert mixed.sources == first.sources == second.sources, "the same pairs are told once"
    assert main(argv) == 2, "the folder is taken"


@pytest.mark.parametrize("share", ["-0.1", "1.5", "nan"])
def test_another_share_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], share: str) -> None:
    first = _run(tmp_path / "a", 1)
    argv = ["train", "face", "blend", str(first.root), str(first.root), f"--share={share}", "-o", str(tmp_path / "c")]
    assert main(argv) == 2
    assert "0 to 1" in capsys.readouterr().err or share == "nan"
    assert not (tmp_path / "c").exists()


def test_runs_of_another_shape_or_basis_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = _run(tmp_path / "a", 1), _run(tmp_path / "b", 2, basis=0.5)
    argv = ["train", "face", "blend", str(first.root), str(second.root), "-o", str(tmp_path / "c")]
    assert main(argv) != 0
    assert "other bases" in capsys.readouterr().err
    units = second.config.units[:-1]
    save_json(Run(second.root).config, dataclasses.replace(second.config, units=units))
    assert main(argv) != 0
    assert "another set of units" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
