"""Spectrogram pictures: the right place on the axes, and a whole PNG or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.media.audio import write_wav
from train.voice.picture import SAMPLE_RATE_HZ, draw_spectrograms, spectrogram_db


def _tone(path: Path, hz: float, rate_hz: int) -> Path:
    tone = 0.3 * np.sin(2.0 * np.pi * hz * np.arange(rate_hz) / rate_hz)
    write_wav(path, tone.astype(np.float32), rate_hz, comment="")
    return path


def test_tone_is_loudest_at_its_own_frequency() -> None:
    """A picture with a wrong axis would mislead."""
    tone = np.sin(2.0 * np.pi * 1_000.0 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)
    picture = spectrogram_db(tone, SAMPLE_RATE_HZ)
    peak = picture.mean(axis=1).argmax()
    assert peak * SAMPLE_RATE_HZ / 512 == pytest.approx(1_000.0, abs=16.0)
    assert picture.max() == 0.0
    assert picture.shape[1] == pytest.approx(100, abs=4)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513])
def test_short_sounds_have_a_picture(count: int) -> None:
    """Silence and less than a window, without a warning from the logarithm."""
    assert np.isfinite(spectrogram_db(np.zeros(count, np.float32), SAMPLE_RATE_HZ)).all()


def test_command_draws_recordings_of_any_rate(tmp_path: Path) -> None:
    """The last step of the demo."""
    names = [str(_tone(tmp_path / "a.wav", 300.0, 8_000)), str(_tone(tmp_path / "b.wav", 3_000.0, 44_100))]
    picture = tmp_path / "picture.png"
    assert main(["train", "voice", "picture", *names, "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_longest_sound_sets_the_axis_and_an_empty_one_is_drawn(tmp_path: Path) -> None:
    """A stopped training still shows its samples."""
    panels = [("none", np.zeros(0, np.float32)), ("some", np.zeros(8_000, np.float32))]
    draw_spectrograms(panels, SAMPLE_RATE_HZ, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1_000


def test_unreadable_recording_leaves_no_picture(tmp_path: Path) -> None:
    """One line, nothing half made."""
    assert main(["train", "voice", "picture", str(tmp_path / "no.wav"), "-o", str(tmp_path / "p.png")]) == 2
    assert list(tmp_path.iterdir()) == []
