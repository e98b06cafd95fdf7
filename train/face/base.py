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

from train.bases import NONE, base_folder, check_alike, keeping
from train.face.config import FaceConfig
from train.face.run import Run, Sources, TrainedFace, load_run
from train.records import save_json

SHIPPED_FOLDER: Final = Path(__file__).parent / "shipped"


def find_base(text: str) -> TrainedFace | None:
    """The base that ``--base`` names, or None for a start from nothing. Raises `WorkstationError`."""
    return None if text == NONE else load_run(base_folder(text, SHIPPED_FOLDER))


def check_fits(base: TrainedFace, config: FaceConfig) -> None:
    """Refuse a base of another size, geometry or other units. Raises `WorkstationError`."""
    check_alike(base.name, _shape(base.config), _shape(config))


def _shape(config: FaceConfig) -> dict[str, object]:
    """What a base and a run that starts from it must have alike, by what a refusal calls it."""
    return {
        "preset": config.preset,
        "crop": config.crop,
        "set of patches": config.patches,
        "set of units": config.units,
    }


def keep_base(run: TrainedFace, folder: Path) -> None:
    """Write what a base needs of ``run`` into ``folder``, its numbers as half floats. Raises `OutputError`."""
    base = Run(folder)
    with keeping(Run(run.root), base):
        save_json(base.config, run.config)
        save_json(base.sources, Sources(run.sources))
        np.save(base.basis, run.basis.astype(np.float16))


if __name__ == "__main__":
    keep_base(load_run(Path(sys.argv[1])), SHIPPED_FOLDER)
