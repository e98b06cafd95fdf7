"""The voices that come with changeling: there without being named, checked like any other, and outvoted by a name."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime.cli.main import main
from edge_runtime.contract import FRONT_END_VERSION
from edge_runtime.default_model import open_model_or_default
from edge_runtime.errors import FrontEndError, ModelFileError
from edge_runtime.model_file import open_model

PACKAGE = Path(edge_runtime.__file__).parent
SHIPPED = PACKAGE / "models" / "voices.tflite"
ASSETS = Path(__file__).parents[1] / "assets"
SPEECH = ASSETS / "real_male.wav"
TINY = ASSETS / "tiny_voice.fp16.tflite"
MAXIMUM_MODEL_BYTES = 4_000_000


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGELING_MODEL", raising=False)


@pytest.fixture
def empty_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the installed package, without a model in it."""
    from importlib import resources

    (tmp_path / "models").mkdir()
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    return tmp_path


def test_load_without_a_path_opens_the_shipped_voices() -> None:
    """The first line of Python that anybody types."""
    converter = edge_runtime.load()
    assert converter.manifest == open_model(SHIPPED).manifest
    assert Path(converter.model.path) == SHIPPED
    assert converter.selftest().passed


def test_shipped_model_is_small_free_and_nobodys() -> None:
    """What may be given away with a package: few bytes, no person's voice, and the notices beside the weights."""
    model = open_model_or_default()
    assert SHIPPED.stat().st_size <= MAXIMUM_MODEL_BYTES
    assert all(voice.synthetic and voice.consent is None for voice in model.manifest.voices)
    assert model.manifest.training
    assert "Apache-2.0" in model.manifest.licence
    assert {"LICENCE", "NOTICE", "golden.npz", "voices.npy"} <= model.files.keys()
    assert model.graph_format == "tflite"
    assert model.manifest.latency_ms <= 50.0


def test_every_shipped_voice_speaks_and_no_two_alike() -> None:
    """A name in the list that sounds like another one would be a lie."""
    converter = edge_runtime.load()
    speech = np.asarray(_read(SPEECH)[0][:32_000], np.float32)
    spoken = [
        converter.convert(speech, 16_000, converter.controls(voice=voice.name)) for voice in converter.manifest.voices
    ]
    for index, one in enumerate(spoken):
        assert np.isfinite(one).all()
        assert 1e-3 < np.sqrt(np.mean(one**2)) < 1.0
        assert all(np.abs(one - other).max() > 1e-2 for other in spoken[:index])


def test_convert_by_voice_name_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``changeling convert in.wav out.wav --voice NAME`` with nothing else, for a name that ``info`` lists."""
    assert main(["info", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    name = report["manifest"]["voices"][-1]["name"]
    output = tmp_path / "out.wav"
    assert main(["convert", str(SPEECH), str(output), "--voice", name]) == 0
    samples, rate_hz = _read(output)
    assert (len(samples), rate_hz) == (len(_read(SPEECH)[0]), 16_000)
    assert 1e-3 < np.sqrt(np.mean(samples**2)) < 1.0
    capsys.readouterr()
    assert main(["verify", str(output)]) == 0
    assert f"voice {name}" in capsys.readouterr().out


def test_unknown_voice_names_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer's first slip leads to the list."""
    assert main(["convert", str(SPEECH), str(tmp_path / "out.wav"), "--voice", "nosuchvoice"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert all(voice.name in error for voice in open_model_or_default().manifest.voices)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("verb", [["info"], ["selftest"], ["bench", "--seconds", "1"]])
def test_verbs_take_the_shipped_voices_by_default(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No verb asks for what is already there."""
    assert main(verb) == 0
    assert open_model_or_default().manifest.name in capsys.readouterr().out


def test_a_named_model_wins(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The flag before the variable, the variable before the shipped voices."""
    tiny, shipped = open_model(TINY).manifest.name, open_model_or_default().manifest.name
    assert tiny != shipped
    monkeypatch.setenv("CHANGELING_MODEL", str(TINY))
    assert main(["selftest"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{tiny} on ")
    assert main(["selftest", "--model", str(SHIPPED)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{shipped} on ")
    monkeypatch.setenv("CHANGELING_MODEL", "missing.tflite")
    assert main(["info"]) == 4
    assert "missing.tflite does not exist" in capsys.readouterr().err


def test_missing_default_is_one_line(empty_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A package repacked without its data says so, and a named model still works."""
    assert main(["convert", str(SPEECH), str(tmp_path / "out.wav")]) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "lacks the voices that come with changeling" in error
    assert "install changeling again, or name a model file of your own" in error
    assert not (tmp_path / "out.wav").exists()
    assert main(["info", str(TINY)]) == 0


@pytest.mark.parametrize(
    ("damage", "because"),
    [
        (lambda data: data[:-1], "checksum"),
        (lambda data: data[:1000] + bytes([data[1000] ^ 1]) + data[1001:], "checksum"),
        (lambda data: b"", "empty"),
        (lambda data: b"version https://git-lfs.github.com/spec/v1\n", "not a model file"),
    ],
    ids=["truncated", "one bit", "empty", "a pointer in place of the file"],
)
def test_damaged_default_is_one_line(
    damage: Callable[[bytes], bytes], because: str, empty_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an interrupted installation or a checkout without its large files leaves."""
    (empty_package / "models" / "voices.tflite").write_bytes(damage(SHIPPED.read_bytes()))
    assert main(["info"]) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert because in error
    assert "install changeling again" in error


def test_default_of_another_runtime_keeps_its_error(empty_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`FrontEndError` stays one, so that a caller may tell "too old" from "damaged"."""
    shutil.copy(SHIPPED, empty_package / "models" / "voices.tflite")
    monkeypatch.setattr("edge_runtime.contract.FRONT_END_VERSION", 999)
    with pytest.raises(FrontEndError, match=f"front end version {FRONT_END_VERSION}"):
        open_model_or_default()


def test_unreadable_default_is_one_line(empty_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zipped package needs a place for the copy; when there is none, that is said."""

    def refuse(resource: object) -> None:
        raise OSError(28, "No space left on device")

    (empty_package / "models" / "voices.tflite").write_bytes(b"x")
    monkeypatch.setattr("importlib.resources.as_file", refuse)
    with pytest.raises(ModelFileError, match=r"cannot be used \(No space left on device\); install changeling again"):
        open_model_or_default()


def test_package_in_a_zip_has_its_voices(tmp_path: Path) -> None:
    """A wheel is a zip, and so is what zipapp makes: the model is found there too, and leaves no copy behind."""
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted([*PACKAGE.rglob("*.py"), SHIPPED]):
            file.write(path, path.relative_to(PACKAGE.parent))
    copies = tmp_path / "copies"
    copies.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "info"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={"PYTHONPATH": str(archive), "TMPDIR": str(copies), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^file +{re.escape(str(archive))}\S*voices\.tflite, whole and unaltered", done.stdout, re.M)
    assert list(copies.iterdir()) == []


def _read(path: Path) -> tuple[np.ndarray, int]:
    """Samples (n,) in [-1, 1] of a 16-bit mono WAV, and its rate."""
    with wave.open(io.BytesIO(path.read_bytes())) as file:
        assert (file.getsampwidth(), file.getnchannels()) == (2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0, file.getframerate()
