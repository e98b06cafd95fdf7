"""A new face model that starts from what a trained one already knows.

    python -m train.face.base RUN     makes RUN the base that the repository carries

A base is a run's folder, or what is left of one when everything but its description, its averaged weights and its basis
is taken away. The repository carries one, that of the shipped face model.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.errors import OutputError, WorkstationError
from edge_runtime.files import make_folder
from train.face.config import FaceConfig
from train.face.run import Run, Sources, TrainedFace, load_run
from train.half_floats import halve
from train.records import save_json

SHIPPED: Final = "shipped"
NONE: Final = "none"
SHIPPED_FOLDER: Final = Path(__file__).parent / "shipped"


def find_base(text: str) -> TrainedFace | None:
    """The base that ``--base`` names, or None for a start from nothing. Raises `WorkstationError`."""
    if text == NONE:
        return None
    return load_run(SHIPPED_FOLDER if text == SHIPPED else Path(text))


def check_fits(base: TrainedFace, config: FaceConfig) -> None:
    """Refuse a base of another size, geometry or other units. Raises `WorkstationError`."""
    for name, ours, theirs in (
        ("preset", config.preset, base.config.preset),
        ("crop", config.crop, base.config.crop),
        ("set of patches", config.patches, base.config.patches),
        ("set of units", config.units, base.config.units),
    ):
        if ours != theirs:
            raise WorkstationError(
                f"the base {base.name!r} has another {name}; choose the base's, or start from nothing with --base none"
            )


def keep_base(run: TrainedFace, folder: Path) -> None:
    """Write what a base needs of ``run`` into ``folder``, its numbers as half floats: half the bytes to start from.

    Raises `OutputError`.
    """
    ours, theirs = Run(run.root), Run(folder)
    make_folder(theirs.weights.parent)
    save_json(theirs.config, run.config)
    save_json(theirs.sources, Sources(run.sources))
    try:
        halve(ours.weights, theirs.weights)
        np.save(theirs.basis, run.basis.astype(np.float16))
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error}); choose another folder") from error


if __name__ == "__main__":
    keep_base(load_run(Path(sys.argv[1])), SHIPPED_FOLDER)
