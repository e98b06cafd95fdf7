"""Does this machine give the numbers the exporter saw? Golden vectors travel inside the model file.

``golden.npz`` holds the inputs, what each stage made of them at export, and ``names`` of the stages with one
``tolerance`` each: the largest absolute difference that is still right for this precision.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelFileError
from edge_runtime.model_file import ModelFile

GOLDEN = "golden.npz"


@dataclass(frozen=True)
class StageResult:
    """One stage against its golden vector."""

    name: str
    error: float
    """Largest absolute difference; infinite when shapes differ or values are not finite."""
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.error <= self.tolerance


@dataclass(frozen=True)
class SelfTestResult:
    """All stages, in the order of the signal path."""

    backend: str
    stages: tuple[StageResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every stage passed."""
        return bool(self.stages) and all(stage.passed for stage in self.stages)


def load_golden(model: ModelFile, *inputs: str) -> dict[str, NDArray[Any]]:
    """Arrays of the model's golden vectors, ``inputs`` among them. Raises `ModelFileError`."""
    try:
        with np.load(io.BytesIO(model.files[GOLDEN]), allow_pickle=False) as arrays:
            golden = {name: arrays[name] for name in arrays.files}
        for name in (*inputs, "names", "tolerance"):
            golden[name]
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise ModelFileError("the model file holds no readable golden vectors; export the model again") from error
    return golden


def compare(backend: str, golden: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]]) -> SelfTestResult:
    """Stage by stage, golden against found, in the golden's order; a stage that only one of them has is left out."""
    tolerances = zip((str(name) for name in golden["names"]), golden["tolerance"].tolist(), strict=True)
    stages = tuple(
        StageResult(name, _difference(golden[name], found[name]), float(tolerance))
        for name, tolerance in tolerances
        if name in golden and name in found
    )
    return SelfTestResult(backend, stages)


def _difference(expected: NDArray[Any], found: NDArray[Any]) -> float:
    if expected.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(expected - found).max(initial=0.0))
