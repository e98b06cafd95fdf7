"""What the landmark measures of a face are at rest and with a unit fully on, over rendered heads.

    .venv/bin/python benchmarks/face_measures.py DATA

DATA is a data set of ``changeling train face collect --pairs``. Every measure that tells how much of a unit a face
shows (`train.face.parts`) is fitted over the heads that the device's detector finds: measure = rest + all units'
shares by linear least squares, so that a measure's other causes (a smile that raises cheeks) are not counted for its
own unit. ``full`` is rest plus the unit's own share; ``spread`` is the deviation of what is left, as a share of the
unit's range: how far two people at rest differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edge_runtime.face.measures import measure_face
from train.face.dataset import load_dataset, load_pair
from train.face.parts import device_units, load_parts
from train.face.preprocess import find_largest
from train.face.units import UNIT_INDEX
from train.progress import Progress

_PAIRS = 400


def main(data: Path) -> None:
    """Print a line for every measured unit."""
    dataset = load_dataset(data)
    finder = load_parts().finder()
    records = dataset.split("train", "expression")[:_PAIRS]
    rows: list[np.ndarray] = []
    found: list[dict[str, float]] = []
    with Progress(len(records), "measure") as progress:
        for number, record in enumerate(records, 1):
            pair = load_pair(dataset.root / record.file)
            for image, units in ((pair.image_a, pair.units_a), (pair.image_b, pair.units_b)):
                if (face := find_largest(finder, image)) is not None:
                    found.append(measure_face(face))
                    rows.append(units)
            progress.update(number, f"{len(found)} faces")
    values = np.stack(rows)
    # The two directions of a unit are two causes.
    causes = np.concatenate([np.ones((len(values), 1)), np.maximum(values, 0.0), np.maximum(-values, 0.0)], axis=1)
    for unit in device_units():
        if unit.measure:
            measured = np.array([one[unit.measure] for one in found])
            shares = np.linalg.lstsq(causes, measured, rcond=None)[0]
            rest, own = shares[0], shares[1 + UNIT_INDEX[unit.name]]
            spread = np.std(measured - causes @ shares) / abs(own)
            print(f"{unit.name:12s} {unit.measure:17s} rest {rest:+.3f} full {rest + own:+.3f} spread {spread:.2f}"
                  f"   now {unit.measure_neutral:+.3f} {unit.measure_full:+.3f}")  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
