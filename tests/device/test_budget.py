"""The budget of instructions: what counts as grown, and that the written tables can be read again."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.board_results import Installed, Row, load, regressions, save, tables
from edge_runtime.errors import WorkstationError

PLUGIN = Path(__file__).parents[2] / "benchmarks" / "board_count.c"
ROW = Row(
    kind="voice",
    model="shipped",
    precision="fp16",
    board="pi4-bookworm",
    setup="",
    threads=1,
    total=1_000_000,
    graph=600_000,
    parts={"front end": 250_000, "synthesis": 100_000, "rest": 50_000, "rest graph": 600_000},
    main=1_000_000,
    start=2_900_000_000,
)


def test_more_than_three_percent_is_a_regression() -> None:
    """And 3 % is not: the same code counted twice must pass."""
    assert regressions([ROW], [dataclasses.replace(ROW, total=1_030_000)]) == []
    assert regressions([ROW], [dataclasses.replace(ROW, total=500_000)]) == []
    (line,) = regressions([ROW], [dataclasses.replace(ROW, total=1_031_000)])
    assert "voice shipped on pi4-bookworm takes 1,031,000 instructions, 3.1% more" in line


def test_what_has_no_budget_fails_with_what_to_do() -> None:
    """A renamed model must not slip through unmeasured."""
    (line,) = regressions([ROW], [dataclasses.replace(ROW, precision="int8")])
    assert line.endswith("has no budget yet; run: make board-budget")


def test_tables_are_read_again_as_they_were_written(tmp_path: Path) -> None:
    rows = [ROW, dataclasses.replace(ROW, kind="face", setup="OpenCV", threads=2)]
    save(tmp_path / "board", rows, [Installed("voices", 31.0, 98.5, ("numpy 40",))])
    assert load(tmp_path / "board") == rows
    with pytest.raises(WorkstationError, match="run: make board-budget"):
        load(tmp_path / "elsewhere")


def test_tables_say_what_is_an_estimate_and_which_bars_are_missed() -> None:
    """Milliseconds come from a cited rate, for the Pi 4 alone; a missed bar must not look like a kept one."""
    slow = dataclasses.replace(ROW, model="slow", total=9_000_000, graph=1_000_000)
    text = tables([ROW, slow, dataclasses.replace(ROW, board="pi5-bookworm")], [])
    assert "**estimate**" in text
    assert "shipped fp16: 1.00 M (kept), 40.0% (kept)" in text
    assert "slow fp16: 9.00 M (MISSED), 88.9% (MISSED)" in text
    (line,) = [line for line in text.splitlines() if "| pi5-bookworm | 1.00" in line]
    assert line.endswith("| – |")


def test_the_counting_plugin_compiles_without_a_warning(tmp_path: Path) -> None:
    """It is compiled on the machine that counts."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not there; counting instructions needs it")
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = ["gcc", "-O2", *warnings, "-shared", "-fPIC", "-o", str(tmp_path / "count.so"), str(PLUGIN)]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""
