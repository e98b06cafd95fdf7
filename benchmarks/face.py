"""Milliseconds that each stage of the face path takes for one frame, one thread.

    .venv/bin/python benchmarks/face.py face.tflite photo.jpg --width 640 --height 480 -o benchmarks/results/face

The photo is cut or padded to the frame's size about its largest face. Stages: ``detect`` (one search of the whole
frame, paid every N-th frame), ``landmarks``, ``crop``, ``generator``, ``compose``, and ``frame``: the whole of
`FaceStream.process`, searches included at their rate. Times are processor time of this process, median and 95th
percentile, so that other work on the machine counts less. Writes FILE.json and FILE.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.cli.machine import describe, this_machine
from edge_runtime.face import remap
from edge_runtime.face.choice import choose
from edge_runtime.face.controls import wanted_delta
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.geometry import Similarity, align
from edge_runtime.face.measures import measure_face
from edge_runtime.media.image import read_photo

BAR_MS = 25.0
"""What a whole frame of 640 x 480 may take with OpenCV on one thread of an x86 processor."""


@dataclass(frozen=True)
class Stage:
    """One stage, milliseconds of processor time."""

    name: str
    median_ms: float
    p95_ms: float


def frame_about_face(converter: FaceConverter, photo: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The photo moved so that its largest face is in the middle of a frame, at a third of its height."""
    (face,) = choose(converter.find_faces(photo), "largest")
    left, top, right, bottom = face.box.tolist()
    scale = (bottom - top) / (height / 3.0)
    x, y = (left + right) / 2.0 - scale * width / 2.0, (top + bottom) / 2.0 - scale * height / 2.0
    return remap.sample(photo, Similarity(scale, 0.0, x, y), (height, width))


def timed(name: str, call: Callable[[], object], repeats: int) -> Stage:
    """Run ``call`` some times for warmth and ``repeats`` times for the figures."""
    for _ in range(3):
        call()
    times_ms = []
    for _ in range(repeats):
        began = time.process_time_ns()
        call()
        times_ms.append((time.process_time_ns() - began) / 1e6)
    median, p95 = np.percentile(times_ms, [50, 95]).tolist()
    return Stage(name, round(median, 2), round(p95, 2))


def measure(converter: FaceConverter, frame: NDArray[np.uint8], repeats: int) -> list[Stage]:
    """All stages for one frame with one face."""
    controls = converter.controls(expression="happy:0.8")
    (face,) = choose(converter.find_faces(frame), "largest")
    to_crop = align(face.five, converter.manifest.crop)
    crop = converter.composer.crop(frame, to_crop)
    delta = wanted_delta(dataclasses.replace(controls, capped=False), measure_face(face), converter.manifest)
    edit = converter.generator.run(crop, delta)
    stream = converter.stream(dataclasses.replace(controls, capped=False))
    clock = iter(range(10**9))
    return [
        timed("detect", lambda: converter.finder.detector.find(frame), repeats),
        timed("landmarks", lambda: converter.finder.landmarker.follow(frame, face), repeats),
        timed("crop", lambda: converter.composer.crop(frame, to_crop), repeats),
        timed("generator", lambda: converter.generator.run(crop, delta), repeats),
        timed("compose", lambda: converter.composer.paste(frame.copy(), edit, to_crop), repeats),
        timed("frame", lambda: stream.process(frame, next(clock) / 30.0), repeats),
    ]


def main() -> None:
    """Measure with OpenCV and without, and write the table."""
    parser = argparse.ArgumentParser(description="Milliseconds of each stage of the face path.")
    parser.add_argument("model", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    converter = edge_runtime.load(options.model, kind="face")
    frame = frame_about_face(converter, read_photo(options.photo).pixels, options.width, options.height)
    results: dict[str, list[Stage]] = {}
    library = remap.opencv()
    if library is not None:
        library.setNumThreads(1)
        results[f"OpenCV {library.__version__}"] = measure(converter, frame, options.repeats)
    remap.opencv = lambda: None  # type: ignore[assignment]
    results["NumPy alone"] = measure(converter, frame, options.repeats)
    machine = this_machine()
    lines = [
        f"One frame of {options.width} x {options.height} with one face, {converter.manifest.name} "
        f"({converter.manifest.precision}) on {converter.backend_name}; milliseconds of processor time, one thread.",
        describe(machine),
        "",
        "| stage | " + " | ".join(f"{name}: median | 95 %" for name in results) + " |",
        "|---|" + "---|---|" * len(results),
    ]
    for rows in zip(*results.values(), strict=True):
        lines.append(f"| {rows[0].name} | " + " | ".join(f"{row.median_ms} | {row.p95_ms}" for row in rows) + " |")
    print("\n".join(lines))
    if options.output is not None:
        figures = {name: [dataclasses.asdict(stage) for stage in stages] for name, stages in results.items()}
        text = json.dumps({"machine": dataclasses.asdict(machine), "stages": figures}, indent=2)
        options.output.with_suffix(".json").write_text(text + "\n")
        options.output.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
