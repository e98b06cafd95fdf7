"""Writes front_end_golden.npz: run from the repository's root, and only with a new FRONT_END_VERSION."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_runtime.voice.front_end import analyse
from tests.edge_runtime.voice.signals import SPEC, speechlike
from tests.edge_runtime.voice.test_front_end import FIELDS, GOLDEN


def main(path: Path = GOLDEN) -> None:
    """Half a second of everything and its features."""
    samples = speechlike(1.0, seed=5)
    features = analyse(samples, SPEC, 2)
    arrays = {name: getattr(features, name) for name in FIELDS}
    np.savez_compressed(path, samples=samples, fingerprint=SPEC.fingerprint(), **arrays)


if __name__ == "__main__":
    main()
