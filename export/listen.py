"""Runs whole conversions: Keras through the runtime's own signal path, and finished files as a board would.

One signal path serves both, so what is heard to differ is the graph's doing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_runtime.contract import VoiceManifest
from edge_runtime.model_file import open_model
from edge_runtime.voice.controls import make_controls
from edge_runtime.voice.converter import VoiceConverter
from edge_runtime.voice.network import GraphNetwork
from edge_runtime.voice.stream import VoiceStream, convert_recording
from export.calibrate import Clip, Step
from export.subject import FloatArray, Subject
from export.trial import Tried

SOURCE = "source"
KERAS = "Keras"


@dataclass(frozen=True)
class Sounds:
    """One recording as different makers give it."""

    clip: str
    voice: str
    label: str
    """`SOURCE`, `KERAS` or ``precision.format``."""
    samples: FloatArray
    """(n,)"""


class _KerasBackend:
    """The Keras step model behind the face of `edge_runtime.backends.Backend`."""

    name = "keras"

    def __init__(self, step: Step) -> None:
        self._step = step

    def run(self, feeds: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        return dict(self._step(feeds))

    def close(self) -> None:
        """Nothing to free."""


def keras_sounds(run: Subject, step: Step, draft: VoiceManifest, clips: Sequence[Clip]) -> list[Sounds]:
    """The recordings themselves and what ``step`` (the Keras model, see `keras_step`) makes of them."""
    network = GraphNetwork(_KerasBackend(step), draft)
    found = []
    for clip in clips:
        stream = VoiceStream(run, network, run.film, make_controls(run, voice=clip.voice))
        converted = convert_recording(stream, clip.samples)
        found += [
            Sounds(clip.name, clip.voice, SOURCE, clip.samples),
            Sounds(clip.name, clip.voice, KERAS, converted),
        ]
    return found


def speak(path: str, golden: FloatArray, clips: Sequence[Clip]) -> Tried:
    """Convert with the packed file ``path``; runs in a child process. Raises `ChangelingError`."""
    converter = VoiceConverter(open_model(path))
    rate_hz = converter.sample_rate_hz
    return Tried(
        stages=converter.run_stages(golden),
        shown=tuple(converter.convert(clip.samples, rate_hz, converter.controls(voice=clip.voice)) for clip in clips),
    )
