"""Instruction counts of emulated boards as rows, tables, and a budget that later runs are held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import WorkstationError
from edge_runtime.files import write_atomic
from train.records import load_json, save_json

TOLERANCE = 0.03
"""A count may grow by this share before the check fails; what repeats vary by is a hundredth of it."""
PI4_INSTRUCTIONS_PER_MS = 1.3e6
"""One core. An estimate: see `ANCHOR`."""
ANCHOR = (
    "Milliseconds are an **estimate**, good to a factor of two either way, and nothing was measured on a real board: "
    "XNNPACK's README gives 75 and 44 ms for MobileNet v1 and v2 (fp32) on the four cores of a Raspberry Pi 4, for "
    "which the same emulation counts 210 M and 123 M instructions, so 2.8 M a ms; published thread scaling of a Pi 4 "
    "is 2.2 from one core to four, so 1.3 M a ms on one. NumPy's code has more branches and misses than a convolution, "
    "which makes its share the less certain one. For the Pi 5 no such pair of figures was found: counts only."
)
VOICE_BAR, FACE_BAR, PYTHON_BAR = 8.0e6, 120.0e6, 0.40
"""Instructions of a 20 ms chunk and of a 640 x 480 frame with OpenCV on a Pi 4; NumPy's share of the voice pipeline."""
INSTALL_BAR_MB = 120.0


@dataclass(frozen=True)
class Row:
    """What one model takes on one board, in instructions for one chunk of 20 ms or one frame of 640 x 480."""

    kind: str
    """voice or face."""
    model: str
    """"shipped", or the file's name."""
    precision: str
    board: str
    setup: str
    """"OpenCV", "NumPy alone" or nothing."""
    threads: int
    total: int
    """On all threads."""
    graph: int
    """In the interpreter, on all threads."""
    parts: dict[str, int]
    """By section; those that end in "graph" are the interpreter's."""
    main: int
    """On the thread that called, its waiting for the others included."""
    start: int
    """A new process until the first result, on all threads."""

    @property
    def key(self) -> tuple[str | int, ...]:
        """What tells rows apart."""
        return self.kind, self.model, self.precision, self.board, self.setup, self.threads

    @property
    def python_share(self) -> float:
        """What is not the interpreter's, 0..1."""
        return 1.0 - self.graph / self.total


@dataclass(frozen=True)
class Installed:
    """What a lock and the wheel put on a board, in MB (10^6 bytes)."""

    name: str
    download_mb: float
    installed_mb: float
    largest: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """All of a run."""

    rows: tuple[Row, ...]
    installed: tuple[Installed, ...]


def save(path: Path, rows: Sequence[Row], sizes: Sequence[Installed]) -> None:
    """Write FILE.json, which `load` reads, and FILE.md."""
    save_json(path.with_suffix(".json"), Measured(tuple(rows), tuple(sizes)))
    write_atomic(path.with_suffix(".md"), (tables(rows, sizes).encode(),))


def load(path: Path) -> list[Row]:
    """The rows that `save` wrote. Raises `WorkstationError`."""
    file = path.with_suffix(".json")
    if not file.is_file():
        raise WorkstationError(f"{file} is missing, so there is no budget; run: make board-budget")
    measured: Measured = load_json(file, Measured)
    return list(measured.rows)


def regressions(before: Sequence[Row], after: Sequence[Row], tolerance: float = TOLERANCE) -> list[str]:
    """A line for every count of ``after`` that grew by more than ``tolerance``, and for every one with no budget."""
    budgets = {row.key: row for row in before}
    lines = []
    for row in after:
        name = f"{row.kind} {row.model} on {row.board}{f' with {row.setup}' if row.setup else ''}"
        budget = budgets.get(row.key)
        if budget is None:
            lines.append(f"{name} has no budget yet; run: make board-budget")
        elif row.total > budget.total * (1.0 + tolerance):
            more = row.total / budget.total - 1.0
            lines.append(
                f"{name} takes {row.total:,} instructions, {more:.1%} more than its budget of {budget.total:,}"
            )
    return lines


def tables(rows: Sequence[Row], sizes: Sequence[Installed]) -> str:
    """Everything as Markdown."""
    single = [row for row in rows if row.threads == 1]
    lines = [
        "# Instructions on emulated Raspberry Pis",
        "",
        "Made by `make board-budget` (`benchmarks/board.py`): the live path of the built wheel on emulated boards, one",
        "thread, instructions counted by a plugin of QEMU. Repeats agree to a few parts in ten thousand. Models beside",
        "the shipped ones were given with --models; what a graph costs depends on its shape, and not on its weights.",
        "",
        ANCHOR,
        "",
        "## Voice: one chunk of 20 ms, millions of instructions",
        "",
        "| model | precision | board | total | graph | front end | synthesis | rest | NumPy's share | ms on one core |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *[_voice_line(row) for row in single if row.kind == "voice"],
        "",
        f"Bars on a Pi 4: {VOICE_BAR / 1e6:g} M, and {PYTHON_BAR:.0%} for NumPy. {_verdicts(single)}",
        "",
        "## Face: one frame of 640 x 480 with one face, millions of instructions",
        "",
        "In 15 frames the detector looks at the whole picture once and at two pieces of it; that is spread over all.",
        "",
        *_face_table([row for row in single if row.kind == "face"]),
        "",
        "## Cold start: a new process until the first result, millions of instructions",
        "",
        "| kind | model | board | with | instructions | s on one core |",
        "|---|---|---|---|---|---|",
        *[
            f"| {row.kind} | {row.model} {row.precision} | {row.board} | {row.setup} | {_millions(row.start)} "
            f"| {_ms(row.start, row.board, 1000.0)} |"
            for row in single
        ],
        "",
        *_thread_table(rows),
        "",
        *_install_table(sizes),
        "",
    ]
    return "\n".join(lines)


def _voice_line(row: Row) -> str:
    parts = {name: count for name, count in row.parts.items() if not name.endswith("graph")}
    numbers = [row.total, row.graph, parts["front end"], parts["synthesis"], parts["rest"]]
    return (
        f"| {row.model} | {row.precision} | {row.board} | {' | '.join(_millions(n) for n in numbers)} "
        f"| {row.python_share:.1%} | {_ms(row.total, row.board)} |"
    )


def _face_table(rows: Sequence[Row]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row.parts))
    lines = [
        f"| model | board | with | total | {' | '.join(names)} | ms on one core |",
        f"|---|---|---|---|{'---|' * len(names)}---|",
    ]
    for row in rows:
        parts = " | ".join(_millions(row.parts.get(name, 0)) for name in names)
        model = f"{row.model} {row.precision}"
        lines.append(
            f"| {model} | {row.board} | {row.setup} | {_millions(row.total)} | {parts} | {_ms(row.total, row.board)} |"
        )
    return [*lines, "", f"Bar on a Pi 4 with OpenCV: {FACE_BAR / 1e6:g} M. {_face_verdict(rows)}"]


def _verdicts(rows: Sequence[Row]) -> str:
    mine = [row for row in rows if row.kind == "voice" and row.board == "pi4-bookworm"]
    return "; ".join(
        f"{row.model} {row.precision}: {_millions(row.total)} M {_kept(row.total <= VOICE_BAR)}, "
        f"{row.python_share:.1%} {_kept(row.python_share <= PYTHON_BAR)}"
        for row in mine
    )


def _face_verdict(rows: Sequence[Row]) -> str:
    mine = [row for row in rows if row.board == "pi4-bookworm" and row.setup == "OpenCV"]
    return "; ".join(f"{row.model}: {_millions(row.total)} M {_kept(row.total <= FACE_BAR)}" for row in mine)


def _kept(kept: bool) -> str:
    return "(kept)" if kept else "(MISSED)"


def _thread_table(rows: Sequence[Row]) -> list[str]:
    several = {(row.kind, row.model, row.board, row.setup) for row in rows if row.threads > 1}
    mine = [row for row in rows if (row.kind, row.model, row.board, row.setup) in several]
    if not mine:
        return []
    return [
        "## One, two and four threads of the interpreter",
        "",
        "Threads that wait spin, and spin longer where two cores emulate four: with several threads the counts are an",
        "upper bound of the work, and their difference from one thread is what sharing costs at most.",
        "",
        "| kind | model | board | threads | all threads | calling thread | its graph |",
        "|---|---|---|---|---|---|---|",
        *[
            f"| {row.kind} | {row.model} {row.precision} | {row.board} | {row.threads} | {_millions(row.total)} "
            f"| {_millions(row.main)} | {_millions(row.main - (row.total - row.graph))} |"
            for row in sorted(mine, key=lambda row: (row.kind, row.threads))
        ],
    ]


def _install_table(sizes: Sequence[Installed]) -> list[str]:
    lines = [
        f"## On the card, MB beyond Python (bar for voices: {INSTALL_BAR_MB:g})",
        "",
        "| lock and wheel | download | installed | largest |",
        "|---|---|---|---|",
    ]
    for size in sizes:
        mine = f"{size.download_mb:.1f} | {size.installed_mb:.1f} | {', '.join(size.largest)}"
        lines.append(f"| {size.name} | {mine} |")
    return lines


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f}" if count < 1e8 else f"{count / 1e6:.0f}"


def _ms(count: int, board: str, unit: float = 1.0) -> str:
    return f"{count / PI4_INSTRUCTIONS_PER_MS / unit:.1f}" if board in ("pi4-bookworm", "pi4-trixie") else "–"
