"""What of an export depends on what the model changes, voices or faces: the seam `export.exporter` works through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from edge_runtime.manifests import Manifest
from export.inspect_graph import GraphFacts
from export.parity import Reference
from export.recipes import Recipe
from export.subject import FloatArray
from export.worker import Job


@dataclass(frozen=True)
class Evidence:
    """What an export is calibrated and proven on."""

    references: tuple[Reference, ...]
    """Inputs that were never trained on, and what Keras says to them."""
    calibration: dict[str, FloatArray]
    """Inputs (calls, *shape) by name for int8 ranges."""
    calibration_names: tuple[str, ...]
    test_names: tuple[str, ...]
    amount: str
    """How much it is, as the report says it."""


@dataclass(frozen=True)
class Tried:
    """What a packed file gives, run as a board would."""

    stages: dict[str, FloatArray]
    """Every stage of the golden input."""
    shown: tuple[NDArray[Any], ...]
    """What it makes of the inputs that the report shows, in order."""
    complaint: str = ""
    """What is wrong with the file as a whole, if anything."""


class Trial(Protocol):
    """A trained model on trial; made by `export.voice_trial` and `export.face_trial`."""

    @property
    def name(self) -> str:
        """Stem of the files that are written."""

    @property
    def step(self) -> Any:
        """keras.Model that is converted: dict in, dict out, static shapes."""

    @property
    def draft(self) -> Manifest:
        """The manifest as far as it is known before any conversion."""

    def evidence(self, calibration: Path | None) -> Evidence:
        """Real inputs; ``calibration`` is a folder to calibrate on in place of the run's own.

        Raises `WorkstationError` or `InputError` when there are none.
        """

    def pack(
        self,
        recipe: Recipe,
        facts: GraphFacts,
        graph: bytes,
        scores: Mapping[str, float],
        stages: Mapping[str, FloatArray] | None,
    ) -> bytes:
        """The bytes of the model file; with golden vectors once it is known what the file gives (``stages``)."""

    def job(self, label: str, path: Path) -> Job:
        """Runs the packed file ``path`` in a child and gives `Tried`."""

    def scores(self, tried: Tried) -> dict[str, float]:
        """Scores of the whole path, for the manifest; after `keras_exhibits`."""

    def complaints(self, recipe: Recipe, scores: Mapping[str, float]) -> list[str]:
        """Which of the whole path's bounds are broken, one line each."""

    def keras_exhibits(self) -> list[Any]:
        """What the report shows of the inputs themselves and of Keras."""

    def exhibits(self, label: str, tried: Tried) -> list[Any]:
        """What the report shows of a file."""

    def section(self, exhibits: Sequence[Any]) -> str:
        """The exhibits as a part of the report's page."""

    @property
    def effort(self) -> str:
        """What one call costs, in a sentence."""

    @property
    def figures(self) -> dict[str, float]:
        """The same as numbers."""
