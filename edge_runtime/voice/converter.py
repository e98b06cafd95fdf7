"""`VoiceConverter`: a loaded voice model file, ready to turn one voice into another."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import open_backend
from edge_runtime.contract import VoiceManifest
from edge_runtime.errors import InputError, ModelFileError
from edge_runtime.golden import SelfTestResult, compare, load_golden
from edge_runtime.media.audio import to_mono
from edge_runtime.media.resample import resample
from edge_runtime.model_file import ModelFile
from edge_runtime.voice.controls import Controls, make_controls
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.network import GraphNetwork
from edge_runtime.voice.selftest import RecordingNetwork, run_stages
from edge_runtime.voice.stream import VoiceStream, convert_recording

Progress = Callable[[float], None]

_BLOCK_CHUNKS = 50
"""Chunks that `convert` gives the front end and the synthesis at once: vectorised, yet little memory."""


class VoiceConverter:
    """A loaded voice model."""

    def __init__(self, model: ModelFile, *, backend: str | None = None, threads: int = 1) -> None:
        """Raises `BackendError` when no interpreter runs the graph, `ModelFileError` when its tables are wrong."""
        if not isinstance(model.manifest, VoiceManifest):
            raise ModelFileError(f"{model.path} is a {model.manifest.kind} model; sound needs a voice model")
        self.model = model
        self.manifest = model.manifest
        self._film = _load_film(model, model.manifest)
        self._backend = open_backend(
            model.graph,
            model.graph_format,
            self.manifest.inputs,
            self.manifest.outputs,
            prefer=backend,
            threads=threads,
        )

    @property
    def backend_name(self) -> str:
        """What runs the graph, with its version."""
        return self._backend.name

    @property
    def sample_rate_hz(self) -> int:
        """Rate at which `stream` works."""
        return self.manifest.front_end.sample_rate_hz

    @property
    def block_samples(self) -> int:
        """How much of a recording `convert` gives its stream at once."""
        return _BLOCK_CHUNKS * self.manifest.timing.chunk_hops * self.manifest.front_end.hop_length

    def controls(
        self,
        voice: str | None = None,
        morph: str | None = None,
        morph_amount: float | None = None,
        style: str | None = None,
        emotion: str | None = None,
        **values: float,
    ) -> Controls:
        """Checked controls; what is not given is the style's, else the model's default. Raises `ControlError`.

        ``controls(style="robot", emotion="happy:0.7", pitch=2)``: see `edge_runtime.voice.styles` and ``emotions``.
        """
        return make_controls(self.manifest, voice, morph, morph_amount, style, emotion, **values)

    def stream(self, controls: Controls | None = None) -> VoiceStream:
        """A fresh stream at `sample_rate_hz`."""
        network = GraphNetwork(self._backend, self.manifest)
        return VoiceStream(self.manifest, network, self._film, controls or self.controls())

    def convert(
        self,
        samples: NDArray[np.floating],
        sample_rate: int,
        controls: Controls | None = None,
        *,
        progress: Progress | None = None,
    ) -> FloatArray:
        """Convert a recording (n,) or (n, channels) in [-1, 1]; gives mono (n,) at the same rate, latency removed.

        The result is what a stream gives that was primed with the recording's beginning. Raises `InputError` for an
        empty recording or one with values that are not finite.
        """
        mono = to_mono(np.asarray(samples, np.float32))
        if not len(mono):
            raise InputError("the recording is empty; record something first")
        if not np.isfinite(mono).all():
            raise InputError("the recording has samples that are not numbers; export it again from its source")
        rate = self.sample_rate_hz
        source = mono if sample_rate == rate else resample(mono, sample_rate, rate)
        stream = self.stream(controls)
        out = convert_recording(stream, source, block_samples=self.block_samples, progress=progress)
        if sample_rate == rate:
            return out
        back = resample(out, rate, sample_rate)[: len(mono)]
        return np.pad(back, (0, len(mono) - len(back))).astype(np.float32)

    def run_stages(self, samples: FloatArray) -> dict[str, FloatArray]:
        """What every stage makes of samples (n,) at `sample_rate_hz` with default controls; see `selftest`."""
        network = RecordingNetwork(GraphNetwork(self._backend, self.manifest))
        return run_stages(VoiceStream(self.manifest, network, self._film, self.controls()), network, samples)

    def selftest(self) -> SelfTestResult:
        """Compare this machine with the golden vectors in the model file. Raises `ModelFileError` without any."""
        golden = load_golden(self.model, "samples")
        return compare(self.backend_name, golden, self.run_stages(np.asarray(golden["samples"], np.float32)))

    def close(self) -> None:
        """Free the interpreter."""
        self._backend.close()


def _load_film(model: ModelFile, manifest: VoiceManifest) -> FloatArray:
    """The table of FiLM vectors (V, F), checked against the manifest."""
    try:
        table = np.load(io.BytesIO(model.files["voices.npy"]), allow_pickle=False)
    except (KeyError, ValueError, EOFError) as error:
        raise ModelFileError("the model file has no readable voice table; export the model again") from error
    expected = next((t.shape[1] for t in manifest.inputs if t.name == "film"), None)
    rows = max((voice.index for voice in manifest.voices), default=-1) + 1
    if table.ndim != 2 or table.shape[0] < rows or table.shape[1] != expected or not np.isfinite(table).all():
        raise ModelFileError("the model's voice table does not fit its manifest; export the model again")
    return np.asarray(table, np.float32)
