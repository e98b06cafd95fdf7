"""Refining: one head learns what it should paint, nothing else of the network changes, and a stopped run goes on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face_manifest import FaceDataSource
from tests.train.face.warped_faces import new_run, tiny_config, write_aligned
from train.face import refine
from train.face.batches import Sampler
from train.face.continued import ContinuedRun, keep_start
from train.face.head_features import PatchEdits, collect_features
from train.face.model import build_generator, set_basis
from train.face.parts import device_units
from train.face.presets import EYES, MOUTH
from train.face.run import Run, TrainedFace, load_run
from train.face.units import UNIT_INDEX
from train.records import save_json

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned(tmp_path_factory.mktemp("rendered") / "aligned", train=12, heldout=4)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TrainedFace:
    """A network that was never trained."""
    config = tiny_config()
    basis = np.zeros((len(config.units), 64, 64, 2), np.float32)
    run = new_run(tmp_path_factory.mktemp("base") / "run", basis)
    keras.utils.set_random_seed(1)
    network = build_generator(config)
    set_basis(network, basis)
    network.save_weights(run.weights)
    return load_run(run.root)


@pytest.fixture
def rendered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendered pairs are aligned already."""
    dataset = SimpleNamespace(sources=(FaceDataSource("discs", "CC0-1.0", 12),))
    monkeypatch.setattr(refine, "load_dataset", lambda path: dataset)
    monkeypatch.setattr("train.face.fit.preprocess", lambda dataset: folder)


def command(base: TrainedFace, out: Path, *more: str) -> list[str]:
    return ["--base", str(base.root), "--data", "rendered", "-o", str(out), "--patch", "mouth", *more]


def weights_of(run: TrainedFace) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in run.network.layers if layer.weights}


@pytest.mark.usefixtures("rendered")
def test_one_head_learns_and_the_rest_stays(base: TrainedFace, tmp_path: Path) -> None:
    """To the bit: the flow, the shades and the other head are what they were."""
    kept = Run(base.root).weights.read_bytes()
    more = ("--edits", "48", "--steps", "12", "--batch", "8")
    assert refine.main(command(base, tmp_path / "out", *more)) == 0
    refined = load_run(tmp_path / "out")
    before, after = weights_of(base), weights_of(refined)
    changed = {name for name in before if any((a != b).any() for a, b in zip(before[name], after[name], strict=True))}
    assert changed
    assert all(name.startswith("head_mouth") for name in changed)
    assert Run(base.root).weights.read_bytes() == kept
    assert [source.name for source in refined.sources] == ["discs", "made up"]
    rows = (tmp_path / "out" / "log.csv").read_text().splitlines()
    assert len(rows) > 1


@pytest.mark.usefixtures("rendered")
def test_a_stopped_refinement_ends_where_an_unbroken_one_does(
    base: TrainedFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--edits", "24", "--steps", "6", "--batch", "4")
    assert refine.main(command(base, tmp_path / "whole", *more)) == 0
    init = refine.Refine.__init__

    def stopped(self: refine.Refine, *arguments: object) -> None:
        init(self, *arguments)  # type: ignore[arg-type]
        self.stop_after(3)

    with monkeypatch.context() as patch:
        patch.setattr(refine.Refine, "__init__", stopped)
        with pytest.raises(KeyboardInterrupt):
            refine.main(command(base, tmp_path / "broken", *more))
    assert refine.main(command(base, tmp_path / "broken", *more)) == 0
    whole, broken = (weights_of(load_run(tmp_path / name)) for name in ("whole", "broken"))
    for name, weights in whole.items():
        for a, b in zip(weights, broken[name], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6, err_msg=name)


@pytest.mark.usefixtures("rendered")
def test_the_refined_run_has_a_folder_of_its_own(base: TrainedFace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder of its own"):
        refine.main(command(base, base.root))
    other = Run(tmp_path / "other")
    other.root.mkdir()
    save_json(other.config, base.config)
    with pytest.raises(InputError, match="holds another run"):
        refine.main(command(base, other.root))


@pytest.mark.usefixtures("rendered")
def test_starting_again_never_takes_the_base_away(base: TrainedFace, tmp_path: Path) -> None:
    """A slip in -o must not cost the run that was to be refined, nor a run that has nothing to do with it."""
    kept = Run(base.root).weights.read_bytes()
    with pytest.raises(InputError, match="a folder of its own"):
        refine.main(command(base, base.root, "--restart"))
    assert Run(base.root).weights.read_bytes() == kept
    other = Run(tmp_path / "other")
    save_json(other.config, base.config)
    other.weights.parent.mkdir()
    other.weights.write_bytes(b"hours of work")
    with pytest.raises(InputError, match="holds another run"):
        refine.main(command(base, other.root, "--restart"))
    assert other.weights.read_bytes() == b"hours of work"


def test_starting_again_begins_at_the_base_that_is_named(base: TrainedFace, tmp_path: Path) -> None:
    """And not at the one of last time."""
    run = ContinuedRun(tmp_path / "run")
    run.start.parent.mkdir(parents=True)
    run.start.write_bytes(b"another base")
    run.forget()
    keep_start(base, run)
    assert run.start.read_bytes() == Run(base.root).weights.read_bytes()


def test_a_base_without_weights_is_one_line(base: TrainedFace, tmp_path: Path) -> None:
    with pytest.raises(WorkstationError, match="no trained weights yet"):
        keep_start(dataclasses.replace(base, root=tmp_path / "empty"), ContinuedRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_features_are_what_the_network_sees_and_begin_anew_alike(base: TrainedFace, folder: Path) -> None:
    config = base.config
    edits = PatchEdits(Sampler.of([folder], config, "train"), config, EYES)
    first, again = (collect_features(base.network, config, EYES, edits, 6, seed=3) for _ in range(2))
    assert len(first) == 6
    assert first.seen.shape[1:3] == (EYES.height_px // 2, EYES.width_px // 2)
    assert first.target.shape[1:] == (EYES.height_px, EYES.width_px, 3)
    batch = first.batch(4, np.random.default_rng(1))
    for name, values in again.batch(4, np.random.default_rng(1)).items():
        assert np.array_equal(values, batch[name])
        assert values.dtype == np.float32


def test_a_wish_for_all_there_is_may_be_as_loud_as_the_device_makes_it(folder: Path) -> None:
    """And no other wish is changed: half a smile must stay half a smile."""
    config = tiny_config()
    sampler = Sampler.of([folder], config, "train")
    edits = PatchEdits(sampler, config, MOUTH)
    gains = np.maximum([unit.gain for unit in device_units()], 1.0)
    smile, blink = UNIT_INDEX["smile"], UNIT_INDEX["blink_left"]
    rng = np.random.default_rng(1)
    example, after = sampler.draw_pair(0, False, rng)
    full = edits.louder(np.eye(len(gains), dtype=np.float32)[blink], np.eye(len(gains), dtype=np.float32)[blink], rng)
    assert 1.0 < full[blink] <= gains[blink]
    half = np.eye(len(gains), dtype=np.float32)[smile] * 0.5
    assert np.array_equal(edits.louder(half, half, rng), half)
    assert example.delta[smile] == pytest.approx(after[smile] - sampler._pair(0)[0].units[0, 0, smile])
