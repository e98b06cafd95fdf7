"""What a run shows of itself: a log, curves, and samples one can hear and look at."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from edge_runtime.media.audio import write_wav
from edge_runtime.voice.framing import FloatArray
from train.voice.picture import draw
from train.voice.run import Run

SAMPLE_COMMENT = "training sample"


class Log:
    """``log.csv``: one row per report; a resumed run goes on below the rows of its checkpoint."""

    FIELDS = ("step", "seconds", "rate", "loss", "log_mel", "log_magnitude", "convergence", "phones", "heldout_loss")

    def __init__(self, path: Path, resume_step: int) -> None:
        self._path = path
        self.rows = [row for row in read_log(path) if row["step"] <= resume_step] if resume_step else []
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.FIELDS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)

    def add(self, row: dict[str, float]) -> None:
        """Append one report."""
        self.rows.append(row)
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, self.FIELDS, extrasaction="ignore").writerow(row)


def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a log; empty when there is none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{k: float(v) for k, v in row.items() if k and v} for row in csv.DictReader(file)]


def draw_curves(rows: list[dict[str, float]], path: Path) -> None:
    """Losses and learning rate over steps, as ``curves.png``."""
    if len(rows) < 2:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in ("loss", "heldout_loss", "log_mel", "log_magnitude", "convergence", "phones"):
        points = [(row["step"], row[name]) for row in rows if row.get(name)]
        if points:
            left.plot(*zip(*points, strict=True), label=name, marker="." if name == "heldout_loss" else None)
    left.set(xlabel="step", ylabel="loss", yscale="log", title="losses")
    left.legend()
    reports = [row for row in rows if "rate" in row]
    right.plot([row["step"] for row in reports], [row["rate"] for row in reports])
    right.set(xlabel="step", title="learning rate")
    temporary = path.with_name("new-" + path.name)
    figure.savefig(temporary, dpi=100)
    plt.close(figure)
    temporary.replace(path)


def write_sample(run: Run, step: int, name: str, source: FloatArray, converted: FloatArray, rate_hz: int) -> None:
    """Sound and picture of one held-out clip as the voice says it now."""
    run.samples.mkdir(parents=True, exist_ok=True)
    spoken = run.samples / f"{name}-source.wav"
    write_wav(spoken, source, rate_hz, comment=SAMPLE_COMMENT)
    said = run.samples / f"{step:06d}-{name}.wav"
    write_wav(said, np.clip(converted, -1.0, 1.0), rate_hz, comment=SAMPLE_COMMENT)
    draw([spoken, said], said.with_suffix(".png"))
