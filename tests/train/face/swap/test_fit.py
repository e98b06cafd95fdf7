"""Training a base and a person's face from it: it learns, goes on where it was stopped, and asks for consent."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.cli.main import main
from edge_runtime.errors import WorkstationError
from edge_runtime.swap_contract import IdentitySpec
from tests.train.face.photo_faces import write_photos
from tests.train.face.swap.made_up import HELD, NAMES, SMALL_CROP, tiny_config, write_aligned
from train.face.swap import adapt as adapt_module
from train.face.swap import base as base_module
from train.face.swap.adapt import adapt, closest_identity, photo_lesson
from train.face.swap.base import find_base, keep_base
from train.face.swap.fit import SwapFit, SwapFitOptions, rendered_lesson, start_from
from train.face.swap.looks import RenderedLooks
from train.face.swap.manifest import draft_manifest
from train.face.swap.model import is_film
from train.face.swap.run import SwapRun, TrainedSwap, is_swap_run, load_run

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

STEPS = 16


def options(steps: int = STEPS) -> SwapFitOptions:
    return SwapFitOptions(None, steps, 3, 60.0, 1)


@pytest.fixture(scope="module", autouse=True)
def uncompiled() -> Iterator[None]:
    """Compiling a step takes as long as a hundred of these."""
    tf = pytest.importorskip("tensorflow")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned(tmp_path_factory.mktemp("data") / "aligned")


@pytest.fixture(scope="module")
def base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedSwap:
    run = SwapRun(tmp_path_factory.mktemp("runs") / "base")
    SwapFit(run, tiny_config(), rendered_lesson([folder], tiny_config()), options()).run()
    return load_run(run.root)


def test_a_base_learns_and_leaves_all_that_is_needed(base: TrainedSwap) -> None:
    run = SwapRun(base.root)
    assert is_swap_run(run.root)
    assert base.config.identities == NAMES
    assert base.vectors.shape == (3, 8)
    assert {"psnr_gain_db", "mask_iou", "covered_iou", "l1_of_nothing"} <= set(base.scores)
    assert base.scores["l1_of_nothing"] > 0.0
    assert sorted(path.name for path in run.samples.iterdir()) == [f"{STEPS:06d}.png"]
    heldout = base.heldout()
    assert len(heldout.images) == 8
    losses = [row for row in run.log.read_text().splitlines()[1:] if row]
    assert losses
    manifest = draft_manifest(base, base.folded(1), 1)
    assert manifest.identity == IdentitySpec("t001", "a rendered head", True, None)
    assert type(manifest).from_json(manifest.to_json()) == manifest


def test_a_stopped_run_ends_where_an_unbroken_one_does(base: TrainedSwap, folder: Path, tmp_path: Path) -> None:
    """Weights, identities, optimiser, average, schedule and data order all have to come back."""
    run = SwapRun(tmp_path / "parts")
    fit = SwapFit(run, tiny_config(), rendered_lesson([folder], tiny_config()), options())
    fit.stop_after(7)
    with pytest.raises(KeyboardInterrupt):
        fit.run()
    SwapFit(run, tiny_config(), rendered_lesson([folder], tiny_config()), options()).run()
    again = load_run(run.root)
    np.testing.assert_allclose(again.vectors, base.vectors, atol=1e-5)
    for ours, theirs in zip(again.network.get_weights(), base.network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_base_goes_on_from_another(base: TrainedSwap) -> None:
    """Targets are known by their names, in whatever order, and a new one is nobody in particular."""
    from train.face.swap.trainer import SwapTrainer

    trainer = SwapTrainer(dataclasses.replace(tiny_config(), identities=(NAMES[2], "t999", NAMES[0])))
    start_from(base)(trainer)
    for ours, theirs in zip(trainer.network.get_weights(), base.network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    expected = np.stack([base.vectors[2], base.vectors.mean(axis=0), base.vectors[0]])
    np.testing.assert_allclose(trainer.identity_vectors(), expected, rtol=1e-6)


def test_a_base_is_carried_at_half_its_size(base: TrainedSwap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_base(base, tmp_path / "shipped")
    monkeypatch.setattr(base_module, "SHIPPED_FOLDER", tmp_path / "shipped")
    kept = find_base("shipped")
    whole, half = (SwapRun(one.root).weights.stat().st_size for one in (base, kept))
    assert half < whole  # of so small a network the names take most
    np.testing.assert_allclose(kept.vectors, base.vectors, atol=2e-3)
    for ours, theirs in zip(kept.network.get_weights(), base.network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3)
    assert len(kept.heldout().images) == 8


def test_a_rendered_identity_that_was_never_seen_is_adapted_to(base: TrainedSwap, folder: Path, tmp_path: Path) -> None:
    lesson = adapt_module.rendered_lesson(base, folder, HELD)
    assert (len(lesson.sampler), len(lesson.examples)) == (6, 6)
    identity = IdentitySpec(HELD, "a rendered head", True, None)
    fit = adapt(SwapRun(tmp_path / "run"), base, identity, lesson, options(4))
    trainer = fit._trainer
    learns = {v.path.split("/")[-2] for v in trainer.trainable_variables if "/" in v.path}
    assert learns
    assert all(is_film(name) or name.startswith(("up2", "up3", "rgb_half", "swap_trainer")) for name in learns)
    before = {layer.name: layer.get_weights() for layer in trainer.network.layers}
    fit.run()
    for layer in trainer.network.layers:
        if layer.name.startswith(("down", "code", "spread", "mask_")) and not is_film(layer.name):
            for ours, theirs in zip(layer.get_weights(), before[layer.name], strict=True):
                np.testing.assert_array_equal(ours, theirs)
    adapted = load_run(tmp_path / "run")
    assert adapted.config.identities == (HELD,)
    assert adapted.identity == identity
    with pytest.raises(WorkstationError, match="adapted to one person"):
        find_base(str(tmp_path / "run"))


def test_the_closest_identity_is_found(base: TrainedSwap, folder: Path) -> None:
    """A vector that paints one colour is the closest to pictures of that colour."""
    sampler = photo_sampler(folder)
    found = closest_identity(base, sampler)
    assert found in range(3)
    same = dataclasses.replace(base, vectors=np.repeat(base.vectors[found : found + 1], 2, axis=0))
    assert closest_identity(same, sampler) == 0


def photo_sampler(folder: Path) -> adapt_module.SwapSampler:
    return adapt_module.SwapSampler(RenderedLooks.of([folder], "heldout", (HELD,)), SMALL_CROP)


@pytest.fixture
def person(base: TrainedSwap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a person whose photos are found at once."""

    def collect(sources: list[Path], out: Path) -> object:
        shutil.rmtree(out, ignore_errors=True)
        return write_photos(out, 16)

    monkeypatch.setattr(adapt_module, "collect_photos", collect)
    argv = ["train", "face", "swap", "--target", "photos", "-o", str(tmp_path / "run"), "--base", str(base.root)]
    return [*argv, "--steps", "4", "--batch", "2"]


def test_a_persons_run_carries_their_consent(person: list[str], tmp_path: Path) -> None:
    consent = ["--i-have-consent", "Anna Smith: my own videos", "--consent-until", "2999-12-31"]
    assert main([*person, *consent]) == 0
    trained = load_run(tmp_path / "run")
    record = trained.identity.consent if trained.identity else None
    assert record is not None
    assert (record.person, record.scope, record.expires_on) == ("Anna Smith", "my own videos", "2999-12-31")
    assert len(record.data_sha256) == 64
    assert trained.config.identities == ("anna-smith",)
    assert trained.config.sources[-1].name == "photos of anna-smith"
    heldout = trained.heldout()
    assert (heldout.identities == -1).sum() == 8
    assert (heldout.identities == 0).sum() >= 4
    manifest = draft_manifest(trained, trained.folded(), 0)
    assert manifest.identity.consent == record
    assert not manifest.identity.synthetic


def test_without_consent_nothing_is_even_searched(
    person: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra, text in (
        ([], "pictures of a person; say who agreed"),
        (["--i-have-consent", "Anna"], "does not name a person and a scope"),
        (["--i-have-consent", "Anna: all", "--consent-until", "2020-01-01"], "ended on 2020-01-01"),
    ):
        assert main([*person, *extra]) == 7
        assert text in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_too_few_photos_are_refused(base: TrainedSwap, tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 5)
    with pytest.raises(WorkstationError, match="at least 8 are needed"):
        photo_lesson(base, tmp_path, photos, [])


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        ([], 2, "say whose face with --target"),
        (["fly"], 2, "there is no step 'fly'"),
        (["-o", "x"], 2, "say whose face"),
        (["--target", "x", "--rendered", "y", "-o", "z"], 2, "say whose face"),
        (["--target", "x", "-o", "z", "--base", "nowhere"], 7, "nowhere is no swap run"),
        (["fit", "--data", "nowhere", "-o", "x"], 7, "nowhere"),
        (["fit", "--data", "nowhere", "-o", "x", "--base", "no-run"], 7, "no-run is no swap run"),
        (["predict", "nowhere", "a.jpg", "b.jpg"], 2, "a.jpg"),
    ],
)
def test_wrong_words_are_one_line(
    argv: list[str],
    code: int,
    text: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "face", "swap", *argv]) == code
    told = capsys.readouterr().err
    assert text in told
    assert len(told.splitlines()) == 1
    assert not list(tmp_path.iterdir())
