"""How landmarks answer to units, and how far they differ between people: the tables of `edge_runtime.face.follow`.

    .venv/bin/python benchmarks/follow.py EXPRESSIONS IDENTITIES

Both are data sets of ``changeling train face collect --pairs``; of the first the pairs of expressions are used, of the
second (``--identity-share 1``) those of two people with one expression. The mesh is that of the device, on what the
renderer drew. What units do is a linear least squares fit over all of them at once, for pairs change several.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_runtime.face.follow import ALIKE, DISTANCES, RESPONSE, SHAPE, distances, expression_of
from train.face.dataset import StoredPair, load_dataset, load_pair
from train.face.evaluate.movements import fit_reference
from train.face.parts import load_parts
from train.face.preprocess import find_largest
from train.face.units import UNIT_INDEX
from train.progress import Progress


def main(expressions: Path, identities: Path) -> None:
    """Print both tables beside those that stand in the code."""
    changes, moved = [], []
    for pair, difference in _differences(expressions, "expression"):
        changes.append(pair.units_b - pair.units_a)
        moved.append(difference)
    reference = fit_reference(changes, dict(zip(DISTANCES, np.stack(moved).T.tolist(), strict=True)))
    if reference is None:
        sys.exit("too few pairs of expressions show faces that can be found; collect more")
    print(f"{len(moved)} pairs of expressions; {', '.join(DISTANCES)}")
    for unit, now in RESPONSE.items():
        answer = (reference.per_unit[name][UNIT_INDEX[unit]] for name in DISTANCES)
        print(f'    "{unit}": ({", ".join(f"{value:.3f}" for value in answer)}),   # now {now}')
    between = np.stack([difference for _, difference in _differences(identities, "identity")])
    print(f"{len(between)} pairs of people")
    print(f"({', '.join(f'{value:.3f}' for value in between.std(axis=0))}),   # now {SHAPE}")
    for row, values in enumerate(np.corrcoef(between.T)):
        print(f"    ({''.join(f'{value:.2f}, ' for value in values[:row])}),   # now {ALIKE[row]}")


def _differences(data: Path, kind: str) -> Iterator[tuple[StoredPair, np.ndarray]]:
    """Pairs whose faces the device finds, and how their distances differ."""
    dataset, finder = load_dataset(data), load_parts().finder()
    records = dataset.split("train", kind)
    with Progress(len(records), f"measure {kind}") as progress:
        for number, record in enumerate(records, 1):
            pair = load_pair(dataset.root / record.file)
            found = find_largest(finder, pair.image_a), find_largest(finder, pair.image_b)
            progress.update(number)
            if found[0] is not None and found[1] is not None:
                yield pair, distances(expression_of(found[1])) - distances(expression_of(found[0]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
