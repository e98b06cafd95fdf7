"""``changeling train voice STEP ...`` and ``changeling train face STEP ...``: what is trained, and which step runs.

Each step is the module of that name in `train.voice` or `train.face`, with ``main(argv)``.

Without a step, ``changeling train voice --target DIR -o RUN`` collects the recordings of DIR and fits a voice to them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import InputError
from train.face.swap.cli import STEPS as SWAP_STEPS

STEPS: dict[str, str] = {
    "collect": "recordings, or a synthetic corpus, into a data set of clean clips",
    "join": "several data sets into one, for a model that learns from all",
    "preprocess": "compute and cache the features of a data set (fit does it when needed)",
    "fit": "train a model on a data set; goes on where it was stopped",
    "predict": "convert a recording with the Keras model of a run",
    "picture": "draw the spectrograms of recordings above each other",
}

FACE_STEPS: dict[str, str] = {
    "collect": "rendered pairs of faces with exact flow, or one's own photos, into a data set",
    "preprocess": "align the faces of a data set as the device will (fit does it when needed)",
    "fit": "train an expression model on rendered pairs; goes on where it was stopped",
    "refine": "train one head of a run alone: what it invents of the eyes or of the mouth",
    "blend": "a run between two, such as one and what refine made of it",
    "harden": "go on training a run with real photos, on which it teaches itself",
    "predict": "change a photo with the Keras model of a run",
}


def main(argv: Sequence[str]) -> int:
    """Run ``changeling train`` with the arguments after that word and give the exit code.

    Raises `ChangelingError`, which `edge_runtime.cli.main` turns into one line.
    """
    arguments = list(argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help_text())
        return 0
    if arguments[0] == "voice":
        return _voice(arguments[1:])
    if arguments[0] == "face":
        return _face(arguments[1:])
    raise InputError(f"there is nothing to train called {arguments[0]!r}; there are: voice, face")


def _voice(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help_text())
        return 0
    if arguments[0].startswith("-"):
        return _all_at_once(arguments)
    if arguments[0] not in STEPS:
        raise InputError(f"there is no step {arguments[0]!r}; there are: {', '.join(STEPS)}")
    return _step(arguments[0], arguments[1:])


def _face(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help_text())
        return 0
    if arguments[0] == "swap":
        return _step("swap.cli", arguments[1:], room="face")
    if arguments[0] not in FACE_STEPS:
        raise InputError(f"there is no step {arguments[0]!r}; there are: {', '.join(FACE_STEPS)}")
    return _step(arguments[0], arguments[1:], room="face")


def _step(name: str, arguments: list[str], *, room: str = "voice") -> int:
    # TensorFlow tells about its build and the processor on every start; errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return int(importlib.import_module(f"train.{room}.{name}").main(arguments))


def _all_at_once(arguments: list[str]) -> int:
    # All options are checked here: a slip in one of fit must not show after an hour of collecting.
    from train.consent import FLAG

    options = _all_at_once_parser().parse_args(arguments)
    data = str(Path(options.output) / "data")
    speaker = ["--speaker", options.speaker] if options.speaker else []
    code = _step("collect", [options.target, "-o", data, *speaker])
    if code:
        return code
    given = [("--preset", options.preset), ("--latency", options.latency), ("--minutes", options.minutes)]
    given += [("--steps", options.steps), ("--name", options.speaker), ("--base", options.base)]
    given += [(FLAG, options.consent), ("--consent-until", options.consent_until)]
    fit_options = [text for flag, value in given if value is not None for text in (flag, str(value))]
    return _step("fit", ["--data", data, "-o", options.output, *fit_options])


def _all_at_once_parser() -> Parser:
    from train.consent import FLAG
    from train.voice.presets import LATENCIES, PRESETS

    parser = Parser("changeling train voice", "Collect recordings of one speaker and fit a voice to them.")
    parser.add_argument("--target", required=True, metavar="DIR", help="recordings of the voice, in any format")
    parser.add_argument("-o", "--output", required=True, metavar="RUN", help="folder of the run")
    parser.add_argument("--speaker", metavar="NAME", help="name of the voice")
    parser.add_argument("--preset", choices=sorted(PRESETS), help="size of the network")
    parser.add_argument("--latency", choices=sorted(LATENCIES), help="look-ahead of the model")
    parser.add_argument("--minutes", type=number, metavar="M", help="time to train on this machine")
    parser.add_argument("--base", metavar="RUN", help="start from this run, or from the `shipped` voices")
    parser.add_argument(FLAG, dest="consent", required=True, metavar="NAME: SCOPE", help="who agreed, and to what")
    parser.add_argument("--consent-until", metavar="DATE", help="when that permission ends, as 2027-12-31")
    parser.add_argument("--steps", type=int, metavar="N", help="steps to train, instead of --minutes")
    return parser


def _help_text() -> str:
    width = max(map(len, (*STEPS, *FACE_STEPS)))
    lines = [
        "usage: changeling train voice STEP ...",
        "       changeling train voice --target DIR -o RUN [--preset P] [--minutes M] ...",
        "",
        "Makes a voice from recordings: a step at a time, or collect and fit at once.",
        "",
        *(f"  {step:<{width}}  {summary}" for step, summary in STEPS.items()),
        "",
        "usage: changeling train face STEP ...",
        "",
        "Makes what edits faces, from rendered pairs of faces.",
        "",
        *(f"  {step:<{width}}  {summary}" for step, summary in FACE_STEPS.items()),
        "",
        'usage: changeling train face swap --target DIR|VIDEO -o RUN --i-have-consent "NAME: SCOPE" ...',
        "       changeling train face swap STEP ...",
        "",
        "Makes what puts one person's face on others, from their own pictures and a base of rendered heads.",
        "",
        *(f"  {step:<{width}}  {summary}" for step, summary in SWAP_STEPS.items()),
        "",
        "`changeling train voice STEP --help` and `changeling train face STEP --help` tell more.",
    ]
    return "\n".join(lines)
