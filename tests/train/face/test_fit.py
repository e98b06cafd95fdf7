"""Training a face: it learns, it can be stopped and resumed, and what it leaves behind is enough to go on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.errors import WorkstationError
from edge_runtime.face.generator import Edit, parts_of
from edge_runtime.face_contract import FaceManifest
from tests.train.face.warped_faces import new_run, smile_basis, tiny_config, write_aligned
from train.face.batches import Sampler
from train.face.checkpoints import stage_at, stage_of_last
from train.face.fit import Fit, FitOptions, photo_paths
from train.face.manifest import draft_manifest
from train.face.model import HEAD_PREFIX, build_generator, is_head
from train.face.monitor import heldout_examples, score, write_sheet, zero_edit_psnr_db
from train.face.predict import KerasGenerator
from train.face.run import LINEAR, Position, Run, is_face_run, load_run
from train.face.scoring import flow_alone
from train.face.trainer import DETAIL, FLOW, HEADS, FaceTrainer
from train.face.units import UNIT_INDEX

pytestmark = pytest.mark.tensorflow

STEPS = 24
FLOW_SHARE = 0.5
SMILE = UNIT_INDEX["smile"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned(tmp_path_factory.mktemp("data") / "aligned")


def start(run: Run, folder: Path) -> Fit:
    return Fit(run, [folder], tiny_config(), FitOptions(None, STEPS, 4, 60.0, seed=1, flow_share=FLOW_SHARE))


@pytest.mark.slow
def test_a_stopped_run_learns_and_ends_where_an_unbroken_one_does(folder: Path, tmp_path: Path) -> None:
    """Weights, both stages' optimisers, average, schedule and data order all have to come back."""
    unbroken = start(new_run(tmp_path / "whole", smile_basis(0.5)), folder)
    unbroken.run()

    stopped = start(new_run(tmp_path / "broken", smile_basis(0.5)), folder)
    stopped.stop_after(15)  # in the second stage
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = start(Run(tmp_path / "broken"), folder)
    assert resumed.position.step == 15
    resumed.run()
    assert resumed.position.step == STEPS

    whole, broken = load_run(tmp_path / "whole"), load_run(tmp_path / "broken")
    for a, b in zip(whole.network.get_weights(), broken.network.get_weights(), strict=True):
        assert np.abs(a - b).max() < 1e-4
    rows = (tmp_path / "whole" / "log.csv").read_text().splitlines()
    assert len(rows) >= 2
    assert (tmp_path / "whole" / "samples" / f"{STEPS:06d}.png").stat().st_size > 1000
    assert len(whole.heldout().deltas) == 4
    assert whole.scores["zero_edit_psnr_db"] == 99.0
    manifest = draft_manifest(whole, whole.network)
    assert FaceManifest.from_json(manifest.to_json()) == manifest


def test_a_step_in_each_stage_trains_what_it_should(folder: Path) -> None:
    """The first stage must leave the heads alone, and both must bring their loss down."""
    sampler = Sampler.of([folder], tiny_config(), "train")
    batch = sampler.batch(4, np.random.default_rng(0))
    keras.utils.set_random_seed(0)
    trainer = FaceTrainer(tiny_config(), np.zeros((len(tiny_config().units), 64, 64, 2), np.float32))
    heads = [layer for layer in trainer.network.layers if is_head(layer) and layer.trainable_weights]
    assert not heads, "frozen in the first stage"
    before = {layer.name: layer.get_weights() for layer in trainer.network.layers if is_head(layer)}
    losses = [trainer.step(batch, 2e-3)["loss"] for _ in range(30)]
    assert min(losses[-5:]) < 0.9 * losses[0]
    for name, weights in before.items():
        after = trainer.network.get_layer(name).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(weights, after, strict=True))
    trainer.enter(HEADS)
    losses = [trainer.step(batch, 2e-3) for _ in range(12)]
    assert losses[-1]["loss"] < losses[0]["loss"]
    assert losses[-1]["colour"] < losses[0]["colour"]
    moved = trainer.network.get_layer(f"{HEAD_PREFIX}mouth_rgb").get_weights()[0] - before[f"{HEAD_PREFIX}mouth_rgb"][0]
    assert np.abs(moved).max() > 0.0
    assert not trainer.network.get_layer(f"{HEAD_PREFIX}amount").trainable_weights
    assert "judge" not in losses[-1]


def test_the_judges_are_trained_in_the_last_stage_alone(folder: Path) -> None:
    """And their state is part of a checkpoint, or a resumed run would meet judges that know nothing."""
    sampler = Sampler.of([folder], tiny_config(), "train")
    batch = sampler.batch(4, np.random.default_rng(0)) | {"hidden": np.ones((4, 128, 128), np.float32)}
    keras.utils.set_random_seed(0)
    trainer = FaceTrainer(tiny_config(), np.zeros((len(tiny_config().units), 64, 64, 2), np.float32))
    trainer.enter(HEADS)
    for patch in ("mouth", "eyes"):
        # Untrained masks are shut, and where nothing is invented nothing is judged.
        layer = trainer.network.get_layer(f"{HEAD_PREFIX}{patch}_mask")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, 0.0 * bias])
    own = {id(variable) for variable in trainer.network.variables}
    judges = [variable for variable in trainer.all_variables() if id(variable) not in own]
    before = [np.asarray(variable) for variable in judges]
    trainer.step(batch, 2e-3)
    assert all(np.array_equal(a, b) for a, b in zip(before, judges, strict=True))
    trainer.enter(DETAIL)
    terms = [trainer.step(batch, 1e-3) for _ in range(10)]
    assert terms[-1]["judge"] < terms[0]["judge"]
    moved = [np.abs(a - np.asarray(b)).max() > 0.0 for a, b in zip(before, judges, strict=True)]
    # A constant that is added to every answer is lost in the difference of two answers.
    told = [not variable.path.endswith("answer/bias") for variable in judges]
    assert moved == told


def test_the_stage_follows_the_schedule() -> None:
    def at(step: int, total: int = 100) -> Position:
        return Position(step, total, 1, 4, 0.0, 0.5)

    assert [stage_at(at(step)) for step in (0, 49, 50, 84, 85, 99)] == [FLOW, FLOW, HEADS, HEADS, DETAIL, DETAIL]
    assert stage_of_last(at(50)) == FLOW, "the optimiser in the checkpoint is that of the step before"
    assert stage_at(at(10**6, total=0)) == FLOW, "as long as the schedule is still being measured"


def test_scores_tell_a_right_answer_from_none(folder: Path, tmp_path: Path) -> None:
    config = tiny_config()
    examples = heldout_examples(Sampler.of([folder], config, "heldout"), 8)
    basis = smile_basis(1.0)

    def none(crop: np.ndarray, delta: np.ndarray) -> Edit:
        return flow_alone(np.zeros((64, 64, 2), np.float32), 128)

    def right(crop: np.ndarray, delta: np.ndarray) -> Edit:
        example = next(e for e in examples if np.array_equal(e.delta, delta[0]))
        return flow_alone(example.flow, 128)

    def leaky(crop: np.ndarray, delta: np.ndarray) -> Edit:
        hazy = np.full((128, 128, 1), 0.3, np.float32)
        return replace(none(crop, delta), mask=hazy, rgb=(0.0 * crop + 0.5).astype(np.float32))

    nothing, good = score(none, examples, basis, config), score(right, examples, basis, config)
    assert nothing["epe_of_zero"] == pytest.approx(1.0)
    assert nothing["changed_l1"] == pytest.approx(1.0)
    assert good["epe_of_zero"] < 0.01
    assert good["changed_l1"] < 0.5
    assert nothing["epe_of_zero_smile"] == pytest.approx(1.0)
    assert score(leaky, examples, basis, config)["harm_l1"] > 10.0 * (nothing["harm_l1"] + 1e-3)
    assert zero_edit_psnr_db(none, examples, config) == 99.0
    assert zero_edit_psnr_db(leaky, examples, config) < 40.0
    write_sheet(tmp_path / "sheet.png", right, examples[:2], config)
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_the_keras_model_answers_as_a_generator_does() -> None:
    edit = KerasGenerator(build_generator(tiny_config())).run(
        np.zeros((128, 128, 3), np.uint8), np.ones((1, len(tiny_config().units)), np.float32)
    )
    assert [part.shape for part in parts_of(edit).values()] == [(64, 64, 2), (128, 128, 1), (128, 128, 3), (64, 64, 3)]


def test_a_run_without_weights_and_a_folder_of_something_else_are_one_line(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", smile_basis(0.5))
    assert is_face_run(run.root)
    assert not is_face_run(tmp_path)
    assert load_run(run.root).generator_model(LINEAR).count_params() > 0
    with pytest.raises(WorkstationError, match="train further"):
        _ = load_run(run.root).network
    run.basis.unlink()
    with pytest.raises(WorkstationError, match="no trained weights yet"):
        load_run(run.root)
    with pytest.raises(WorkstationError, match="folder"):
        load_run(tmp_path / "missing")


def test_photos_to_show_must_be_there_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no photos"):
        photo_paths(tmp_path)
