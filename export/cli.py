"""``changeling export RUN -o DIR``: a trained voice to finished model files and a report."""

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
from export.exporter import Options, export_run
from export.recipes import COMPATS, FORMATS, PRECISIONS, Recipe, select
from export.report import text_table
from export.report_html import render
from export.subject import Subject
from export.worker import start_server
from train.voice.run import load_run

_NEEDED = ("tensorflow", "keras", "ai_edge_litert", "onnx", "onnxruntime", "tf2onnx")


def main(argv: Sequence[str]) -> int:
    """Run ``changeling export`` with the arguments after that word and give the exit code.

    0: every file passed; 7: a file was refused (the others are there, the report says why). Raises `ChangelingError`.
    """
    arguments = _parser().parse_args(list(argv))
    recipes = select(_names(arguments.precision), _names(arguments.format))
    if arguments.timeout <= 0.0:
        raise InputError("--timeout must be more than 0 seconds")
    if arguments.calibration is not None and not Path(arguments.calibration).is_dir():
        raise InputError(f"{arguments.calibration} is not a folder; name one with recordings to calibrate on")
    _check_environment()
    voice = load_run(Path(arguments.run))
    start_server()  # imports TensorFlow for the conversions while this process imports it for Keras
    return _export(voice, recipes, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser("changeling export", "Turn a trained voice into self-describing model files, and prove them.")
    parser.add_argument("run", metavar="RUN", help="the folder that `changeling train voice` made")
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="folder for the files and the report")
    parser.add_argument(
        "--precision", default=",".join(PRECISIONS), metavar="LIST", help=f"any of {', '.join(PRECISIONS)} (all)"
    )
    parser.add_argument("--format", default=",".join(FORMATS), metavar="LIST", help="any of tflite, onnx (both)")
    parser.add_argument("--compat", choices=COMPATS, help="make files that old interpreters (32-bit boards) can load")
    parser.add_argument("--calibration", metavar="DIR", help="recordings for int8 ranges (the run's held-out ones)")
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


def _export(voice: Subject, recipes: tuple[Recipe, ...], arguments: argparse.Namespace) -> int:
    output = Path(arguments.out)
    options = Options(
        output=output,
        recipes=recipes,
        compat=arguments.compat,
        calibration=Path(arguments.calibration) if arguments.calibration else None,
        timeout_s=arguments.timeout,
    )
    result = export_run(voice, options, _say)
    page = render(result.report, result.sounds, voice.front_end.sample_rate_hz)
    write_atomic(output / "report.json", [result.report.to_json().encode()])
    write_atomic(output / "report.html", [page.encode()])
    print(text_table(result.report))
    made = sum(file.passed for file in result.report.files)
    print(f"{made} of {len(result.report.files)} files and report.html are in {output} ({result.report.seconds:.0f} s)")
    return 0 if result.report.passed else WorkstationError.exit_code


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
