"""The report must show refusals as plainly as successes, and its pictures and sounds must be what they claim."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.provenance import read_mark
from export import cli
from export.exporter import Result
from export.listen import KERAS, SOURCE, Sounds
from export.parity import HISTOGRAM_EDGES, Figure, OutputParity
from export.report import ExportReport, FileReport, scores, text_table
from export.report_html import render
from export.report_media import level_db, picture_uri, wav_uri
from export.report_sounds import listening
from tests.export.toy_model import make_toy_description

RATE_HZ = 16_000


def _output(name: str, snr_db: float) -> OutputParity:
    figure = Figure(snr_db, 0.01, 0.001)
    counts = (0,) * len(HISTOGRAM_EDGES) + (5,)
    return OutputParity(name, figure, figure, None if name.endswith("_next") else figure, counts, True)


def _file(failures: tuple[str, ...] = (), **changes: Any) -> FileReport:
    values: dict[str, Any] = {
        "file_name": "v.fp32.tflite",
        "precision": "fp32",
        "graph_format": "tflite",
        "size_bytes": 2_000_000,
        "graph_bytes": 1_900_000,
        "sha256": "0" * 64,
        "ops": {"ADD": 3},
        "xnnpack": True,
        "partitions": 1,
        "left_over": {},
        "floors_db": {"harmonic": 25.0},
        "floor_reasons": {},
        "max_abs_bound": None,
        "outputs": (_output("harmonic", 31.4), _output("enc0_state_next", 12.0)),
        "scores": {},
        "call_us": 123.0,
        "ratio_to_fp32": 0.5,
        "convert_seconds": 1.0,
        "failures": failures,
    }
    return FileReport(**(values | changes))


def _report(*files: FileReport) -> ExportReport:
    return ExportReport(
        name="v<1>",
        kind="voice",
        created="2026-01-01T00:00:00Z",
        generator="test",
        parameters=1000,
        effort="little",
        figures={"latency_ms": 48.0},
        compat=None,
        machine="none",
        versions={"numpy": "1"},
        calibrated_on=("a.wav",),
        tested_on=("b",),
        test_amount="2 s of speech",
        files=files,
        seconds=1.0,
    )


def _tone(frequency_hz: float) -> np.ndarray:
    return (0.5 * np.sin(2.0 * np.pi * frequency_hz * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def test_a_refusal_is_shown_with_its_reason_everywhere() -> None:
    report = _report(_file(), _file(("harmonic has 3 dB & less",), file_name="v.int8.tflite", size_bytes=0))
    assert not report.passed
    assert json.loads(report.to_json())["passed"] is False
    page = render(report, "")
    assert "harmonic has 3 dB &amp; less" in page
    assert "1 of 2 files were refused" in page
    table = text_table(report)
    assert "REFUSED" in table
    assert "v.int8.tflite: harmonic has 3 dB & less" in table


def test_a_file_that_never_converted_does_not_break_the_page() -> None:
    empty = _file(("the converter crashed",), graph_bytes=0, ops={}, partitions=None, xnnpack=None, outputs=())
    page = render(_report(_file(call_us=None, ratio_to_fp32=None), empty), "")
    assert "the converter crashed" in page


def test_names_are_escaped() -> None:
    page = render(_report(_file()), listening("v", (Sounds("<clip>", "<voice>", SOURCE, _tone(440.0)),), RATE_HZ))
    assert "<clip>" not in page
    assert "<voice>" not in page
    assert "v&lt;1&gt;" in page


def test_left_over_operators_are_named() -> None:
    assert "6 DEPTHWISE_CONV_2D" in render(_report(_file(left_over={"DEPTHWISE_CONV_2D": 6})), "")
    assert "XNNPACK was not active" in render(_report(_file(xnnpack=False)), "")


def test_scores_are_of_what_is_heard() -> None:
    assert scores(_file().outputs) == {"snr_harmonic_db": 31.4}


def test_converted_sound_in_the_page_is_marked_and_the_recording_is_not(tmp_path: Path) -> None:
    for model, marked in (("m", True), ("", False)):
        uri = wav_uri(_tone(440.0), RATE_HZ, model=model, voice="v")
        (tmp_path / "x.wav").write_bytes(base64.b64decode(uri.removeprefix("data:audio/wav;base64,")))
        assert (read_mark(tmp_path / "x.wav") is not None) is marked


def test_a_tone_is_a_line_at_its_height() -> None:
    levels = level_db(_tone(2000.0))
    rows = levels.shape[0]
    from_the_top = int(np.argmax(levels.mean(axis=1)))
    assert from_the_top == pytest.approx(rows * (1.0 - 2000.0 / 8000.0), abs=1.5)
    png = base64.b64decode(picture_uri(levels, float(levels.max())).removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert (height, width) == levels.shape
    start = png.index(b"IDAT") + 4
    length = struct.unpack(">I", png[start - 8 : start - 4])[0]
    pixels = np.frombuffer(zlib.decompress(png[start : start + length]), np.uint8).reshape(height, width + 1)[:, 1:]
    assert pixels[from_the_top].mean() > 250.0
    assert pixels[0].mean() < 60.0


@pytest.mark.parametrize(("failures", "code"), [((), 0), (("too noisy",), 7)])
def test_the_exit_code_tells_whether_all_passed(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    failures: tuple[str, ...],
    code: int,
) -> None:
    sounds = (Sounds("b", "v", SOURCE, _tone(300.0)), Sounds("b", "v", KERAS, _tone(400.0)))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(cli, "load_run", lambda _: make_toy_description())
    monkeypatch.setattr(cli, "start_server", lambda: None)
    monkeypatch.setattr(cli, "export_run", lambda *_: Result(_report(_file(failures)), sounds))
    assert cli.main(["RUN", "-o", str(tmp_path)]) == code
    assert json.loads((tmp_path / "report.json").read_text())["files"][0]["failures"] == list(failures)
    assert (tmp_path / "report.html").read_text().count("<audio") == 2
    assert ("too noisy" in capsys.readouterr().out) is bool(failures)
