"""Runs on the emulated board: the live path of voices or faces, with marks that the counting plugin sees.

    python board_guest.py voice|face SECTIONS-FILE THREADS MODEL|- INPUT.npy [PART...]

Instructions between two marks belong to the section that was entered last. Sections nest; what a part of the pipeline
spends in the interpreter counts as that part's graph. PART names further functions, ``module:function``, that get a
section of their own, to see where it goes; their marks cost instructions too, so that no budget is measured with them.
Writes the names of the sections, in the order of their numbers.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_MAGIC, _MASK = 0x5157 << 16, 0o022
START, BETWEEN, REST = "start", "between", "rest"
"""Up to the first result; what is not counted; the pipeline outside its named parts."""

PARTS = {
    "voice": {
        "front end": "edge_runtime.voice.front_end:FrontEnd.push",
        "synthesis": "edge_runtime.voice.synthesis:Synthesiser.process",
    },
    "face": {
        "detector": "edge_runtime.face.detect:Detector.find",
        "landmarks": "edge_runtime.face.landmarks:Landmarker._look",
        "crop": "edge_runtime.face.compose:Composer.crop",
        "generator": "edge_runtime.face.generator:GraphGenerator.run",
        "filter": "edge_runtime.face.smoothing:EditFilter.__call__",
        "compose": "edge_runtime.face.compose:Composer.paste",
    },
}
WARM_UP, REPEATS = {"voice": 50, "face": 2}, {"voice": 100, "face": 15}
"""Chunks or frames; in 15 frames the search for new faces has looked at the whole once and at two pieces."""


class Sections:
    """Which section runs, by name; a change marks the end of the one before."""

    def __init__(self) -> None:
        self.names = [BETWEEN]
        self.current = START

    def enter(self, name: str) -> str:
        """End the current section and begin another; gives the one that ended."""
        before, self.current = self.current, name
        if before not in self.names:
            self.names.append(before)
        os.umask(_MAGIC | self.names.index(before) << 9 | _MASK)
        return before

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """A section within another."""
        before = self.enter(name)
        try:
            yield
        finally:
            self.enter(before)

    def watch(self, where: str, name_of: Callable[[str], str]) -> None:
        """Give the function at ``module:function`` a section, named from the one it is called in."""
        module, _, attributes = where.partition(":")
        *owners, last = attributes.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        function = getattr(owner, last)

        @functools.wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            before = self.enter(name_of(self.current))
            try:
                return function(*arguments, **named)
            finally:
                self.enter(before)

        setattr(owner, last, counted)


def main(kind: str, names_file: Path, threads: int, model: str, source: Path, parts: list[str]) -> None:
    """Run one model over the input."""
    sections = Sections()
    import numpy as np

    import edge_runtime

    values = np.load(source)
    path = None if model == "-" else model
    if kind == "voice":
        step = _voice_step(edge_runtime.load(path, kind="voice", threads=threads), values)
    else:
        step = _face_step(edge_runtime.load(path, kind="face", threads=threads), values)
    step(0)
    sections.enter(BETWEEN)
    for number in range(1, 1 + WARM_UP[kind]):
        step(number)
    sections.watch("edge_runtime.backends.litert:LiteRtBackend.run", "{} graph".format)
    for name, where in PARTS[kind].items():
        sections.watch(where, functools.partial(_named, name))
    for where in parts:
        sections.watch(where, functools.partial(_named, where.partition(":")[2]))
    for number in range(1 + WARM_UP[kind], 1 + WARM_UP[kind] + REPEATS[kind]):
        with sections.inside(REST):
            step(number)
    names_file.write_text(json.dumps(sections.names))


def _named(name: str, outer: str) -> str:
    """A part keeps its name wherever it is called."""
    return name


def _voice_step(converter: Any, speech: Any) -> Callable[[int], object]:
    stream = converter.stream()
    size = stream.chunk_samples
    return lambda number: stream.process(speech[number * size : (number + 1) * size])


def _face_step(converter: Any, frames: Any) -> Callable[[int], object]:
    stream = converter.stream(converter.controls(expression="happy:0.8", capped=False))
    return lambda number: stream.process(frames[number % len(frames)], number / 30.0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]), sys.argv[6:])
