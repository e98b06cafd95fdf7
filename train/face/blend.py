"""A run between two: the mean of their weights, where training in one direction went a little too far.

Weights of a run and of what it was refined to lie in one valley, and so do those between them (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"). Refined lids, for instance, keep better off the skin about them and shut
less; half-way they do both. Neither run is changed; the new one is exported as any.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.files import make_folder
from train.face.base import check_fits
from train.face.run import Run, Sources, TrainedFace, load_run
from train.quiet import import_keras
from train.records import save_json
from train.run_folder import filling


def blend(first: TrainedFace, second: TrainedFace, share: float, run: Run) -> None:
    """Write into ``run`` what lies ``share`` 0..1 of the way from ``first`` to ``second``.

    Raises `InputError` for another share, `WorkstationError` for runs that have not the same shape, `OutputError`.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError(f"a share of {share:g} lies between no two runs; choose 0 to 1")
    if run.config.exists():
        raise InputError(f"{run.root} holds another run; choose another folder")
    check_fits(first, second.config)
    if not np.array_equal(first.basis, second.basis):
        raise WorkstationError(f"{first.root} and {second.root} have other bases; blend a run with what came of it")
    kept = Run(second.root)
    if not kept.heldout.is_file():
        raise WorkstationError(f"{second.root} has no held-out faces; give a whole run second")
    weights = zip(first.network.get_weights(), second.network.get_weights(), strict=True)
    network = second.network
    network.set_weights([one + np.float32(share) * (two - one) for one, two in weights])
    make_folder(run.weights.parent)
    with filling(run.root):
        shutil.copyfile(kept.basis, run.basis)
        shutil.copyfile(kept.heldout, run.heldout)
        network.save_weights(run.weights)
    save_json(run.sources, Sources(tuple(dict.fromkeys((*first.sources, *second.sources)))))
    save_json(run.config, second.config)


def main(argv: Sequence[str]) -> int:
    """``changeling train face blend RUN RUN2 --share 0.5 -o RUN3``."""
    parser = Parser("changeling train face blend", "Make a run between two, such as one and what refine made of it.")
    parser.add_argument("first", metavar="RUN", help="the run at share 0")
    parser.add_argument("second", metavar="RUN2", help="the run at share 1, whose held-out faces export is tried on")
    parser.add_argument("--share", type=number, default=0.5, metavar="0..1", help="how far from RUN to RUN2 (0.5)")
    parser.add_argument("-o", "--output", required=True, metavar="RUN3", help="folder of the new run")
    options = parser.parse_args(list(argv))
    import_keras()
    first, second, run = load_run(Path(options.first)), load_run(Path(options.second)), Run(Path(options.output))
    blend(first, second, options.share, run)
    print(f"{run.root}: {options.share:g} of the way from {first.root} to {second.root}")
    return 0
