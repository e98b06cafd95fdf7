"""The base that a person's face starts from: a run of `train.face.swap.fit`, or what the repository carries of one.

python -m train.face.swap.base RUN     makes RUN the base that the repository carries
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.errors import OutputError, WorkstationError
from edge_runtime.files import make_folder
from train.face.run import Scores
from train.face.swap.run import SwapHeldOut, SwapRun, TrainedSwap, is_swap_run, load_run
from train.half_floats import halve
from train.records import save_json

SHIPPED: Final = "shipped"
SHIPPED_FOLDER: Final = Path(__file__).parent / "shipped"
_SHIPPED_FACES: Final = 16
"""Held-out crops that are carried along: what a person's export is tried on beside their own photos."""


def find_base(text: str) -> TrainedSwap:
    """The base that ``--base`` names. Raises `WorkstationError`."""
    path = SHIPPED_FOLDER if text == SHIPPED else Path(text)
    if not is_swap_run(path):
        what = "this checkout carries no base" if text == SHIPPED else f"{path} is no swap run"
        raise WorkstationError(f"{what}; train one with changeling train face swap fit, and name it with --base RUN")
    base = load_run(path)
    if base.identity is not None:
        raise WorkstationError(f"{path} was adapted to one person already; name the base that it started from")
    return base


def keep_base(run: TrainedSwap, folder: Path) -> None:
    """Write what a base needs of ``run`` into ``folder``, its weights as half floats. Raises `OutputError`."""
    theirs = SwapRun(folder)
    make_folder(theirs.weights.parent)
    save_json(theirs.config, run.config)
    save_json(theirs.scores, Scores(run.scores))
    heldout = run.heldout()
    few = np.unique(np.linspace(0, len(heldout.images) - 1, _SHIPPED_FACES).astype(int))
    carried = SwapHeldOut(heldout.images[few], heldout.targets[few], heldout.identities[few])
    try:
        halve(SwapRun(run.root).weights, theirs.weights)
        np.save(theirs.identities, run.vectors.astype(np.float16))
        carried.save(theirs.heldout)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error}); choose another folder") from error


if __name__ == "__main__":
    keep_base(load_run(Path(sys.argv[1])), SHIPPED_FOLDER)
