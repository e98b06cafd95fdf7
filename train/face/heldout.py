"""Faces that were never trained on, as a run keeps them: what export proves its files on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from train.face.preprocess import DAMAGE

HeldOutT = TypeVar("HeldOutT", bound="HeldOutFaces")


@dataclass(frozen=True, eq=False)
class HeldOutFaces:
    """Crops and what should become of them; a subclass says by what. The first axis of every array counts the crops."""

    remedy: ClassVar[str] = "train again"
    """What to do about a file that cannot be read."""

    images: NDArray[np.uint8]
    """(N, S, S, 3) aligned crops."""
    targets: NDArray[np.uint8]
    """(N, S, S, 3) the same crops as they should come out."""

    def __len__(self) -> int:
        return len(self.images)

    def save(self, path: Path) -> None:
        """As .npz; `load` reads it."""
        np.savez_compressed(path, **self._arrays())  # type: ignore[arg-type]

    @classmethod
    def load(cls: type[HeldOutT], path: Path) -> HeldOutT:
        """Read what `save` wrote. Raises `WorkstationError`."""
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(**{name: arrays[name] for name in names})
        except DAMAGE as error:
            raise WorkstationError(f"{path} cannot be read; {cls.remedy}") from error

    def chosen(self: HeldOutT, rows: slice | NDArray[np.intp]) -> HeldOutT:
        """Some of them."""
        return dataclasses.replace(self, **{name: array[rows] for name, array in self._arrays().items()})

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
