"""Hardening: photos steady the network, what was learnt of rendered heads stays, and a stopped run goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.errors import InputError, WorkstationError
from tests.train.face.photo_faces import record_of, write_photos
from tests.train.face.warped_faces import new_run, smile_basis, tiny_config, write_aligned
from train.face import harden
from train.face.fit import Fit, FitOptions
from train.face.harden import Harden, Hardening, HardRun, Mixed, learn_from, prepare, split
from train.face.looks import make_frame
from train.face.losses import LossWeights, head_terms
from train.face.photos import PHOTOS_FILE, PhotoSet, load_picture
from train.face.run import Run, Scores, TrainedFace, load_run
from train.face.units import UNIT_INDEX
from train.records import load_json

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

TEACHER_STEPS, STEPS = 40, 80
NERVOUS = 0.03
"""What is added to the last weights, so that every other look gives another answer."""
PHOTOS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned(tmp_path_factory.mktemp("rendered") / "aligned", train=24, heldout=8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("photos") / "data"
    write_photos(out, PHOTOS)
    return out


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedFace:
    """A network that has learnt a little and is nervous still."""
    config, run = tiny_config(), new_run(tmp_path_factory.mktemp("teacher") / "run", smile_basis(0.5))
    Fit(run, [folder], config, FitOptions(None, TEACHER_STEPS, 4, 60.0, seed=1, flow_share=1.0)).run()
    network = load_run(run.root).network
    last = network.get_layer("residual_flow")
    kernel, bias = last.get_weights()
    last.set_weights([kernel + NERVOUS * np.random.default_rng(1).standard_normal(kernel.shape), bias])
    network.save_weights(run.weights)
    return load_run(run.root)


def command(trained: TrainedFace, photos: Path, out: Path, *more: str) -> list[str]:
    return [str(trained.root), "--photos", str(photos), "--data", "rendered", "-o", str(out), *more]


@pytest.fixture
def rendered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendered pairs are aligned already."""
    monkeypatch.setattr(harden, "load_dataset", lambda path: SimpleNamespace(root=path))
    monkeypatch.setattr(harden, "preprocess", lambda dataset: folder)


@pytest.mark.usefixtures("rendered")
def test_a_hardened_network_is_steadier_on_photos_it_never_saw_and_has_forgotten_nothing(
    trained: TrainedFace,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the command to scores; what was hardened is left alone, and the new run says what it learnt from.

    Rendered pairs here change the smile alone: of every other unit only the photos can teach anything.
    """
    monkeypatch.setattr(harden, "PEAK", 2.5e-3)  # so that it takes a minute and not ten
    weights = Run(trained.root).weights.read_bytes()
    assert harden.main(command(trained, photos, tmp_path / "out", "--steps", str(STEPS), "--batch", "6")) == 0
    run = HardRun(tmp_path / "out")
    before = load_json(run.hardening, Hardening).before
    after = load_json(run.scores, Scores).scores
    assert after["photo_spread"] < 0.6 * before["photo_spread"]
    assert after["photo_motion_px"] > 0.5 * before["photo_motion_px"], "steady by doing nothing is no gain"
    assert after["epe_of_zero"] < before["epe_of_zero"] + 0.02
    assert after["zero_edit_psnr_db"] == 99.0
    assert Run(trained.root).weights.read_bytes() == weights
    hardened = load_run(run.root)
    assert [source.name for source in hardened.sources] == ["made up", "photos without labels"]
    assert hardened.sources[1].images == PHOTOS
    assert hardened.network.count_params() == trained.network.count_params()
    said = capsys.readouterr().out
    assert f"{before['photo_spread_px']:.2f} before, {after['photo_spread_px']:.2f} now" in said


def test_a_stopped_hardening_goes_on_with_the_same_lessons(
    trained: TrainedFace, folder: Path, photos: Path, tmp_path: Path
) -> None:
    """Even when the run that it came from has been trained further since."""
    config, seen = trained.config, load_json(photos / PHOTOS_FILE, PhotoSet)
    train, judged = split(seen)
    frames = [make_frame(load_picture(photos, record), record, config) for record in judged[:1]]
    run = HardRun(tmp_path / "run")

    def start() -> Harden:
        prepare(trained, run, seen, "theirs")
        assert learn_from(run, photos, train[:4], config).edits > 0
        return Harden(run, [folder], config, FitOptions(None, 12, 4, 60.0, 1, 0.0, start=run.start), frames)

    stopped = start()
    first = [weights.copy() for weights in stopped._trainer.network.get_weights()]
    for a, b in zip(first, trained.network.get_weights(), strict=True):
        assert np.array_equal(a, b), "it begins as what it hardens"
    wanted = stopped._mixed.batch(4, np.random.default_rng([1, 3]))
    stopped.stop_after(3)
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    left = stopped._trainer.network.get_weights()
    assert any(not np.array_equal(a, b) for a, b in zip(first, left, strict=True))
    teacher = run.start.read_bytes()
    resumed = start()
    assert resumed.position.step == 3
    assert run.start.read_bytes() == teacher
    for a, b in zip(resumed._trainer.network.get_weights(), left, strict=True):
        assert np.array_equal(a, b)
    batches = resumed.batches()
    batch = next(batches)
    batches.close()
    assert all(np.array_equal(batch[name], wanted[name]) for name in wanted)


def test_half_of_a_batch_are_photos_and_they_teach_the_heads_nothing() -> None:
    rng = np.random.default_rng(0)

    def part(size: int, painted: float) -> dict[str, np.ndarray]:
        picture = rng.random((size, 128, 128, 3)).astype(np.float32)
        return {
            "image": picture, "source": picture, "target": picture[::-1].copy(),
            "delta": np.eye(len(tiny_config().units), dtype=np.float32)[[UNIT_INDEX["smile"]] * size],
            "flow": np.zeros((size, 64, 64, 2), np.float32), "weight": np.ones((size, 64, 64), np.float32),
            "hidden": rng.random((size, 128, 128)).astype(np.float32), "painted": np.full(size, painted, np.float32),
        }  # fmt: skip

    class Source:
        def __init__(self, painted: float) -> None:
            self.painted = painted

        def batch(self, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
            return part(size, self.painted)

    batch = Mixed(Source(1.0), Source(0.0)).batch(4, rng)
    assert batch["painted"].tolist() == [1.0, 1.0, 0.0, 0.0]
    outputs = {
        "flow": np.zeros((4, 64, 64, 2), np.float32),
        "mask": rng.random((4, 128, 128, 1)).astype(np.float32),
        "rgb": rng.random((4, 128, 128, 3)).astype(np.float32),
        "shade": np.zeros((4, 64, 64, 3), np.float32),
    }
    config, weights = tiny_config(), LossWeights()
    both = head_terms(config, weights, batch, outputs)
    first = {name: value[:2] for name, value in batch.items()}
    alone = head_terms(config, weights, first, {name: value[:2] for name, value in outputs.items()})
    for name, value in alone.items():
        assert float(value) > 0.0
        assert float(both[name]) == pytest.approx(float(value), rel=1e-4), name


def test_photos_that_are_judged_on_are_never_learnt_from() -> None:
    faces = tuple(record_of(f"photos/{i:03d}.png") for i in range(40))
    train, judged = split(PhotoSet(faces, ()))
    assert (len(train), len(judged)) == (36, 4)
    assert not {face.file for face in train} & {face.file for face in judged}
    assert split(PhotoSet(faces[::-1], ())) == (train, judged)
    with pytest.raises(WorkstationError, match="at least 8"):
        split(PhotoSet(faces[:7], ()))


@pytest.mark.usefixtures("rendered")
def test_folders_that_would_be_spoiled_are_refused(trained: TrainedFace, photos: Path, tmp_path: Path) -> None:
    """Also with --restart, which throws things away."""
    with pytest.raises(InputError, match="a folder of its own"):
        harden.main(command(trained, photos, trained.root, "--restart"))
    shutil.copytree(trained.root, tmp_path / "other")
    with pytest.raises(InputError, match="another run"):
        harden.main(command(trained, photos, tmp_path / "other", "--restart"))
    assert Run(tmp_path / "other").weights.exists()
    assert Run(trained.root).weights.exists()
    with pytest.raises(InputError, match="--batch 2"):
        harden.main(command(trained, photos, tmp_path / "new", "--batch", "1"))
    with pytest.raises(WorkstationError, match="collect PHOTOS"):
        harden.main(command(trained, tmp_path, tmp_path / "new"))
    assert not (tmp_path / "new").exists()
