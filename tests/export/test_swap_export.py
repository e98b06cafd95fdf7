"""One export of a tiny swap model: folded files that carry all a board needs, proven against the unfolded network.

The network is the real one, tiny, with random weights; detector and landmark model are those whose faces are red discs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import edge_runtime
from edge_runtime.contract import ConsentRecord
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.model_file import open_model
from edge_runtime.swap_contract import IdentitySpec, SwapManifest
from export import cli
from export.exporter import Options, Result, export_run
from export.picture_trial import PICTURE_PSNR
from export.recipes import SWAP_RECIPES
from export.report_html import render
from export.swap_trial import SwapTrial
from export.worker import start_server
from tests.edge_runtime.face import tiny_face
from tests.train.face.swap.made_up import SOURCE, TINY
from train.face.parts import CROP
from train.face.swap.model import build_swap
from train.face.swap.run import SwapConfig, SwapHeldOut, SwapRun, TrainedSwap, is_swap_run, load_run
from train.records import save_json

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

CHOSEN = tuple(recipe for recipe in SWAP_RECIPES if recipe.label in ("fp32.tflite", "int8.tflite", "fp32.onnx"))
LABELS = [recipe.label for recipe in CHOSEN]
FACES = 12
CONSENT = ConsentRecord("Anna", "tests", "2026-01-01", "", "0" * 64)


@pytest.fixture(scope="module", autouse=True)
def red_discs() -> Iterator[None]:
    """Faces are red discs, for the manifest too."""
    manifest = tiny_face.make_face_manifest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "tensorflow"))
        patch.setattr("train.face.swap.manifest.DETECTOR", manifest.detector)
        patch.setattr("train.face.swap.manifest.LANDMARKS", manifest.landmarks)
        yield


def make_run(root: Path) -> TrainedSwap:
    """A person's run with weights that do something visible, and held-out discs, some without an answer."""
    run = SwapRun(root)
    run.weights.parent.mkdir(parents=True)
    save_json(run.config, SwapConfig("anna", TINY, CROP, ("anna",), (SOURCE,)))
    save_json(run.identity, IdentitySpec("anna", "her own photos", False, CONSENT))
    keras.utils.set_random_seed(1)
    model, rng = build_swap(TINY, CROP.size_px), np.random.default_rng(1)
    for layer in model.layers:
        if layer.name.endswith(("_norm", "_gain", "_shift")):
            layer.set_weights([w * (1.0 + 0.3 * rng.random(w.shape)) + 0.02 for w in layer.get_weights()])
    model.save_weights(run.weights)
    np.save(run.identities, rng.normal(size=(1, TINY.identity)).astype(np.float32))
    images = np.stack([tiny_face.picture((64, 66, 24), width=128, height=128, seed=i) for i in range(FACES)])
    SwapHeldOut(images, images, np.arange(FACES, dtype=np.int32) % 2 - 1).save(run.heldout)
    return load_run(root)


@dataclass(frozen=True)
class Exported:
    """The run and what the export gave."""

    run: TrainedSwap
    folder: Path
    result: Result
    page: str


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The only full export of these tests."""
    start_server()
    folder = tmp_path_factory.mktemp("swaps")
    run = make_run(folder / "run")
    files = {f"{name}.tflite": tiny_face.graph(name) for name in ("detector", "landmarks")}
    parts: Any = SimpleNamespace(files=files | {"NOTICE.face_parts.txt": b"made of arithmetic"})
    trial = SwapTrial(run, parts=parts)
    result = export_run(trial, Options(folder / "out", CHOSEN, timeout_s=300.0), lambda _: None)
    return Exported(run, folder / "out", result, render(result.report, trial.section(result.exhibits)))


def test_every_file_passes_its_gates(exported: Exported) -> None:
    """By tensor name against the network before it was folded, and as finished pictures."""
    assert [file.failures for file in exported.result.report.files] == [()] * len(LABELS)
    assert {path.name for path in exported.folder.iterdir()} == {f"anna.{label}" for label in LABELS}
    for file in exported.result.report.files:
        assert {output.name for output in file.outputs} == {"mask", "rgb"}
        assert file.scores[PICTURE_PSNR] >= (32.0 if file.precision == "int8" else 60.0)


@pytest.mark.parametrize("label", LABELS)
def test_a_file_is_all_a_board_needs(exported: Exported, label: str) -> None:
    converter = edge_runtime.load(exported.folder / f"anna.{label}", kind="swap")
    assert isinstance(converter, SwapConverter)
    assert converter.selftest().passed
    assert converter.manifest.identity.consent == CONSENT
    files = converter.model.files
    assert {"detector.tflite", "landmarks.tflite", "NOTICE.face_parts.txt", "NOTICE", "LICENCE"} <= files.keys()
    assert b"consent of Anna" in files["NOTICE"]
    photo = tiny_face.picture((100, 60, 30), width=200, height=120)
    changed = converter.convert(photo, colour_match="none")
    assert (changed != photo).any()
    np.testing.assert_array_equal(changed[:, :20], photo[:, :20])


def test_the_graph_is_one_plain_net(exported: Exported) -> None:
    """The identity is in the convolutions: no second input, and no layer of normalisation or gains."""
    manifest = open_model(exported.folder / "anna.fp32.tflite").manifest
    assert isinstance(manifest, SwapManifest)
    assert [tensor.name for tensor in manifest.inputs] == ["image"]
    report = next(file for file in exported.result.report.files if file.precision == "fp32")
    assert not {"MUL", "SUB", "RSQRT", "SQUARED_DIFFERENCE", "BATCH_MATMUL"} & set(report.ops)


def test_the_page_shows_faces_before_and_after(exported: Exported) -> None:
    for text in ("before", "Keras (float32)", "int8.tflite: 10 × difference from Keras", "consent of Anna"):
        assert text in exported.page
    assert exported.page.count("data:image/png") >= 8 * 4


def test_the_command_knows_swaps_and_their_identities(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_swap_run(exported.run.root)
    with pytest.raises(Exception, match="no identity 'eve'; it has: anna"):
        exported.run.row_of("eve")
    assert cli._kind(exported.run.root) == "swap"
