"""One export of a tiny face model: files that carry all a board needs, proven, and refused when they are not good.

The network is the real one, tiny, with random weights; detector and landmark model are those whose faces are red discs.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import edge_runtime
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.generator import PARTS
from edge_runtime.face_contract import FaceManifest
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.model_file import open_model
from export import cli
from export.diagnose import conversion_job
from export.exporter import Options, Result, export_run
from export.face_trial import FaceTrial
from export.inspect_graph import read_graph, refusals
from export.picture_trial import PICTURE_PSNR
from export.recipes import COMPAT_TFLITE_2_14, FACE_RECIPES, RECIPES, OutputBound
from export.report import text_table
from export.report_html import render
from export.to_tflite import save_step
from export.worker import run_jobs, start_server
from tests.edge_runtime.face import tiny_face
from tests.train.face.warped_faces import tiny_config
from train.face.model import build_generator
from train.face.run import LINEAR, HeldOut, Run, Sources, TrainedFace, load_run
from train.face.units import UNIT_INDEX
from train.records import save_json

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

RANDOM = OutputBound("shade", 8.0, "measured 11.8 dB; of weights that were never trained eight bits leave less")
CHOSEN = tuple(
    dataclasses.replace(recipe, bounds=(*recipe.bounds, RANDOM)) if recipe.calibrated else recipe
    for recipe in FACE_RECIPES
    if recipe.label in ("fp32.tflite", "int8.tflite", "fp32.onnx")
)
LABELS = [recipe.label for recipe in CHOSEN]
EDITS = 12


@pytest.fixture(scope="module", autouse=True)
def red_discs() -> Iterator[None]:
    """Faces are red discs, for the manifest too."""
    manifest = tiny_face.make_face_manifest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "tensorflow"))
        patch.setattr("train.face.manifest.DETECTOR", manifest.detector)
        patch.setattr("train.face.manifest.LANDMARKS", manifest.landmarks)
        yield


def parts() -> Any:
    """What rides along."""
    files = {f"{name}.tflite": tiny_face.graph(name) for name in ("detector", "landmarks")}
    return SimpleNamespace(files=files | {"NOTICE.face_parts.txt": b"made of arithmetic"})


def make_run(root: Path) -> TrainedFace:
    """A run's folder with weights that do something visible, and held-out edits of discs."""
    config = tiny_config()
    run = Run(root)
    run.weights.parent.mkdir(parents=True)
    save_json(run.config, config)
    save_json(run.sources, Sources((FaceDataSource("discs", "CC0-1.0", EDITS),)))
    keras.utils.set_random_seed(1)
    model = build_generator(config)
    rng = np.random.default_rng(1)
    basis = np.zeros((len(config.units), 64, 64, 2), np.float32)
    basis[UNIT_INDEX["smile"], 24:58, 10:54, 1] = 4.5
    for layer in model.layers:
        if layer.name in ("residual_flow", "head_mouth_mask", "head_eyes_mask"):
            kernel, bias = layer.get_weights()
            # untrained masks are shut, these are half open; of a flow most is the basis
            noise = 0.02 if layer.name == "residual_flow" else 0.2
            layer.set_weights([kernel + noise * rng.standard_normal(kernel.shape), 0.0 * bias])
    model.get_layer("basis").set_weights([basis.reshape(len(basis), -1)])
    model.save_weights(run.weights)
    np.save(run.basis, basis)
    images = np.stack([tiny_face.picture((64, 66, 24), width=128, height=128, seed=i) for i in range(EDITS)])
    deltas = np.zeros((EDITS, len(config.units)), np.float32)
    deltas[:, UNIT_INDEX["smile"]] = np.linspace(-1.0, 1.0, EDITS)
    deltas[:, UNIT_INDEX["jaw_open"]] = rng.uniform(0.2, 1.0, EDITS)
    deltas[:, UNIT_INDEX["skin_tone"]] = rng.uniform(-1.0, 1.0, EDITS)
    HeldOut(images, images, deltas).save(run.heldout)
    return load_run(root)


def _quiet(_: str) -> None:
    pass


@dataclass(frozen=True)
class Exported:
    """The run and what the export gave."""

    run: TrainedFace
    folder: Path
    result: Result
    page: str


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The only full export of these tests."""
    start_server()
    folder = tmp_path_factory.mktemp("faces")
    run = make_run(folder / "run")
    trial = FaceTrial(run, parts=parts())
    result = export_run(trial, Options(folder / "out", CHOSEN, timeout_s=180.0), _quiet)
    return Exported(run, folder / "out", result, render(result.report, trial.section(result.exhibits)))


def test_every_file_passes_its_gates(exported: Exported) -> None:
    assert [file.failures for file in exported.result.report.files] == [()] * len(LABELS)
    assert {path.name for path in exported.folder.iterdir()} == {f"tiny.{label}" for label in LABELS}
    for file in exported.result.report.files:
        assert {output.name for output in file.outputs} == set(PARTS)
        assert file.scores[PICTURE_PSNR] >= (32.0 if file.precision == "int8" else 60.0)


@pytest.mark.parametrize("label", LABELS)
def test_a_file_is_all_a_board_needs(exported: Exported, label: str) -> None:
    """It loads by itself, passes its own selftest, finds a face and leaves the rest of the photo alone."""
    converter = edge_runtime.load(exported.folder / f"tiny.{label}")
    assert isinstance(converter, FaceConverter)
    assert converter.selftest().passed
    files = converter.model.files
    assert {"detector.tflite", "landmarks.tflite", "NOTICE.face_parts.txt", "NOTICE", "LICENCE"} <= files.keys()
    photo = tiny_face.picture((100, 60, 30), width=200, height=120)
    changed = converter.convert(photo, smile=1.0, capped=False)
    assert (changed != photo).any()
    assert np.array_equal(changed[:, :20], photo[:, :20])
    assert np.array_equal(converter.convert(photo), photo)


@pytest.mark.parametrize("label", LABELS)
def test_nothing_asked_for_is_exactly_nothing_in_every_precision(exported: Exported, label: str) -> None:
    """Rounding must not leave a flow of a hundredth of a pixel or a mask of a thousandth behind."""
    converter = FaceConverter(open_model(exported.folder / f"tiny.{label}"))
    zero = np.zeros((1, len(exported.run.config.units)), np.float32)
    edit = converter.generator.run(exported.run.heldout().images[0], zero)
    assert not edit.flow.any()
    assert not edit.mask.any()


def test_the_manifest_says_where_it_comes_from(exported: Exported) -> None:
    manifest = open_model(exported.folder / "tiny.int8.tflite").manifest
    assert isinstance(manifest, FaceManifest)
    assert (manifest.kind, manifest.tier, manifest.precision) == ("face", "network", "int8")
    assert manifest.training[0].name == "discs"
    assert PICTURE_PSNR in manifest.scores
    assert tuple(unit.name for unit in manifest.units) == exported.run.config.units


def test_the_board_gets_one_accelerated_piece(exported: Exported) -> None:
    for file in exported.result.report.files:
        if file.graph_format == "tflite":
            assert file.xnnpack, file.label
            assert (file.partitions, file.left_over) == (1, {}), file.label


def test_the_page_shows_faces_before_and_after_and_what_differs(exported: Exported) -> None:
    sources = re.findall(r'(?:src|href)="([^"]*)"', exported.page)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    rows = 3 + 2 * len(LABELS)  # before, wanted, Keras; each file and its error
    assert len(sources) == rows * (EDITS // 2)
    assert "difference from Keras" in exported.page
    assert "smile -0.8" in exported.page
    data = json.loads(exported.result.report.to_json())
    assert data["figures"]["macs_per_frame"] > 0
    assert all(f"tiny.{label}" in text_table(exported.result.report) for label in LABELS)


def test_pictures_that_miss_their_floor_are_not_shipped(exported: Exported, tmp_path: Path) -> None:
    recipe = dataclasses.replace(CHOSEN[1], picture_floor_db=98.5)
    (tmp_path / "tiny.int8.tflite").write_bytes(b"from last week")
    trial = FaceTrial(exported.run, parts=parts())
    result = export_run(trial, Options(tmp_path, (recipe,), timeout_s=180.0), _quiet)
    assert any("finished pictures have" in failure for failure in result.report.files[0].failures)
    assert list(tmp_path.iterdir()) == []


def test_the_linear_tier_is_a_file_of_its_own(exported: Exported, tmp_path: Path) -> None:
    trial = FaceTrial(exported.run, LINEAR, parts())
    result = export_run(trial, Options(tmp_path, CHOSEN[:1], timeout_s=180.0), _quiet)
    assert result.report.passed, result.report.files[0].failures
    manifest = open_model(tmp_path / "tiny-linear.fp32.tflite").manifest
    assert isinstance(manifest, FaceManifest)
    assert manifest.tier == "linear"


def test_old_boards_get_operators_they_know(exported: Exported, tmp_path: Path) -> None:
    """Without per-channel dense weights a face file loads in tflite-runtime 2.14; with them it does not."""
    dynamic = next(recipe for recipe in FACE_RECIPES if recipe.label == "dynamic_int8.tflite")
    recipes = (dynamic, CHOSEN[1])
    trial = FaceTrial(exported.run, parts=parts())
    options = Options(tmp_path, recipes, compat=COMPAT_TFLITE_2_14, timeout_s=180.0)
    result = export_run(trial, options, _quiet)
    assert [file.failures for file in result.report.files] == [(), ()]
    old = read_graph(open_model(tmp_path / "tiny.dynamic_int8.tflite").graph, "tflite")
    assert {"RESIZE_BILINEAR", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "LOGISTIC"} <= old.ops.keys()
    save_step(trial.step, tmp_path / "step")
    job = conversion_job("new", tmp_path / "step", recipes[0], Path(), None, tmp_path / "new")
    assert run_jobs([job], timeout_s=180.0)[0].ok
    new = read_graph((tmp_path / "new").read_bytes(), "tflite")
    assert "FULLY_CONNECTED version 12" in refusals(new, recipes[0], 0, COMPAT_TFLITE_2_14)[0]


def test_the_command_tells_a_run_of_faces_from_one_of_voices(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def stop(trial: Any, options: Options, say: Any) -> Result:
        seen.extend([trial, options])
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "export_run", stop)
    monkeypatch.setattr(cli, "start_server", lambda: None)
    monkeypatch.setattr("export.picture_trial.load_parts", parts)
    with pytest.raises(KeyboardInterrupt):
        cli.main([str(exported.run.root), "-o", str(tmp_path)])
    assert isinstance(seen[0], FaceTrial)
    assert seen[1].recipes == FACE_RECIPES
    assert {recipe.label for recipe in FACE_RECIPES} == {recipe.label for recipe in RECIPES}
