"""One export of the tiny voice, looked at from all sides: the files, the gates, the report, and what is left behind."""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.errors import OutputError
from edge_runtime.model_file import open_model
from export import voice_trial
from export.diagnose import conversion_job
from export.exporter import Options, Result, export_run
from export.inspect_graph import read_graph, refusals
from export.recipes import COMPAT_TFLITE_2_14, RECIPES, select
from export.report import text_table
from export.report_html import render
from export.to_tflite import save_step
from export.voice_trial import VoiceTrial
from export.worker import run_jobs, start_server
from tests.export.toy_model import ToyRun, hum, make_toy_run

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

LABELS = [recipe.label for recipe in RECIPES]


def _quiet(_: str) -> None:
    pass


@dataclass(frozen=True)
class Exported:
    """The run, its weights before the export, and what the export gave."""

    run: ToyRun
    before: list[np.ndarray]
    folder: Path
    result: Result


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The only full export of these tests."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    start_server()
    folder = tmp_path_factory.mktemp("export")
    run = make_toy_run(folder)
    before = [np.array(weight) for weight in run.offline.get_weights()]
    result = export_run(VoiceTrial(run), Options(folder / "out", RECIPES, timeout_s=120.0), _quiet)
    return Exported(run, before, folder / "out", result)


def test_every_file_passes_its_gates(exported: Exported) -> None:
    assert [file.label for file in exported.result.report.files] == LABELS
    assert [file.failures for file in exported.result.report.files] == [()] * len(LABELS)
    names = {path.name for path in exported.folder.iterdir()}
    assert names == {f"toy.{label}" for label in LABELS}


def test_nothing_else_is_left_behind(exported: Exported) -> None:
    assert [path.name for path in exported.folder.iterdir() if path.name.startswith(".")] == []


def test_the_weights_are_not_touched(exported: Exported) -> None:
    for before, after in zip(exported.before, exported.run.offline.get_weights(), strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("label", LABELS)
def test_a_file_describes_itself_and_is_bound_to_the_run(exported: Exported, label: str) -> None:
    model = open_model(exported.folder / f"toy.{label}")
    manifest = model.manifest
    assert f"{manifest.precision}.{model.graph_format}" == label
    assert manifest.front_end == exported.run.front_end
    assert manifest.voices == exported.run.voices
    assert {spec.name for spec in manifest.inputs} == exported.run.step_model().input.keys()
    assert {spec.dtype for spec in (*manifest.inputs, *manifest.outputs)} == {"float32"}
    pairs = {(pair.input, pair.output) for pair in manifest.states}
    assert pairs == {(f"{block}_state", f"{block}_state_next") for block in ("enc0", "enc1", "dec0", "dec1")}
    film = np.load(io.BytesIO(model.files["voices.npy"]), allow_pickle=False)
    assert np.array_equal(film, exported.run.film)
    assert b"belongs to nobody" in model.files["NOTICE"]
    assert set(manifest.scores) == {"snr_harmonic_db", "snr_noise_db", "snr_residual_db"}


@pytest.mark.parametrize("label", LABELS)
def test_a_file_passes_its_own_selftest(exported: Exported, label: str) -> None:
    """The golden vectors inside are this file's own, and not of silence."""
    converter = edge_runtime.load(exported.folder / f"toy.{label}")
    result = converter.selftest()
    assert result.passed, result
    assert [stage.name for stage in result.stages] == ["mel", "aux", "harmonic", "noise", "residual", "converted"]
    with np.load(io.BytesIO(converter.model.files["golden.npz"]), allow_pickle=False) as arrays:
        assert np.abs(arrays["converted"]).max() > 1e-3
        assert dict(zip(arrays["names"].tolist(), arrays["tolerance"] > 0.0, strict=True))["converted"]


@pytest.mark.parametrize("stage", ["harmonic", "converted"])
def test_a_selftest_can_fail(exported: Exported, stage: str) -> None:
    """Tolerances that no wrong number can break would prove nothing: an error of a tenth must show."""
    model = open_model(exported.folder / "toy.int8.tflite")
    with np.load(io.BytesIO(model.files["golden.npz"]), allow_pickle=False) as arrays:
        tolerance = dict(zip(arrays["names"].tolist(), arrays["tolerance"].tolist(), strict=True))[stage]
        assert tolerance < 0.1 * np.abs(arrays[stage]).max()


def test_quantised_graphs_are_smaller_and_whole(exported: Exported) -> None:
    """A graph that lost its weights is small too, so sizes are held from both sides."""
    sizes = {file.label: file.graph_bytes for file in exported.result.report.files}
    parameters = exported.result.report.parameters
    assert parameters * 4 < sizes["fp32.tflite"] < parameters * 6
    assert sizes["int8.tflite"] < 0.6 * sizes["fp32.tflite"]
    assert sizes["fp16.tflite"] < 0.8 * sizes["fp32.tflite"]


def test_the_board_gets_one_accelerated_piece(exported: Exported) -> None:
    for file in exported.result.report.files:
        if file.graph_format == "tflite":
            assert file.xnnpack, file.label
            assert (file.partitions, file.left_over) == (1, {}), file.label
        else:
            assert file.partitions is None


def test_streaming_equals_offline(exported: Exported) -> None:
    for file in exported.result.report.files:
        for output in file.signals():
            assert output.offline is not None
            assert output.offline.snr_db >= file.floors_db[output.name]
            if file.precision == "fp32":
                assert output.offline.max_abs <= 1e-4


def test_calibration_and_proof_use_different_recordings(exported: Exported) -> None:
    report = exported.result.report
    calibrated = {Path(name).stem for name in report.calibrated_on}
    assert calibrated
    assert report.tested_on
    assert not calibrated & set(report.tested_on)


def test_the_report_is_one_page_and_its_data_are_json(exported: Exported) -> None:
    from train.voice.model import count_macs_per_second

    report = exported.result.report
    data = json.loads(report.to_json())
    assert data["passed"] is True
    assert len(data["files"]) == len(LABELS)
    assert data["figures"]["macs_per_second"] == count_macs_per_second(exported.run.config)
    page = render(report, VoiceTrial(exported.run).section(exported.result.exhibits))
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith("data:") for source in sources)
    makers = len(LABELS) + 2  # the recording and Keras
    assert page.count("<audio") == makers * len({sound.clip for sound in exported.result.exhibits})
    assert all(f"toy.{label}" in page for label in LABELS)
    assert all(f"toy.{label}" in text_table(report) for label in LABELS)


def test_a_file_that_misses_its_floor_is_not_there(exported: Exported, tmp_path: Path) -> None:
    """Neither the new file nor an older one of its name, which would pass for it."""
    recipe = replace(select(("dynamic_int8",), ("tflite",))[0], snr_floor_db=99.0)
    (tmp_path / "toy.dynamic_int8.tflite").write_bytes(b"from last week")
    result = export_run(VoiceTrial(exported.run), Options(tmp_path, (recipe,), timeout_s=120.0), _quiet)
    assert not result.report.passed
    assert any("less than 99 dB" in failure for failure in result.report.files[0].failures)
    assert list(tmp_path.iterdir()) == []
    page = render(result.report, VoiceTrial(exported.run).section(result.exhibits))
    assert "less than 99 dB" in page


def test_old_boards_get_operators_they_know(exported: Exported, tmp_path: Path) -> None:
    """Without per-channel dense weights the graph loads in tflite-runtime 2.14; with them it does not."""
    recipe = select(("dynamic_int8",), ("tflite",))[0]
    save_step(exported.run.step_model(), tmp_path / "step")
    job = conversion_job("old", tmp_path / "step", recipe, Path(), COMPAT_TFLITE_2_14, tmp_path / "old")
    assert run_jobs([job], timeout_s=60.0)[0].ok
    old = read_graph((tmp_path / "old").read_bytes(), "tflite")
    new = read_graph(open_model(exported.folder / "toy.dynamic_int8.tflite").graph, "tflite")
    parameters = exported.result.report.parameters
    assert refusals(old, recipe, parameters, COMPAT_TFLITE_2_14) == []
    assert "FULLY_CONNECTED version 12" in refusals(new, recipe, parameters, COMPAT_TFLITE_2_14)[0]


def test_an_interrupt_leaves_nothing(exported: Exported, tmp_path: Path) -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_run(VoiceTrial(exported.run), Options(tmp_path / "out", RECIPES), stop)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        export_run(VoiceTrial(exported.run), Options(tmp_path / "file" / "out", RECIPES), _quiet)


def test_the_hum_has_something_to_convert() -> None:
    """The tests above prove nothing on silence."""
    assert np.sqrt(np.mean(hum(1.0, 120.0, 0) ** 2)) > 0.01
    assert voice_trial.LISTEN_CLIPS >= 1
