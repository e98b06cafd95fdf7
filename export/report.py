"""What an export found out, as data: ``report.json`` is these dataclasses and nothing else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from export.parity import OutputParity


@dataclass(frozen=True)
class FileReport:
    """One file that was asked for, whether it was written or not."""

    file_name: str
    precision: str
    graph_format: str
    size_bytes: int
    """Of the finished file; 0 when it was not written."""
    graph_bytes: int
    sha256: str
    """Of the finished file."""
    ops: dict[str, int]
    xnnpack: bool | None
    """Whether the interpreter said that XNNPACK is active; None for ONNX."""
    partitions: int | None
    """Pieces of the graph that XNNPACK runs."""
    left_over: dict[str, int]
    """Operators that XNNPACK leaves to slower kernels."""
    floors_db: dict[str, float]
    """Lowest allowed SNR by output."""
    floor_reasons: dict[str, str]
    """Why an output has a lower floor than the recipe's own."""
    max_abs_bound: float | None
    outputs: tuple[OutputParity, ...]
    scores: dict[str, float]
    """Of the whole path, by name."""
    call_us: float | None
    """Time of one call on this machine, one thread: a quarter of the measured rounds was faster."""
    ratio_to_fp32: float | None
    """call_us over that of fp32.tflite, measured in turn with it in the same process."""
    convert_seconds: float
    failures: tuple[str, ...]
    """Why the file was refused; empty when it was written."""

    @property
    def label(self) -> str:
        """``precision.format``."""
        return f"{self.precision}.{self.graph_format}"

    @property
    def passed(self) -> bool:
        """True when the file was written."""
        return not self.failures

    def signals(self) -> tuple[OutputParity, ...]:
        """The outputs that are heard, without the states."""
        return tuple(output for output in self.outputs if not output.is_state)


@dataclass(frozen=True)
class ExportReport:
    """One export."""

    name: str
    kind: str
    """voice or face."""
    created: str
    generator: str
    parameters: int
    effort: str
    """What a call costs, in a sentence."""
    figures: dict[str, float]
    """The same as numbers."""
    compat: str | None
    machine: str
    versions: dict[str, str]
    calibrated_on: tuple[str, ...]
    """Names of the inputs."""
    tested_on: tuple[str, ...]
    test_amount: str
    """How much that is, in words."""
    files: tuple[FileReport, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """True when every file was written."""
        return all(file.passed for file in self.files)

    def to_json(self) -> str:
        """The whole report, indented, ending in a newline."""
        return json.dumps(dataclasses.asdict(self) | {"passed": self.passed}, indent=1, allow_nan=False) + "\n"


def text_table(report: ExportReport) -> str:
    """The report in a few lines for a terminal."""
    rows = [["file", "size", "SNR dB (worst output)", "max error", "pieces", "µs/call", ""]]
    rows += [_row(file) for file in report.files]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for file in report.files:
        lines += [f"{file.file_name}: {failure}" for failure in file.failures]
    return "\n".join(lines)


def _row(file: FileReport) -> list[str]:
    signals = file.signals()
    worst = min(signals, key=lambda output: output.streaming.snr_db) if signals else None
    return [
        file.file_name,
        f"{file.size_bytes / 1e6:.2f} MB" if file.passed else "-",
        f"{worst.streaming.snr_db:.1f} ({worst.name})" if worst else "-",
        f"{max(output.streaming.max_abs for output in signals):.1e}" if signals else "-",
        "-" if file.partitions is None else str(file.partitions),
        "-" if file.call_us is None else f"{file.call_us:.0f}",
        "ok" if file.passed else "REFUSED",
    ]


def scores(outputs: Sequence[OutputParity]) -> dict[str, float]:
    """The SNR per heard output, for the manifest."""
    return {f"snr_{o.name}_db": o.streaming.snr_db for o in outputs if not o.is_state}
