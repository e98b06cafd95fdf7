"""Styles, emotions and the newer controls from the command line."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime.cli.main import main
from edge_runtime.cli.style_list import style_lines
from edge_runtime.model_file import open_model, pack_model
from edge_runtime.voice.emotions import EMOTIONS
from edge_runtime.voice.styles import STYLES
from tests.edge_runtime.fake_voice import FakeConverter
from tests.edge_runtime.manifest_factory import make_manifest
from train.voice.presets import control_specs

MODEL = Path(__file__).parents[1] / "assets" / "tiny_voice.fp16.tflite"
SPEECH = Path(__file__).parents[1] / "assets" / "real_male.wav"


@pytest.fixture
def old_model(tmp_path: Path) -> Path:
    """A model file from before most controls."""
    model = open_model(MODEL)
    manifest = dataclasses.replace(model.manifest, controls=model.manifest.controls[:10])
    path = tmp_path / "old.tflite"
    path.write_bytes(pack_model(model.graph, model.graph_format, manifest.to_json(), model.files))
    return path


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> FakeConverter:
    fake = FakeConverter()
    monkeypatch.setattr(edge_runtime, "load", lambda *_, **__: fake)
    return fake


def test_the_list_shows_every_style_and_emotion_and_needs_no_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--list-styles"]) == 0
    shown = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert shown == {*STYLES, *EMOTIONS}


def test_info_lists_only_what_the_model_can_do() -> None:
    everything, little = (
        style_lines(make_manifest(b"", controls=specs)) for specs in (control_specs(), control_specs()[:10])
    )
    assert everything == style_lines()
    assert any("chipmunk" in line for line in little)
    assert not any("radio" in line or "emotion" in line for line in little)


def test_style_emotion_and_flags_reach_the_converter(converter: FakeConverter, tmp_path: Path) -> None:
    flags = ["--style", "monster", "--emotion", "sad:0.5", "--denoise", "--emphasis", "-0.5", "--presence", "3"]
    assert main(["convert", str(SPEECH), str(tmp_path / "out.wav"), "--model", "m", *flags]) == 0
    asked = {name: value for name, value in converter.asked.items() if value is not None}
    assert asked == {"style": "monster", "emotion": "sad:0.5", "denoise": 1.0, "emphasis": -0.5, "presence": 3.0}


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--style", "opera"], "no style 'opera'"),
        (["--emotion", "happy:3"], "between 0 and 1"),
        (["--echo", "2"], "older than the control 'echo'"),
        (["--style", "radio"], "needs the control 'radio'"),
    ],
)
def test_a_wrong_style_is_one_line_and_leaves_no_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], old_model: Path, flags: list[str], text: str
) -> None:
    """The model is an old one, from before most styles."""
    target = tmp_path / "out.wav"
    assert main(["convert", str(SPEECH), str(target), "--model", str(old_model), *flags]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("INFO:")]
    assert len(lines) == 1
    assert lines[0].startswith("changeling: ")
    assert text in lines[0]
    assert not target.exists()
