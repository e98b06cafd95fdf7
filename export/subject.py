"""What export needs to know of a trained voice: the narrow seam between training and export.

`train.voice.run.TrainedVoice` has these attributes, and so has the toy of the tests. Keras objects are `Any`: Keras
is untyped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import DataSource
from edge_runtime.voice.controls import VoiceDescription

FloatArray = NDArray[np.float32]


class Subject(VoiceDescription, Protocol):
    """A trained voice."""

    @property
    def name(self) -> str:
        """Stem of the files that are written."""

    @property
    def film(self) -> FloatArray:
        """(V, F): the FiLM vector of every voice."""

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """What it was trained on."""

    @property
    def heldout(self) -> tuple[Path, ...]:
        """Recordings that were never trained on."""

    @property
    def offline(self) -> Any:
        """keras.Model on whole recordings: mel (1, N, 80), aux (1, N, 3), film (1, F) by name, outputs by name."""

    def step_model(self) -> Any:
        """keras.Model on T hops with explicit states, dict in and dict out, static shapes, rank 2."""
