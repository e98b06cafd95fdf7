"""What an emulated board is made of, as far as it shows without making one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.device.boards import BOARDS, Board
from tests.device.no_board import NoBoardError
from tests.device.pretence import CORES, write_pretence
from tests.device.userland import check_host
from tests.device.wheels import pins_for

BY_NAME = {board.name: board for board in BOARDS}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_board_gets_one_interpreter_with_hashes(board: Board) -> None:
    """Markers are judged for the board and left out; what stays must be installable by hash."""
    entries = [entry for entry in pins_for(board).split("\n\n") if entry.strip()]
    text = "\n".join(entries)
    assert ";" not in text
    assert text.count("==") <= text.count("--hash=sha256:")
    wanted, other = ("ai-edge-litert", "tflite-runtime") if board.is_64_bit else ("tflite-runtime", "ai-edge-litert")
    assert f"{wanted}==" in text
    assert f"{other}==" not in text


def test_pins_follow_the_boards_python() -> None:
    """The lock has one PyAV for Python 3.11 and another for later ones; this machine's own Python must not decide."""
    older, newer = (pins_for(BY_NAME[name]) for name in ("pi4-bookworm", "pi4-trixie"))
    assert older.count("\nav==") == newer.count("\nav==") == 1
    assert older != newer


def test_32_bit_board_keeps_debians_numpy() -> None:
    """PyPI has no NumPy for it; asking for one would compile for hours."""
    assert "numpy==" not in pins_for(BY_NAME["pi4-bookworm-32"])


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_processor_is_told_as_the_boards_own(board: Board, tmp_path: Path) -> None:
    """XNNPACK picks kernels by the core's number and its features: a Pi 4 must not be told to have dot products."""
    write_pretence(tmp_path, board.hardware, is_64_bit=board.is_64_bit)
    told = (tmp_path / "proc" / "cpuinfo").read_text()
    assert told.count("processor\t:") == CORES
    assert told.count(f"CPU part\t: {board.hardware.part}") == CORES
    assert ("asimddp" in told) == board.name.startswith("pi5")
    caches = sorted((tmp_path / "sys" / "devices" / "system" / "cpu" / "cpu0" / "cache").iterdir())
    told_levels = [(cache / "level").read_text() for cache in caches]
    assert len([level for level in told_levels if level]) == len(board.hardware.caches)
    assert "" in told_levels  # hides a cache that only this machine has


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says why there is no emulated board, for the reason of a skipped test."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NoBoardError, match="apt-get is not there"):
        check_host(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
