"""Keras weights at half their size, for what the repository carries."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def halve(source: Path, target: Path) -> None:
    """Copy Keras weights with every float32 array as float16; Keras casts back when it loads them."""
    import h5py

    with h5py.File(source) as ours, h5py.File(target, "w") as theirs:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                values = item[()]
                theirs[name] = values.astype(np.float16) if values.dtype == np.float32 else values
            else:
                theirs.require_group(name)
            theirs[name].attrs.update(item.attrs)

        ours.visititems(copy)
