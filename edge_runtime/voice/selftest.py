"""Does this machine give the numbers the exporter saw? Golden vectors travel inside the model file.

``golden.npz`` holds ``samples`` (n,) at the model's rate, what each stage made of them at export (``mel``, ``aux``,
``harmonic``, ``noise``, ``residual``, ``converted``), and ``names`` with one ``tolerance`` each: the largest absolute
difference that is still right for this precision.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from edge_runtime.errors import ModelFileError
from edge_runtime.model_file import ModelFile
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.network import Network
from edge_runtime.voice.stream import VoiceStream
from edge_runtime.voice.synthesis import Gains

STAGES = ("mel", "aux", "harmonic", "noise", "residual", "converted")


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


class RecordingNetwork:
    """Passes everything through to a network and keeps what went in and out, for goldens and their check."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: dict[str, list[FloatArray]] = {name: [] for name in STAGES[:-1]}

    def reset(self) -> None:
        """See `Network.reset`."""
        self._network.reset()

    def run(self, mel: FloatArray, aux: FloatArray, film: FloatArray) -> Gains:
        """See `Network.run`."""
        gains = self._network.run(mel, aux, film)
        values = (mel, aux, gains.harmonic, gains.noise, gains.residual)
        for name, value in zip(self._kept, values, strict=True):
            self._kept[name].append(np.array(value))
        return gains

    def recorded(self) -> dict[str, FloatArray]:
        """Everything so far, by stage."""
        return {name: np.concatenate(parts) for name, parts in self._kept.items()}


def run_stages(stream: VoiceStream, network: RecordingNetwork, samples: FloatArray) -> dict[str, FloatArray]:
    """Every stage of a conversion of samples (n,): what goes into ``golden.npz``, and what is compared with it."""
    converted = stream.process(samples)
    return {**network.recorded(), "converted": converted}


def load_golden(model: ModelFile) -> dict[str, FloatArray]:
    """Arrays of the model's ``golden.npz``. Raises `ModelFileError`."""
    try:
        with np.load(io.BytesIO(model.files["golden.npz"]), allow_pickle=False) as arrays:
            golden = {name: arrays[name] for name in arrays.files}
        golden["samples"], golden["names"], golden["tolerance"]
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise ModelFileError("the model file holds no readable golden vectors; export the model again") from error
    return golden


def compare(backend: str, golden: dict[str, FloatArray], found: dict[str, FloatArray]) -> SelfTestResult:
    """Stage by stage, golden against found."""
    tolerances = dict(zip((str(name) for name in golden["names"]), golden["tolerance"].tolist(), strict=True))
    stages = tuple(
        StageResult(name, _difference(golden[name], found[name]), float(tolerances[name]))
        for name in STAGES
        if name in golden and name in tolerances
    )
    return SelfTestResult(backend, stages)


def _difference(expected: FloatArray, found: FloatArray) -> float:
    if expected.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(expected - found).max(initial=0.0))
