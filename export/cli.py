"""``changeling export RUN -o DIR``: a trained voice or face model to finished model files and a report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import InputError, MissingDependencyError, WorkstationError
from edge_runtime.files import write_atomic
from edge_runtime.manifests import FACE, SWAP, VOICE
from export.exporter import Options, export_run
from export.recipes import COMPATS, FACE_RECIPES, FORMATS, PRECISIONS, RECIPES, SWAP_RECIPES, Recipe, select
from export.report import text_table
from export.report_html import render
from export.trial import Trial
from export.voice_trial import VoiceTrial
from export.worker import start_server
from train.face.run import LINEAR, NETWORK, is_face_run
from train.face.swap.run import is_swap_run
from train.voice.run import load_run

TIERS = (NETWORK, LINEAR)
_RECIPES = {VOICE: RECIPES, FACE: FACE_RECIPES, SWAP: SWAP_RECIPES}
_NEEDED = ("tensorflow", "keras", "ai_edge_litert", "onnx", "onnxruntime", "tf2onnx")


def main(argv: Sequence[str]) -> int:
    """Run ``changeling export`` with the arguments after that word and give the exit code.

    0: every file passed; 7: a file was refused (the others are there, the report says why). Raises `ChangelingError`.
    """
    arguments = _parser().parse_args(list(argv))
    kind = _kind(Path(arguments.run))
    recipes = select(_names(arguments.precision), _names(arguments.format), _RECIPES[kind])
    if arguments.timeout <= 0.0:
        raise InputError("--timeout must be more than 0 seconds")
    if arguments.calibration is not None and not Path(arguments.calibration).is_dir():
        raise InputError(f"{arguments.calibration} is not a folder; name one with recordings or photos")
    _check_environment()
    trial = _load(Path(arguments.run), kind, arguments)
    start_server()  # imports TensorFlow for the conversions while this process imports it for Keras
    return _export(trial, recipes, arguments)


def _kind(path: Path) -> str:
    """What was trained in a run's folder."""
    if is_swap_run(path):
        return SWAP
    return FACE if is_face_run(path) else VOICE


def _load(path: Path, kind: str, arguments: argparse.Namespace) -> Trial:
    if kind != SWAP and arguments.identity is not None:
        raise InputError("--identity is for the base of swaps; leave it out")
    if kind == VOICE:
        return VoiceTrial(load_run(path))
    if kind == SWAP:
        from export.swap_trial import SwapTrial
        from train.face.swap.run import load_run as load_swap_run

        swap = load_swap_run(path)
        return SwapTrial(swap, swap.row_of(arguments.identity))
    from export.face_trial import FaceTrial
    from train.face.run import load_run as load_face_run

    return FaceTrial(load_face_run(path), arguments.tier)


def _parser() -> argparse.ArgumentParser:
    parser = Parser("changeling export", "Turn a trained model into self-describing model files, and prove them.")
    parser.add_argument("run", metavar="RUN", help="the folder that `changeling train voice` or `face` made")
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="folder for the files and the report")
    parser.add_argument(
        "--precision", default=",".join(PRECISIONS), metavar="LIST", help=f"any of {', '.join(PRECISIONS)} (all)"
    )
    parser.add_argument("--format", default=",".join(FORMATS), metavar="LIST", help="any of tflite, onnx (both)")
    parser.add_argument("--compat", choices=COMPATS, help="make files that old interpreters (32-bit boards) can load")
    parser.add_argument("--calibration", metavar="DIR", help="recordings or photos for int8 ranges (held-out ones)")
    parser.add_argument(
        "--tier", choices=TIERS, default=TIERS[0], help="of a face model: the network, or its linear flow basis alone"
    )
    parser.add_argument("--identity", metavar="NAME", help="of a base of swaps: which rendered identity (the first)")
    parser.add_argument(
        "--timeout", type=number, default=300.0, metavar="SECONDS", help="longest time of one conversion (300)"
    )
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _check_environment() -> None:
    """Conversion starts from a TensorFlow graph, so Keras must run on TensorFlow.

    Raises `MissingDependencyError` or `WorkstationError`.
    """
    if missing := [name for name in _NEEDED if util.find_spec(name) is None]:
        raise MissingDependencyError(
            f"export needs {', '.join(missing)}; run `make setup`, or in this checkout: "
            'pip install -e ".[train,export]"'
        )
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise WorkstationError(
            f"export runs on Keras' TensorFlow backend and KERAS_BACKEND is {backend!r}; "
            "run it with KERAS_BACKEND=tensorflow (a model trained on any backend can be exported)"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Reordered sums are announced on every start, and make Keras' answers depend on the processor.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def _export(trial: Trial, recipes: tuple[Recipe, ...], arguments: argparse.Namespace) -> int:
    output = Path(arguments.out)
    options = Options(
        output=output,
        recipes=recipes,
        compat=arguments.compat,
        calibration=Path(arguments.calibration) if arguments.calibration else None,
        timeout_s=arguments.timeout,
    )
    result = export_run(trial, options, _say)
    page = render(result.report, trial.section(result.exhibits))
    write_atomic(output / "report.json", [result.report.to_json().encode()])
    write_atomic(output / "report.html", [page.encode()])
    print(text_table(result.report))
    made = sum(file.passed for file in result.report.files)
    print(f"{made} of {len(result.report.files)} files and report.html are in {output} ({result.report.seconds:.0f} s)")
    return 0 if result.report.passed else WorkstationError.exit_code


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
