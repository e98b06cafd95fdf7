"""Instructions that voices and faces take on emulated Raspberry Pis, and the check that they take no more than before.

    make board-budget                          all tables, into benchmarks/results/board.json and board.md; what was
                                               counted is remembered, so that it can be stopped and goes on
    make board-budget BOARD_ARGS=--check       the shipped models only, held to those tables: 3 % more is a failure
    make board-budget BOARD_ARGS="--models D"  further models of `changeling export`, such as other precisions

Emulated time says nothing about a board's, but the instructions are those a board would execute, to a few parts in ten
thousand, on any x86 machine and under any load. `benchmarks/board_guest.py` runs on the emulated board,
`benchmarks/board_count.c` counts (needs gcc).
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import edge_runtime
from benchmarks.board_guest import BETWEEN, REPEATS, START
from benchmarks.board_results import Installed, Row, load, regressions, save, tables
from benchmarks.face import frame_about_face
from edge_runtime.default_model import open_model_or_default
from edge_runtime.errors import ChangelingError, WorkstationError
from edge_runtime.media.audio import read_audio
from edge_runtime.media.image import read_photo
from edge_runtime.model_file import open_model
from tests.device.boards import BOARDS
from tests.device.emulator import EmulatedBoard, prepare
from tests.device.no_board import NoBoardError
from tests.device.wheels import download, get_packages, pins_for
from train.progress import Progress
from train.records import load_json, save_json

HERE = Path(__file__).parent
ASSETS = HERE.parent / "tests" / "assets"
RESULTS = HERE / "results" / "board"
SHIPPED = "shipped"
_SPEECH_FROM_S = 1.0
_BY_NAME = {board.name: board for board in BOARDS}
_SKIPPED = 0


@dataclasses.dataclass(frozen=True)
class Case:
    """One run."""

    kind: str
    board: str
    model: Path | None = None
    """None for the one that comes with changeling."""
    threads: int = 1
    opencv: bool = True

    @property
    def setup(self) -> str:
        """What pictures are sampled with."""
        return "" if self.kind == "voice" else "OpenCV" if self.opencv else "NumPy alone"


def checked_cases() -> list[Case]:
    """What a check measures: two minutes."""
    return [Case("voice", "pi4-bookworm"), Case("voice", "pi5-bookworm"), Case("face", "pi4-bookworm")]


def all_cases(models: Sequence[Path]) -> list[Case]:
    """What the tables show, the budgets first."""
    cases = checked_cases()
    for board in ("pi4-bookworm", "pi5-bookworm"):
        cases += [Case(open_model(model).manifest.kind, board, model) for model in models]
    cases += [Case("face", "pi4-bookworm", opencv=False), Case("face", "pi5-bookworm")]
    cases += [Case("voice", board) for board in ("pi4-trixie", "pi4-bookworm-32")]
    cases += [Case(kind, "pi4-bookworm", threads=n) for kind in ("voice", "face") for n in (2, 4)]
    return [*cases, Case("face", "pi5-bookworm", opencv=False)]


class Counter:
    """Measures cases on boards that are made when they are first needed."""

    def __init__(self, cache: Path, wheel: Path, scratch: Path) -> None:
        self._cache, self._wheel, self._scratch = cache, wheel, scratch
        self._boards: dict[str, EmulatedBoard] = {}
        self._plugin: Path | None = None
        rate_hz = edge_runtime.load(kind="voice").sample_rate_hz
        speech = read_audio(ASSETS / "real_male.wav", max_seconds=60.0).samples
        np.save(scratch / "voice.npy", speech[round(_SPEECH_FROM_S * rate_hz) :].astype(np.float32).ravel())
        photo = read_photo(ASSETS / "astronaut.jpg").pixels
        np.save(scratch / "face.npy", frame_about_face(edge_runtime.load(kind="face"), photo, 640, 480)[None])

    def measure(self, case: Case) -> Row:
        """The counts of one case: remembered where all that they depend on is the same. Raises `WorkstationError`."""
        remembered = self._cache / "counts" / f"{self._digest(case)}.json"
        if not remembered.is_file():
            save_json(remembered, self._count(case))
        row: Row = load_json(remembered, Row)
        return row

    def _digest(self, case: Case) -> str:
        files = [HERE / "board_guest.py", HERE / "board_count.c", *([case.model] if case.model else [])]
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
        with zipfile.ZipFile(self._wheel) as wheel:  # its code and models, and not its description
            members = [(entry.filename, entry.CRC) for entry in wheel.infolist()]
        digest.update(repr([entry for entry in members if entry[0].startswith("edge_runtime/")]).encode())
        board = _BY_NAME[case.board]
        digest.update(repr((dataclasses.replace(case, model=None), board, pins_for(board))).encode())
        return digest.hexdigest()

    def _count(self, case: Case) -> Row:
        if case.board not in self._boards:
            self._boards[case.board] = prepare(_BY_NAME[case.board], self._cache, self._wheel)
        emulated = self._boards[case.board]
        self._plugin = self._plugin or build_plugin(emulated, self._scratch)
        counts, names = self._scratch / "counts.txt", self._scratch / "names.json"
        source, model = self._scratch / f"{case.kind}.npy", str(case.model or "-")
        arguments: list[str | Path] = [HERE / "board_guest.py", case.kind, names, str(case.threads), model, source]
        without = () if case.opencv else ("cv2",)
        plugin = f"{self._plugin},out={counts}"
        done = emulated.python(*arguments, folder=self._scratch, plugin=plugin, without=without)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise WorkstationError(f"{case.kind} fails on {case.board} ({said}); run: make test-board")
        return _row(case, counts.read_text(), json.loads(names.read_text()))


def _row(case: Case, counts: str, names: list[str]) -> Row:
    own, everyone = {}, {}
    for line in counts.splitlines():
        section, _, mine, total = (int(word) for word in line.split())
        own[names[section]], everyone[names[section]] = mine, total
    repeats = REPEATS[case.kind]
    parts = {name: round(n / repeats) for name, n in everyone.items() if name not in (START, BETWEEN)}
    return Row(
        kind=case.kind,
        model=case.model.stem.partition(".")[0] if case.model else SHIPPED,
        precision=open_model_or_default(case.model, case.kind).manifest.precision,
        board=case.board,
        setup=case.setup,
        threads=case.threads,
        total=sum(parts.values()),
        graph=sum(n for name, n in parts.items() if name.endswith("graph")),
        parts=parts,
        main=round(sum(n for name, n in own.items() if name not in (START, BETWEEN)) / repeats),
        start=everyone[START],
    )


def build_plugin(emulated: EmulatedBoard, folder: Path) -> Path:
    """Compile the counting plugin for the emulator at hand. Raises `NoBoardError`."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise NoBoardError("counting instructions needs gcc; install it (on Debian: apt install gcc libc6-dev)")
    version = emulated.qemu_version()
    if not version.startswith("7."):
        raise NoBoardError(f"counting instructions needs QEMU 7, as in Debian Bookworm, and here is {version}")
    plugin = folder / "count.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(plugin), str(HERE / "board_count.c")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NoBoardError(f"the counting plugin does not compile: {done.stderr.strip().splitlines()[-1]}")
    return plugin


def installed(cache: Path, wheel: Path, scratch: Path) -> list[Installed]:
    """What the locks for voices and for voices and faces take on a card."""
    sizes = []
    for board, lock, name in (
        ("pi4-bookworm", "device.txt", "64 bits, voices"),
        ("pi4-bookworm", "device-face.txt", "64 bits, voices and faces"),
        ("pi4-bookworm-32", "device-tflite.txt", "32 bits, voices; NumPy is Debian's"),
    ):
        chosen = dataclasses.replace(_BY_NAME[board], lock=lock)
        folder = scratch / f"{board}-{lock}"
        fetched = [*download(cache, chosen, folder), wheel]
        packages = get_packages(cache, chosen)
        unpacked = {entry.name: _size(entry) for entry in packages.iterdir()}
        own = wheel.stat().st_size  # its models do not compress
        largest = sorted(unpacked, key=lambda entry: -unpacked[entry])[:3]
        sizes.append(
            Installed(
                name=name,
                download_mb=round(sum(file.stat().st_size for file in fetched) / 1e6, 1),
                installed_mb=round((sum(unpacked.values()) + own) / 1e6, 1),
                largest=tuple(f"{entry} {unpacked[entry] / 1e6:.0f}" for entry in largest),
            )
        )
    return sizes


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())


def main(argv: Sequence[str]) -> int:
    """Measure, and write the tables or check against them; 1 when something grew."""
    parser = argparse.ArgumentParser(description="Instructions on emulated Raspberry Pis.")
    parser.add_argument("--cache", type=Path, required=True, help="where emulated boards are kept")
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--models", type=Path, help="folder with further .tflite of voices and faces")
    parser.add_argument("--check", action="store_true", help="compare with the written tables")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    models = sorted(options.models.glob("*.tflite")) if options.models else []
    wheel = options.wheel.resolve()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        try:
            cases = checked_cases() if options.check else all_cases(models)
            budgets = load(options.output) if options.check else []
            counter = Counter(options.cache, wheel, scratch)
            rows = []
            with Progress(len(cases), "count") as progress:
                for number, case in enumerate(cases, 1):
                    rows.append(counter.measure(case))
                    progress.update(number, f"{case.kind} on {case.board}: {rows[-1].total / 1e6:.2f} M")
            if options.check:
                return _report(regressions(budgets, rows))
            sizes = installed(options.cache, wheel, scratch)
        except NoBoardError as reason:
            print(f"skipped: {reason}", file=sys.stderr)
            return _SKIPPED
        except ChangelingError as error:
            print(f"changeling: {error}", file=sys.stderr)
            return error.exit_code
    save(options.output, rows, sizes)
    print(tables(rows, sizes))
    return 0


def _report(lines: Sequence[str]) -> int:
    print("\n".join(lines) if lines else "nothing takes more instructions than its budget")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
