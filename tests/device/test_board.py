"""The wheel on emulated boards, through the command that a user types: it runs, accelerated, with the host's numbers.

An instruction that the real board lacks, a wheel that wants a newer system, a kernel that computes something else, a
package that the lock forgot for another machine: all of it shows here and nowhere else without the hardware.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.device.conftest import ASSETS, on_host
from tests.device.emulator import EmulatedBoard

pytestmark = pytest.mark.slow

XNNPACK = "XNNPACK delegate"
VOICE_TOLERANCE = 5e-4
"""Of full scale. Measured: one step of 16 bits with LiteRT, five with tflite-runtime on 32 bits."""
PHOTO_TOLERANCE = 4
"""Levels of 255, nowhere exceeded. Measured: 2 to 3, where ARM and x86 kernels of the int8 graph round differently."""
PHOTO_MEAN_TOLERANCE = 0.005
"""Levels, over the whole photo. Measured: 0.0006."""


def _succeed(emulated: EmulatedBoard, *arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command; it ends well, and on 64 bits with XNNPACK: without it other kernels give other numbers."""
    done = emulated.changeling(*arguments, folder=folder)
    died = f"died of signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    assert done.returncode == 0, f"{died}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    if emulated.board.is_64_bit:
        assert XNNPACK in done.stderr
    return done


@pytest.mark.parametrize("kind", ["voice", "face"])
def test_selftest_agrees_with_the_golden_vectors(emulated: EmulatedBoard, kind: str, tmp_path: Path) -> None:
    """Every stage of the signal path gives what it gave at export."""
    done = _succeed(emulated, "selftest", "--kind", kind, folder=tmp_path)
    interpreter = "ai-edge-litert" if emulated.board.is_64_bit else "tflite-runtime"
    assert f"on {interpreter}" in done.stdout
    assert "agrees with its golden vectors" in done.stdout


def test_converted_speech_equals_the_hosts(
    emulated: EmulatedBoard, speech: Path, host_folder: Path, tmp_path: Path
) -> None:
    """From one WAV file to another, with the shipped voice."""
    expected = host_folder / "speech.wav"
    if not expected.exists():
        on_host("convert", speech, expected, "--voice", "ivy")
    _succeed(emulated, "convert", speech, tmp_path / "out.wav", "--voice", "ivy", folder=tmp_path)
    here, there = _samples(expected), _samples(tmp_path / "out.wav")
    assert np.sqrt(np.mean(here**2)) > 0.01
    assert np.abs(here - there).max() <= VOICE_TOLERANCE


def test_changed_photo_equals_the_hosts(emulated: EmulatedBoard, host_folder: Path, tmp_path: Path) -> None:
    """From one photo to another, with the shipped face model: detector, landmarks, generator and OpenCV."""
    if not emulated.board.is_64_bit:
        pytest.skip("photos need Pillow, which has no 32-bit wheels")
    photo, expected = ASSETS / "astronaut.jpg", host_folder / "photo.png"
    if not expected.exists():
        on_host("convert", photo, expected, "--brow-raise", "1")
    _succeed(emulated, "convert", photo, tmp_path / "out.png", "--brow-raise", "1", folder=tmp_path)
    before, here, there = _pixels(photo), _pixels(expected), _pixels(tmp_path / "out.png")
    assert (np.abs(here - before).max(axis=2) > 8).mean() > 0.0005
    difference = np.abs(here - there)
    assert difference.max() <= PHOTO_TOLERANCE
    assert difference.mean() <= PHOTO_MEAN_TOLERANCE


def _samples(path: Path) -> np.ndarray:
    """(n,) in [-1, 1]."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


def _pixels(path: Path) -> np.ndarray:
    """(H, W, 3), signed so that they can be subtracted."""
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(path).convert("RGB"), np.int16)
