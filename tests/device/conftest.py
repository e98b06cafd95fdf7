"""Emulated boards for the tests: there when `make test-board` named their cache and the wheel to install."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.device.boards import BOARDS, Board
from tests.device.emulator import EmulatedBoard, prepare
from tests.device.no_board import NoBoardError

ASSETS = Path(__file__).parents[1] / "assets"
CACHE_VARIABLE, WHEEL_VARIABLE = "CHANGELING_BOARDS", "CHANGELING_WHEEL"
_SPEECH_FROM, _SPEECH_SAMPLES = 16_000, 16_000
"""One second of speech: emulation takes five times as long."""


@pytest.fixture(scope="session", params=BOARDS, ids=[board.name for board in BOARDS])
def emulated(request: pytest.FixtureRequest) -> EmulatedBoard:
    """Each board in turn, built once and kept for later runs."""
    cache, wheel = os.environ.get(CACHE_VARIABLE), os.environ.get(WHEEL_VARIABLE)
    if not cache or not wheel:
        pytest.skip("emulated boards take minutes; run: make test-board")
    board: Board = request.param
    try:
        return prepare(board, Path(cache), Path(wheel).resolve())
    except NoBoardError as reason:
        pytest.skip(f"no emulated boards: {reason}")


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of real speech."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    with wave.open(str(ASSETS / "real_male.wav")) as source, wave.open(str(path), "wb") as target:
        source.setpos(_SPEECH_FROM)
        target.setparams(source.getparams())
        target.writeframes(source.readframes(_SPEECH_SAMPLES))
    return path


@pytest.fixture(scope="session")
def host_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this machine puts what the boards' results are compared with."""
    return tmp_path_factory.mktemp("host")


def on_host(*arguments: str | Path) -> None:
    """Run the command on this machine, from the checkout that the wheel was built of."""
    command = [sys.executable, "-m", "edge_runtime", *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2], timeout=120)
