"""What new runs start from: a base is a run's folder, or what the repository carries of one.

The parts that voices (`train.voice.base`), faces (`train.face.base`) and swaps (`train.face.swap.base`) have in common.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from edge_runtime.errors import WorkstationError
from edge_runtime.files import make_folder
from train.half_floats import halve
from train.run_folder import RunFolder, filling

SHIPPED: Final = "shipped"
"""What ``--base`` calls the one that the repository carries."""
NONE: Final = "none"
"""What it calls a start from nothing."""


def base_folder(text: str, shipped: Path) -> Path:
    """The folder that ``--base`` names; ``shipped`` is the repository's own."""
    return shipped if text == SHIPPED else Path(text)


def check_alike(name: str, base: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """Refuse (`WorkstationError`) the base ``name`` when one of its parts is not as ``wanted``."""
    for part, value in wanted.items():
        if value != base[part]:
            raise WorkstationError(
                f"the base {name!r} has another {part}; choose the base's, or start from nothing with --base none"
            )


@contextlib.contextmanager
def keeping(run: RunFolder, base: RunFolder) -> Iterator[None]:
    """Makes the folder of ``base`` and copies the weights of ``run`` into it as half floats: half the bytes to start
    from. The block writes the rest; whatever goes wrong in either becomes one `OutputError`."""
    make_folder(base.weights.parent)
    with filling(base.root):
        halve(run.weights, base.weights)
        yield
