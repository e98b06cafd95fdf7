"""Speed, memory and start-up of exported voice models, as one table.

    .venv/bin/python benchmarks/voice.py out/demo-train/model -o benchmarks/results/voice

Every model runs in the device's environment (``--device``, default .venv-device) in a process of its own, the models in
turn and several times over, so that noise of the machine meets all of them. Start-up is compared with importing
TensorFlow in this environment, in the same run. Writes FILE.json and FILE.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_FIRST_OUTPUT = """
import sys, numpy
import edge_runtime
converter = edge_runtime.load(sys.argv[1])
out = converter.stream().process(numpy.zeros(320, numpy.float32))
assert out.shape == (320,)
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True)
class Row:
    """One model; medians over the repeats, times in milliseconds unless the name says otherwise."""

    model: str
    kilobytes: float
    backend: str
    chunk_p50_ms: float
    chunk_p99_ms: float
    stream_real_time_factor: float
    stream_python_share: float
    file_real_time_factor: float
    file_python_share: float
    start_s: float
    """A new process until the first converted chunk, the interpreter's own start included."""
    start_memory_mb: float
    peak_memory_mb: float


def bench(python: Path, model: Path, seconds: float) -> dict[str, Any]:
    """``changeling bench --json`` of a model."""
    command = [python, "-m", "edge_runtime", "bench", "--model", model, "--seconds", str(seconds), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def start(python: Path, model: Path) -> tuple[float, float]:
    """Seconds and peak memory (MB) from a new process to the first converted chunk."""
    began = time.perf_counter()
    done = subprocess.run([python, "-c", _FIRST_OUTPUT, model], check=True, capture_output=True, text=True)
    return time.perf_counter() - began, int(done.stdout.split()[-1]) / 1024.0


def import_tensorflow() -> float:
    """Seconds of a new process that only imports TensorFlow."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, capture_output=True)
    return time.perf_counter() - began


def measure(python: Path, models: list[Path], repeats: int, seconds: float) -> tuple[list[Row], float, dict[str, Any]]:
    """All models, interleaved; gives the rows, the seconds of importing TensorFlow, and the machine."""
    benches: dict[Path, list[dict[str, Any]]] = {model: [] for model in models}
    starts: dict[Path, list[tuple[float, float]]] = {model: [] for model in models}
    tensorflow = []
    for repeat in range(repeats):
        tensorflow.append(import_tensorflow())
        for model in models:
            print(f"repeat {repeat + 1} of {repeats}: {model.name}", file=sys.stderr)
            benches[model].append(bench(python, model, seconds))
            starts[model].append(start(python, model))
    rows = [_row(model, benches[model], starts[model]) for model in models]
    return rows, statistics.median(tensorflow), benches[models[0]][0]["machine"]


def _row(model: Path, benches: list[dict[str, Any]], starts: list[tuple[float, float]]) -> Row:
    def median(name: str) -> float:
        return statistics.median(float(result[name]) for result in benches)

    return Row(
        model=model.name,
        kilobytes=model.stat().st_size / 1000.0,
        backend=str(benches[0]["backend"]),
        chunk_p50_ms=median("chunk_p50_ms"),
        chunk_p99_ms=median("chunk_p99_ms"),
        stream_real_time_factor=median("stream_real_time_factor"),
        stream_python_share=1.0 - median("graph_share"),
        file_real_time_factor=median("convert_real_time_factor"),
        file_python_share=1.0 - median("convert_graph_share"),
        start_s=statistics.median(seconds for seconds, _ in starts),
        start_memory_mb=max(memory for _, memory in starts),
        peak_memory_mb=median("peak_memory_mb"),
    )


def table(rows: list[Row], tensorflow_s: float, machine: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "# Voice models on this machine",
        "",
        "Made by `benchmarks/voice.py`; one thread; live = chunks of 20 ms, file = whole recording.",
        "Shares are what NumPy takes of the pipeline's time; the rest is the graph.",
        "",
        "| model | kB | live p50 / p99 ms | live RTF (NumPy share) | file RTF (NumPy share) | start s | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.model} ({r.backend}) | {r.kilobytes:.0f} | {r.chunk_p50_ms:.2f} / {r.chunk_p99_ms:.2f} "
        f"| {r.stream_real_time_factor:.4f} ({r.stream_python_share:.0%}) "
        f"| {r.file_real_time_factor:.4f} ({r.file_python_share:.0%}) "
        f"| {r.start_s:.2f} | {max(r.start_memory_mb, r.peak_memory_mb):.0f} |"
        for r in rows
    ]
    fastest = min(row.start_s for row in rows)
    lines += [
        "",
        f"Importing TensorFlow in the same run: {tensorflow_s:.2f} s; the quickest start above is "
        f"{fastest / tensorflow_s:.3f} of that.",
        "",
        f"Machine: {json.dumps(machine)}",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure a folder of models."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", type=Path, help="folder of exported models")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/results/voice"))
    parser.add_argument("--device", type=Path, default=Path(".venv-device"), help="environment that runs the models")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    models = sorted(path for path in options.models.iterdir() if path.suffix == ".tflite")
    python = options.device / "bin" / "python"
    rows, tensorflow_s, machine = measure(python, models, options.repeats, options.seconds)
    text = table(rows, tensorflow_s, machine)
    record = {"rows": [asdict(row) for row in rows], "import_tensorflow_s": tensorflow_s, "machine": machine}
    options.output.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    options.output.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
