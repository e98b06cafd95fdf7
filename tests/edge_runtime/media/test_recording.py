"""Recordings of what went in and out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import OutputError
from edge_runtime.media.audio import read_audio
from edge_runtime.media.recording import WavRecorder, record_sound
from edge_runtime.provenance import conversion_comment, read_mark

COMMENT = conversion_comment(model="m", voice="anna")


def _ramp(count: int) -> np.ndarray:
    return (np.arange(count) % 1000 / 2048.0 - 0.25).astype(np.float32)  # every value fits 16 bits


def test_every_sample_is_kept_and_only_the_converted_is_marked(tmp_path: Path) -> None:
    """Exactly what went in and out."""
    with record_sound(tmp_path / "take", COMMENT) as recording:
        assert recording is not None
        for start in range(0, 16_000, 160):
            recording.came.add(_ramp(16_000)[start : start + 160], 16_000)
            recording.went.add(-_ramp(16_000)[start : start + 160], 48_000)
    heard = read_audio(tmp_path / "take" / "in.wav", max_seconds=10.0)
    spoken = read_audio(tmp_path / "take" / "out.wav", max_seconds=10.0)
    assert (heard.sample_rate_hz, spoken.sample_rate_hz) == (16_000, 48_000)
    np.testing.assert_array_equal(heard.samples[:, 0], _ramp(16_000))
    np.testing.assert_array_equal(spoken.samples[:, 0], -_ramp(16_000))
    assert read_mark(tmp_path / "take" / "in.wav") is None
    mark = read_mark(tmp_path / "take" / "out.wav")
    assert mark is not None
    assert mark.voice == "anna"


def test_a_recording_is_finished_when_the_conversion_fails(tmp_path: Path) -> None:
    """What was said until then is worth keeping; no half file lies about."""

    def fail() -> None:
        with record_sound(tmp_path, COMMENT) as recording:
            assert recording is not None
            recording.came.add(_ramp(160), 16_000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_an_older_recording_is_never_overwritten(tmp_path: Path) -> None:
    """Refused before anything is recorded."""
    (tmp_path / "out.wav").write_bytes(b"mine")
    with pytest.raises(OutputError, match="there already"), record_sound(tmp_path, COMMENT):
        pass
    assert (tmp_path / "out.wav").read_bytes() == b"mine"


def test_a_device_that_comes_back_with_another_rate_ends_the_recording(tmp_path: Path) -> None:
    """A file has one rate; what was recorded before stays."""
    recorder = WavRecorder(tmp_path / "a.wav", comment=None)
    recorder.add(_ramp(100), 16_000)
    recorder.add(_ramp(100), 48_000)
    recorder.close()
    assert recorder.failure is not None
    assert "another sample rate" in str(recorder.failure)
    assert len(read_audio(tmp_path / "a.wav", max_seconds=1.0).samples) == 100


def test_a_folder_that_vanishes_is_one_error_and_no_hang(tmp_path: Path) -> None:
    """The thread that writes must not keep `close` waiting."""
    recorder = WavRecorder(tmp_path / "gone" / "a.wav", comment=None)
    recorder.add(_ramp(100), 16_000)
    recorder.close()
    assert recorder.failure is not None


def test_no_folder_is_no_recording() -> None:
    """The usual case."""
    with record_sound(None, COMMENT) as recording:
        assert recording is None
