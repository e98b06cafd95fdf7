"""``changeling convert``: files, folders and pipes, around a converter that only halves."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import edge_runtime
from edge_runtime.cli import convert, folders
from edge_runtime.cli.main import main
from edge_runtime.cli.raw import PcmConverter
from edge_runtime.media.audio import read_audio, write_wav
from tests.edge_runtime.fake_voice import RATE_HZ, FakeConverter, FakeStream

Run = Callable[..., int]


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> FakeConverter:
    """What `edge_runtime.load` gives; its arguments are kept in ``asked_load``."""
    fake = FakeConverter()

    def load(path: Path, **options: Any) -> FakeConverter:
        fake.loaded = (path, options)  # type: ignore[attr-defined]
        return fake

    monkeypatch.setattr(edge_runtime, "load", load, raising=False)
    monkeypatch.delenv("CHANGELING_MODEL", raising=False)
    return fake


def _record(path: Path, seconds: float = 0.2, rate_hz: int = 22_050) -> Path:
    """A tone with 22 050 Hz by default, so that a lost rate shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 0.5 * np.sin(2.0 * np.pi * 200.0 * np.arange(round(seconds * rate_hz)) / rate_hz)
    write_wav(path, tone.astype(np.float32), rate_hz, comment="")
    return path


def test_file_to_file_keeps_rate_and_length(converter: FakeConverter, tmp_path: Path) -> None:
    """The recording comes back at its own rate, sample for sample."""
    source, target = _record(tmp_path / "in.wav"), tmp_path / "out.wav"
    assert main(["convert", str(source), str(target), "--model", "m.tflite"]) == 0
    before, after = read_audio(source, max_seconds=9), read_audio(target, max_seconds=9)
    assert after.sample_rate_hz == before.sample_rate_hz
    np.testing.assert_allclose(after.samples, 0.5 * before.samples, atol=1e-4)
    assert converter.loaded == (Path("m.tflite"), {"kind": "voice", "backend": None, "threads": 1})  # type: ignore[attr-defined]


def test_result_is_marked_and_verify_reads_the_mark(
    converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every converted file says what made it; the source does not."""
    source, target = _record(tmp_path / "in.wav"), tmp_path / "out.wav"
    assert main(["convert", str(source), str(target), "--model", "m.tflite", "--voice", "anna"]) == 0
    capsys.readouterr()
    assert main(["verify", str(target)]) == 0
    assert "model fake, voice anna" in capsys.readouterr().out


def test_verify_of_an_unmarked_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1, and no claim that the sound is natural."""
    path = tmp_path / "plain.wav"
    path.write_bytes(
        b"RIFF"
        + (36 + 4).to_bytes(4, "little")
        + b"WAVEfmt "
        + (16).to_bytes(4, "little")
        + bytes.fromhex("01000100803e0000007d000002001000")
        + b"data"
        + (4).to_bytes(4, "little")
        + b"\1\0\2\0"
    )
    assert main(["verify", str(path)]) == 1
    assert "no mark" in capsys.readouterr().out


def test_options_become_controls_and_only_those_given(converter: FakeConverter, tmp_path: Path) -> None:
    """What is not given stays the model's default, so it must not be passed on."""
    source, target = _record(tmp_path / "in.wav"), tmp_path / "out.wav"
    argv = ["convert", "--robot", str(source), str(target), "--model", "m", "--pitch", "-3.5", "--morph", "b:0.3"]
    assert main([*argv, "--whisper", "0.5", "--auto-pitch"]) == 0
    assert converter.asked == {
        "voice": None,
        "morph": "b",
        "morph_amount": 0.3,
        "pitch": -3.5,
        "robot": 1.0,
        "whisper": 0.5,
        "auto_pitch": 1.0,
    }


@pytest.mark.parametrize(
    ("extra", "code", "text"),
    [
        (["--pitch", "nan"], 2, "--pitch"),
        (["--morph", "b:x"], 2, "anna:0.3"),
        (["--voice", "nobody"], 2, "has: anna"),
        (["--threads", "99"], 2, "between 1 and 64"),
        (["--backend", "tpu"], 2, "--backend"),
        (["--rate", "8000"], 2, "--rate"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(
    converter: FakeConverter,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    extra: list[str],
    code: int,
    text: str,
) -> None:
    """Never a traceback, never a partial file."""
    source, target = _record(tmp_path / "in.wav"), tmp_path / "out.wav"
    assert main(["convert", str(source), str(target), "--model", "m", *extra]) == code
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == ["in.wav"]


def test_model_comes_from_the_flag_the_variable_or_the_package(
    converter: FakeConverter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this order; None is what `edge_runtime.load` takes for the voices that come with changeling."""
    source, target = _record(tmp_path / "in.wav"), tmp_path / "out.wav"
    assert main(["convert", str(source), str(target)]) == 0
    assert converter.loaded[0] is None  # type: ignore[attr-defined]
    monkeypatch.setenv("CHANGELING_MODEL", "from_variable.onnx")
    assert main(["convert", str(source), str(target)]) == 0
    assert converter.loaded[0] == Path("from_variable.onnx")  # type: ignore[attr-defined]
    assert main(["convert", str(source), str(target), "--model", "from_flag.tflite"]) == 0
    assert converter.loaded[0] == Path("from_flag.tflite")  # type: ignore[attr-defined]


def test_input_is_never_overwritten(
    converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name, through a link, and as a folder."""
    source = _record(tmp_path / "in.wav")
    content = source.read_bytes()
    (tmp_path / "link.wav").symlink_to(source)
    for target in (source, tmp_path / "link.wav", tmp_path / "sub" / ".." / "in.wav", tmp_path):
        assert main(["convert", str(source), str(target), "--model", "m"]) == 3
        assert "is the input itself" in capsys.readouterr().err
    assert main(["convert", str(tmp_path), str(tmp_path), "--model", "m"]) == 3
    assert source.read_bytes() == content
    assert not converter.heard


def test_bad_places_are_refused_before_any_work(
    converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long conversion must not end in "cannot write"."""
    source = _record(tmp_path / "in.wav")
    for target, text in ((tmp_path / "no" / "out.wav", "does not exist"), (tmp_path / "out.mp3", "must end in .wav")):
        assert main(["convert", str(source), str(target), "--model", "m"]) == 3
        assert text in capsys.readouterr().err
    monkeypatch.setattr(folders.os, "access", lambda path, mode: False)
    assert main(["convert", str(source), str(tmp_path / "out.wav"), "--model", "m"]) == 3
    assert "not writable" in capsys.readouterr().err
    assert not converter.heard


def test_missing_input_is_one_line(
    converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a model is loaded."""
    assert main(["convert", str(tmp_path / "no.wav"), str(tmp_path / "out.wav"), "--model", "m"]) == 2
    assert capsys.readouterr().err == f"changeling: {tmp_path / 'no.wav'} does not exist\n"


def test_folder_is_converted_as_a_tree_past_bad_files(
    converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One broken file must not cost the rest of the night's run, and must not go unnoticed either."""
    source, target = tmp_path / "in", tmp_path / "out"
    for name in ("a.wav", "deep/b.WAV", "deep/c.wav"):
        _record(source / name)
    (source / "broken.wav").write_bytes(b"RIFF....")
    (source / "notes.txt").write_text("no sound")
    assert main(["convert", str(source), str(target), "--model", "m"]) == 2
    made = sorted(str(path.relative_to(target)) for path in target.rglob("*.*"))
    assert made == ["a.wav", "deep/b.wav", "deep/c.wav"]
    err = capsys.readouterr().err
    assert "3 converted, 0 already there, 1 failed" in err
    assert f"changeling: {source / 'broken.wav'}: " in err


def test_folder_skips_what_is_there_unless_told(
    converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stopped run goes on where it was."""
    source, target = tmp_path / "in", tmp_path / "in" / "converted"
    _record(source / "a.wav")
    _record(source / "b.wav")
    argv = ["convert", str(source), str(target), "--model", "m"]
    assert main(argv) == 0
    (target / "b.wav").unlink()
    assert main(argv) == 0
    assert "1 converted, 1 already there, 0 failed" in capsys.readouterr().err
    assert len(converter.heard) == 3, "the folder of results lies inside the source and is not an input"
    assert main([*argv, "--overwrite"]) == 0
    assert len(converter.heard) == 5


def test_same_name_with_two_suffixes_gives_two_results(tmp_path: Path) -> None:
    """take.flac must not overwrite the result of take.wav."""
    for name in ("take.flac", "take.wav"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    targets = [
        target.name
        for _, target in folders.plan(tmp_path / "in", tmp_path / "out", convert.SUFFIXES, lambda path: ".wav")
    ]
    assert targets == ["take.wav", "take.wav.wav"]


def test_empty_folder_is_refused(converter: FakeConverter, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to do is most often a wrong path."""
    (tmp_path / "in").mkdir()
    assert main(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--model", "m"]) == 2
    assert "holds no recording" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("piece", [1, 2, 3, 639, 640, 641, 100_000])
@pytest.mark.parametrize("rate_hz", [None, 16_000, 8_000, 44_100])
def test_raw_sound_lies_on_its_input(piece: int, rate_hz: int | None) -> None:
    """However the bytes arrive, the output is as long as the input, in place, and the same."""
    rate = rate_hz or RATE_HZ
    tone = 8_000.0 * np.sin(2.0 * np.pi * 300.0 * np.arange(2_000) / rate)
    data = np.rint(tone).astype("<i2").tobytes()
    pcm = PcmConverter(FakeStream(), RATE_HZ, rate_hz)  # type: ignore[arg-type]
    out = b"".join(pcm.process(data[start : start + piece]) for start in range(0, len(data), piece)) + pcm.finish()
    result = np.frombuffer(out, "<i2")
    assert len(result) == len(tone)
    inner = slice(200, -200)  # a resampler rings at the ends
    np.testing.assert_allclose(result[inner], 0.5 * tone[inner], atol=2 if rate == RATE_HZ else 40)


def test_raw_sound_shorter_than_the_latency_and_none_at_all() -> None:
    """The ends of the range of lengths."""
    for count in (0, 1, 319, 320, 321):
        pcm = PcmConverter(FakeStream(), RATE_HZ)  # type: ignore[arg-type]
        out = pcm.process(bytes(2 * count)) + pcm.finish()
        assert len(out) == 2 * count


def test_stdin_to_stdout(converter: FakeConverter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but sound goes to stdout."""
    data = np.full(1_000, 2_000, "<i2").tobytes()
    sink = io.BytesIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=sink, flush=lambda: None))
    assert main(["convert", "-", "-", "--model", "m"]) == 0
    assert sink.getvalue() == np.full(1_000, 1_000, "<i2").tobytes()


@pytest.mark.parametrize("pair", [["-", "out.wav"], ["in.wav", "-"]])
def test_half_a_pipe_is_refused(pair: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A WAV on stdout, or a file from headerless sound, would be a guess."""
    assert main(["convert", *pair, "--model", "m"]) == 2
    assert "both IN and OUT" in capsys.readouterr().err
