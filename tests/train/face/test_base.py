"""Starting from a trained model: a new run takes over what the base knows, and refuses one that does not fit."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.errors import WorkstationError
from edge_runtime.face_manifest import FaceDataSource
from tests.train.face.warped_faces import new_run, tiny_config, write_aligned
from train.bases import NONE
from train.face.base import check_fits, find_base, keep_base
from train.face.dataset import FaceDataset
from train.face.fit import Fit, FitOptions, prepare
from train.face.presets import PRESETS
from train.face.run import Run, Sources, TrainedFace, load_run
from train.records import load_json

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned(tmp_path_factory.mktemp("pairs"))


def _run(root: Path) -> Run:
    return new_run(root, np.full((len(tiny_config().units), 64, 64, 2), 0.25, np.float32))


@pytest.fixture(scope="module")
def base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedFace:
    """What is kept of a run of a few steps: its numbers as half floats."""
    run = _run(tmp_path_factory.mktemp("base") / "run")
    Fit(run, [folder], tiny_config(), FitOptions(None, 8, 4, 60.0, 1, 0.5)).run()
    kept = run.root.with_name("kept")
    keep_base(load_run(run.root), kept)
    whole, halved = (Run(path).weights.stat().st_size for path in (run.root, kept))
    assert halved < 0.7 * whole, "the rest is HDF5's own"
    return load_run(kept)


def test_a_run_starts_where_its_base_is(folder: Path, base: TrainedFace, tmp_path: Path) -> None:
    """Not from nothing: before the first step it answers as the base does."""
    run = _run(tmp_path / "run")
    fit = Fit(run, [folder], tiny_config(), FitOptions(None, 4, 4, 60.0, 2, 0.5, start=Run(base.root).weights))
    batch = {"image": np.full((1, 128, 128, 3), 0.4, np.float32), "delta": np.ones((1, len(tiny_config().units)))}
    ours = fit._trainer.network.predict_on_batch(batch)
    theirs = base.network.predict_on_batch(batch)
    assert all(np.abs(ours[name] - theirs[name]).max() < 1e-4 for name in ours)


def test_what_is_averaged_starts_at_the_base_too(folder: Path, base: TrainedFace, tmp_path: Path) -> None:
    """The average is what gets exported: begun at random weights it would drag them along for a hundred steps."""

    def saved(name: str, start: Path | None) -> list[np.ndarray]:
        """The averaged weights of a run before its first step."""
        run = _run(tmp_path / name)
        Fit(run, [folder], tiny_config(), FitOptions(None, 4, 4, 60.0, 2, 0.5, start=start)).checkpoint()
        return list(load_run(run.root).network.get_weights())

    theirs = base.network.get_weights()
    kernels = [number for number, values in enumerate(theirs) if values.ndim == 4]
    fresh, started = saved("fresh", None), saved("started", Run(base.root).weights)
    assert all(np.abs(fresh[i] - theirs[i]).max() > 1e-3 for i in kernels), "or what follows could not fail"
    for ours, weights in zip(started, theirs, strict=True):
        np.testing.assert_array_equal(ours, weights)


def test_a_run_names_what_its_base_was_trained_on_and_the_same_data_once(
    base: TrainedFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source is told from another by all it says: fewer images of the same name and terms are other images."""
    own = base.sources[0]
    more = dataclasses.replace(own, images=own.images + 1)
    terms = dataclasses.replace(own, licence="CC-BY-4.0")
    monkeypatch.setattr("train.face.fit.preprocess", lambda dataset: dataset.root)
    monkeypatch.setattr("train.face.fit._fit_basis", lambda folders, config: np.zeros(1))

    def named(*sources: FaceDataSource, base: TrainedFace | None, new: bool = True) -> tuple[FaceDataSource, ...]:
        run, config = Run(tmp_path / "run"), tiny_config()
        if new:
            shutil.rmtree(run.root, ignore_errors=True)
        prepare([FaceDataset(tmp_path, 64, (), (), (), (source,)) for source in sources], config, run, base)
        return load_json(run.sources, Sources).sources

    assert named(more, base=base) == (more, own)
    assert named(terms, base=base) == (terms, own)
    assert named(own, base=base) == (own,)
    assert named(more, terms, base=None) == (more, terms)
    assert named(more, more, base=None) == (more, more), "two folders of as many images"
    assert named(more, base=base) == named(more, base=None, new=False), "a run that goes on knows where it began"


def test_a_base_of_another_shape_is_refused(base: TrainedFace) -> None:
    """In one line that says what differs."""
    check_fits(base, tiny_config())
    for changes, what in (
        ({"preset": PRESETS["base"]}, "preset"),
        ({"units": tiny_config().units[:-1]}, "set of units"),
    ):
        with pytest.raises(WorkstationError, match=f"another {what}"):
            check_fits(base, dataclasses.replace(tiny_config(), **changes))


def test_no_base_and_a_missing_one(tmp_path: Path) -> None:
    assert find_base(NONE) is None
    with pytest.raises(WorkstationError, match="folder"):
        find_base(str(tmp_path / "missing"))
