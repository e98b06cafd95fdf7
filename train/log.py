"""What a run says of itself in numbers: ``log.csv``, and the curves drawn from it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path


class Log:
    """A CSV with one row per report; a resumed run goes on below the rows of its checkpoint."""

    def __init__(self, path: Path, resume_step: int, fields: Sequence[str]) -> None:
        self._path = path
        self._fields = tuple(fields)
        self.rows = [row for row in read_log(path) if row["step"] <= resume_step] if resume_step else []
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._fields, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)

    def add(self, row: dict[str, float]) -> None:
        """Append one report."""
        self.rows.append(row)
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, self._fields, extrasaction="ignore").writerow(row)


def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a log; empty when there is none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{k: float(v) for k, v in row.items() if k and v} for row in csv.DictReader(file)]


def draw_curves(rows: list[dict[str, float]], path: Path, names: Sequence[str]) -> None:
    """The columns ``names`` and the learning rate over steps, as a PNG; what is held out gets dots."""
    if len(rows) < 2:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in names:
        points = [(row["step"], row[name]) for row in rows if row.get(name)]
        if points:
            left.plot(*zip(*points, strict=True), label=name, marker="." if name.startswith("heldout") else None)
    left.set(xlabel="step", ylabel="loss", yscale="log", title="losses")
    left.legend()
    reports = [row for row in rows if "rate" in row]
    right.plot([row["step"] for row in reports], [row["rate"] for row in reports])
    right.set(xlabel="step", title="learning rate")
    temporary = path.with_name("new-" + path.name)
    figure.savefig(temporary, dpi=100)
    plt.close(figure)
    temporary.replace(path)
