"""``info``, ``selftest`` and ``bench``: what they print, for people and for programs."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_runtime
from edge_runtime.cli import bench
from edge_runtime.cli.machine import describe, peak_memory_mb, this_machine
from edge_runtime.cli.main import main
from edge_runtime.cli.progress import ProgressLine
from edge_runtime.contract import ConsentRecord, DataSource, VoiceInfo, VoiceManifest
from edge_runtime.golden import SelfTestResult, StageResult
from edge_runtime.model_file import pack_model, write_model
from tests.edge_runtime.fake_voice import FakeConverter

GRAPH = Path(__file__).parents[1] / "assets" / "tiny.tflite"


@pytest.fixture
def model(make_manifest: Callable[..., VoiceManifest], tmp_path: Path) -> Path:
    """A whole model file around a graph that is never run."""
    graph = GRAPH.read_bytes()
    consent = ConsentRecord("Anna Example", "this project", "2026-01-02", "2027-01-02", "0" * 64)
    person = VoiceInfo("anna", 0, "a person", False, 201.0, 0.2, -26.0, consent)
    nobody = VoiceInfo("heart", 1, "a synthetic voice", True, 190.0, 0.2, -26.0, None)
    manifest = make_manifest(
        graph,
        name="duo",
        voices=(person, nobody),
        default_voice="anna",
        training=(DataSource("readings", "CC0-1.0", 6.5),),
    )
    path = tmp_path / "duo.fp32.tflite"
    write_model(path, pack_model(graph, "tflite", manifest.to_json(), {"voices.npy": b"x"}))
    return path


def test_info_tells_whose_voice_it_is(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Consent and training data are shown without being asked for."""
    assert main(["info", str(model)]) == 0
    out = capsys.readouterr().out
    assert "duo (voice, fp32, .tflite)" in out
    assert "consent of Anna Example of 2026-01-02 until 2027-01-02: this project" in out
    assert "heart: a synthetic voice; 190 Hz; belongs to no person" in out
    assert "readings: 6.5 minutes, CC0-1.0" in out


def test_info_json_is_the_manifest(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read the same promise that the runtime builds from."""
    assert main(["info", str(model), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["file"]["files"] == ["voices.npy"]
    assert VoiceManifest.from_json(json.dumps(report["manifest"])).name == "duo"


def test_info_of_a_damaged_file_is_one_line(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One changed byte."""
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    assert main(["info", str(model)]) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> FakeConverter:
    """What `edge_runtime.load` gives."""
    fake = FakeConverter()
    monkeypatch.setattr(edge_runtime, "load", lambda path, **options: fake)
    return fake


def test_bench_json_holds_every_figure_with_its_machine(
    converter: FakeConverter, capsys: pytest.CaptureFixture[str]
) -> None:
    """A figure without the machine it was taken on is worth nothing."""
    assert main(["bench", "--model", "m", "--seconds", "1.5", "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["backend"] == "fake 1.0"
    assert report["chunk_ms"] == 20.0
    assert report["sound_s"] == 1.5
    assert 0.0 < report["chunk_p50_ms"] <= report["chunk_p95_ms"] <= report["chunk_p99_ms"] <= report["chunk_max_ms"]
    assert report["stream_real_time_factor"] > 0.0
    assert report["machine"]["numpy"] == np.__version__
    assert report["machine"]["cores"] >= 1
    assert {"temperature_after_c", "throttled_after"} <= report.keys()
    assert report["threads"] == 1


def test_bench_text_names_the_stages(converter: FakeConverter, capsys: pytest.CaptureFixture[str]) -> None:
    """For people, in words."""
    assert main(["bench", "--model", "m", "--seconds", "1"]) == 0
    out = capsys.readouterr().out
    assert "a chunk of 20 ms takes" in out
    assert "front end" in out


def test_bench_tells_what_heat_did(converter: FakeConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that was slowed down must not pass for one that is slow."""
    monkeypatch.setattr(bench, "temperature_c", lambda: 82.4)
    monkeypatch.setattr(bench, "throttling", lambda: 0x40004)
    monkeypatch.setattr(
        bench, "this_machine", lambda: dataclasses.replace(this_machine(), temperature_c=51.0, governor="ondemand")
    )
    options = argparse.Namespace(model="m", backend=None, threads=2, seconds=1.0)
    lines = bench._lines(bench.measure(options))
    assert "temperature 51 °C before, 82 °C after" in lines
    assert any("slowed down (0x40004)" in line for line in lines)
    assert any("governor ondemand" in line for line in lines)


def test_bench_sound_is_the_same_everywhere() -> None:
    """Figures of two machines must be of one sound, with speech and pauses in it."""
    sound = bench.test_sound(2.0, 16_000)
    np.testing.assert_array_equal(sound, bench.test_sound(2.0, 16_000))
    assert len(sound) == 32_000
    assert 0.1 < np.abs(sound).max() < 1.0
    assert np.mean(sound == 0.0) > 0.1


@pytest.mark.parametrize("passed", [True, False])
def test_selftest_exit_code_is_its_verdict(
    passed: bool, converter: FakeConverter, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script on the board can rely on it."""
    stage = StageResult("mel", error=1e-3, tolerance=2e-3 if passed else 5e-4)
    converter.selftest = lambda: SelfTestResult("fake 1.0", (stage,))  # type: ignore[attr-defined]
    assert main(["selftest", "--model", "m"]) == (0 if passed else 1)
    out = capsys.readouterr().out
    assert ("WRONG" in out) != passed
    assert ("does NOT agree" in out) != passed


def test_machine_is_described_even_where_nothing_is_known() -> None:
    """Inside a container or on another system, files of the kernel are missing."""
    machine = this_machine()
    text = describe(machine)
    assert f"Python {machine.python}" in text
    assert f"{machine.cores} cores" in text
    memory = peak_memory_mb()
    assert memory is None or 5.0 < memory < 100_000.0


class _Terminal:
    """Collects what is written; says that it is a terminal, or not."""

    def __init__(self, terminal: bool) -> None:
        self.text = ""
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        return


@pytest.mark.parametrize(("terminal", "seconds", "shown"), [(True, 0.5, 0), (True, 2.0, 10), (False, 30.0, 3)])
def test_progress_is_quiet_for_short_work_and_rare_in_logs(terminal: bool, seconds: float, shown: int) -> None:
    """A terminal is redrawn ten times a second after the first; a log gets a line every ten seconds."""
    now_s = 0.0
    stream = _Terminal(terminal)
    line = ProgressLine("x.wav", stream=stream, clock=lambda: now_s)  # type: ignore[arg-type]
    for step in range(round(seconds * 1_000) + 1):
        now_s = step / 1_000
        line(now_s / seconds)
    assert stream.text.count("x.wav") == pytest.approx(shown, abs=1)
    line.close()
    assert stream.text.endswith("\x1b[K") == (terminal and shown > 0)
