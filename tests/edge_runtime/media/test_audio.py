"""Files in and out: dispatch on content, one-line refusals, whole files or none."""

from __future__ import annotations

import builtins
import errno
import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import ChangelingError, InputError, MissingDependencyError, OutputError
from edge_runtime.media.audio import read_audio, to_mono, write_wav
from tests.edge_runtime.media.wav_files import FLOAT, simple

RNG = np.random.default_rng(3)
TONE = (0.5 * np.sin(np.arange(16_000) * 0.05)).astype(np.float32)


def refusal(error: type[ChangelingError], call: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("suffix", "options", "tolerance"), [
    ("flac", {}, 1e-4),
    ("ogg", {}, 0.05),
    ("mp3", {}, 0.05),
])  # fmt: skip
def test_compressed_formats_are_known_by_content(
    tmp_path: Path, suffix: str, options: dict[str, Any], tolerance: float
) -> None:
    soundfile = pytest.importorskip("soundfile")
    stereo = np.stack([TONE, TONE], axis=1)
    soundfile.write(tmp_path / f"a.{suffix}", stereo, 16_000, **options)
    disguised = tmp_path / "a.wav"
    os.rename(tmp_path / f"a.{suffix}", disguised)
    audio = read_audio(disguised, max_seconds=10)
    assert audio.sample_rate_hz == 16_000
    assert audio.samples.shape[1] == 2
    assert audio.samples.dtype == np.float32
    assert abs(audio.seconds - 1.0) < 0.2
    if suffix == "flac":
        np.testing.assert_allclose(audio.samples, stereo, atol=tolerance)
    else:
        assert abs(float(np.abs(audio.samples).max()) - 0.5) < tolerance


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3"])
def test_damaged_compressed_files_are_read_or_refused(tmp_path: Path, suffix: str) -> None:
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, TONE, 16_000)
    whole = path.read_bytes()
    for length in (4, 12, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        message = ""
        try:
            assert len(read_audio(path, max_seconds=10).samples) > 0
        except InputError as error:
            message = str(error)
        assert "\n" not in message
    path.write_bytes(whole[:12] + bytes(500))
    refusal(InputError, lambda: read_audio(path, max_seconds=10))


def test_a_long_compressed_file_is_refused_while_it_is_decoded(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.flac", np.zeros(16_000 * 60, np.float32), 16_000)
    assert "at most 5 s" in refusal(InputError, lambda: read_audio(tmp_path / "a.flac", max_seconds=5))


def test_without_soundfile_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def blocked(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "soundfile":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", blocked)
    (tmp_path / "a.flac").write_bytes(b"fLaC" + bytes(100))
    message = refusal(MissingDependencyError, lambda: read_audio(tmp_path / "a.flac", max_seconds=1))
    assert 'pip install "changeling[audio]"' in message
    assert "FLAC" in message
    (tmp_path / "a.wav").write_bytes(simple(RNG.uniform(-1, 1, (10, 1))))
    assert len(read_audio(tmp_path / "a.wav", max_seconds=1).samples) == 10


def test_paths_that_are_no_readable_file_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("hello, this is text")
    os.mkfifo(tmp_path / "pipe.wav")
    cases: list[tuple[str | Path, str]] = [
        (tmp_path / "none.wav", "does not exist"),
        (tmp_path, "is a folder"),
        (tmp_path / "empty.wav", "is empty"),
        (tmp_path / "text.wav", "is not WAV, FLAC, OGG or MP3"),
        (tmp_path / "pipe.wav", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("a\0b", "cannot be opened"),
        ("", "does not exist"),
        (tmp_path / "two\nlines.wav", "does not exist"),
        (tmp_path / ("x" * 300), "cannot be opened"),
        (tmp_path / "text.wav" / "inside", "cannot be opened"),
    ]
    for path, text in cases:
        assert text in refusal(InputError, lambda path=path: read_audio(path, max_seconds=1))  # type: ignore[misc]

    def forbidden(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    assert "may not be read" in refusal(InputError, lambda: read_audio(tmp_path / "text.wav", max_seconds=1))


def test_an_input_error_of_the_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(simple(RNG.uniform(-1, 1, (10, 1))))

    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("edge_runtime.media.wav._read_at", broken)
    assert "Input/output error" in refusal(InputError, lambda: read_audio(tmp_path / "a.wav", max_seconds=1))


def test_stereo_is_the_plain_mean_and_mono_is_untouched() -> None:
    stereo = RNG.uniform(-1, 1, (100, 2)).astype(np.float32)
    np.testing.assert_allclose(to_mono(stereo), stereo.mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(to_mono(stereo[:, :1]), stereo[:, 0])
    np.testing.assert_array_equal(to_mono(TONE), TONE)


def test_surround_leaves_the_lfe_out_and_keeps_the_ratios_of_bs775() -> None:
    """5.1 in WAVE order: FL FR FC LFE BL BR."""
    weights = [float(to_mono(np.eye(6, dtype=np.float32))[channel]) for channel in range(6)]
    assert weights[3] == 0.0
    assert sum(weights) == pytest.approx(1.0, abs=1e-6)
    assert weights[0] == weights[1] == pytest.approx(weights[2] * 0.5**0.5, abs=1e-6)
    assert weights[4] == weights[5] == pytest.approx(weights[2] * 0.5, abs=1e-6)


@pytest.mark.parametrize("channels", range(1, 9))
def test_no_layout_can_clip_when_mixed(channels: int) -> None:
    assert to_mono(np.ones((3, channels), np.float32)) == pytest.approx(np.ones(3), abs=1e-6)


@pytest.mark.parametrize("shape", [(3, 0), (3, 9), (3, 2, 2)])
def test_other_layouts_are_refused(shape: tuple[int, ...]) -> None:
    refusal(InputError, lambda: to_mono(np.zeros(shape, np.float32)))


def test_written_files_read_back_exactly_and_clip_instead_of_wrapping(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    values = np.array([0.0, 1 / 32768, -1.0, 32767 / 32768, 1.0, 1.7, -1.7, 0.49 / 32768], np.float32)
    write_wav(path, values, 22_050, comment="c")
    expected = np.array([0, 1, -32768, 32767, 32767, 32767, -32768, 0]) / 32768
    audio = read_audio(path, max_seconds=1)
    np.testing.assert_array_equal(audio.samples[:, 0], expected)
    assert audio.sample_rate_hz == 22_050
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getnframes()) == (1, 2, 8)


def test_a_long_stereo_file_is_written_block_by_block(tmp_path: Path) -> None:
    stereo = RNG.uniform(-1, 1, (150_001, 2)).astype(np.float32)
    write_wav(tmp_path / "a.wav", stereo, 48_000, comment="")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", max_seconds=10).samples, stereo, atol=2**-15)


def test_writing_where_one_cannot_write_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    cases = [
        (tmp_path / "none" / "a.wav", "create the folder first"),
        (tmp_path, "not a regular file"),
        (tmp_path / "plain" / "a.wav", "cannot be written"),
        (Path("/dev/null"), "not a regular file"),
    ]
    for path, text in cases:
        assert text in refusal(OutputError, lambda path=path: write_wav(path, TONE, 16_000, comment=""))  # type: ignore[misc]
    assert [entry.name for entry in tmp_path.iterdir()] == ["plain"]


def test_a_full_disk_keeps_the_old_file_and_removes_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, TONE, 16_000, comment="old")
    old = path.read_bytes()

    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    assert "free some space" in refusal(OutputError, lambda: write_wav(path, -TONE, 16_000, comment="new"))
    assert path.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_wav(tmp_path / "a.wav", TONE, 16_000, comment="")
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.wav").touch()
    (tmp_path / "link.wav").symlink_to("real.wav")
    write_wav(tmp_path / "link.wav", TONE, 16_000, comment="")
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "real.wav").stat().st_size > 32_000


@pytest.mark.parametrize("bad", [np.zeros(0, np.float32), np.array([0.0, np.nan], np.float32)])
def test_a_result_that_is_no_sound_is_not_written(tmp_path: Path, bad: Any) -> None:
    refusal(OutputError, lambda: write_wav(tmp_path / "a.wav", bad, 16_000, comment=""))
    assert list(tmp_path.iterdir()) == []


def test_float_files_of_both_widths_read_alike(tmp_path: Path) -> None:
    samples = RNG.uniform(-1, 1, (50, 2))
    for bits in (32, 64):
        (tmp_path / f"{bits}.wav").write_bytes(simple(samples, tag=FLOAT, bits=bits))
    left, right = (read_audio(tmp_path / f"{bits}.wav", max_seconds=1).samples for bits in (32, 64))
    np.testing.assert_array_equal(left, right)
