"""The base that a person's face starts from: a run of `train.face.swap.fit`, or what the repository carries of one.

python -m train.face.swap.base RUN     makes RUN the base that the repository carries
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.errors import WorkstationError
from train.bases import SHIPPED, base_folder, keeping
from train.face.run import Scores
from train.face.swap.run import SwapRun, TrainedSwap, is_swap_run, load_run
from train.records import save_json

SHIPPED_FOLDER: Final = Path(__file__).parent / "shipped"
_SHIPPED_FACES: Final = 16
"""Held-out crops that are carried along: what a person's export is tried on beside their own photos."""


def find_base(text: str) -> TrainedSwap:
    """The base that ``--base`` names. Raises `WorkstationError`."""
    path = base_folder(text, SHIPPED_FOLDER)
    if not is_swap_run(path):
        what = "this checkout carries no base" if text == SHIPPED else f"{path} is no swap run"
        raise WorkstationError(f"{what}; train one with changeling train face swap fit, and name it with --base RUN")
    base = load_run(path)
    if base.identity is not None:
        raise WorkstationError(f"{path} was adapted to one person already; name the base that it started from")
    return base


def keep_base(run: TrainedSwap, folder: Path) -> None:
    """Write what a base needs of ``run`` into ``folder``, its weights as half floats. Raises `OutputError`."""
    base, heldout = SwapRun(folder), run.heldout()
    few = np.unique(np.linspace(0, len(heldout) - 1, _SHIPPED_FACES).astype(int))
    with keeping(SwapRun(run.root), base):
        save_json(base.config, run.config)
        save_json(base.scores, Scores(run.scores))
        np.save(base.identities, run.vectors.astype(np.float16))
        heldout.chosen(few).save(base.heldout)


if __name__ == "__main__":
    keep_base(load_run(Path(sys.argv[1])), SHIPPED_FOLDER)
