"""A trained voice on trial: rolled out over held-out speech, and heard through the runtime's own signal path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.contract import VoiceManifest
from export import bundle
from export.calibrate import Clip, Step, clip_feeds, join, keras_step, load_clips, roll_out, split_heldout
from export.inspect_graph import GraphFacts
from export.listen import Sounds, keras_sounds, speak
from export.parity import Reference
from export.recipes import Recipe
from export.report_sounds import listening
from export.subject import FloatArray, Subject
from export.trial import Evidence, Tried
from export.worker import Job

LISTEN_CLIPS = 2
"""Test recordings that go into the report as sound."""


class VoiceTrial:
    """See `export.trial.Trial`. The run's weights are never changed."""

    def __init__(self, run: Subject) -> None:
        self._run = run
        self._clips: tuple[Clip, ...] = ()

    @property
    def name(self) -> str:
        """Of the run."""
        return self._run.name

    @cached_property
    def step(self) -> Any:
        """The step form with explicit states."""
        return self._run.step_model()

    @cached_property
    def draft(self) -> VoiceManifest:
        """Without the graph."""
        return bundle.draft_manifest(self._run, self.step)

    @cached_property
    def _keras(self) -> Step:
        return keras_step(self.step)

    def evidence(self, calibration: Path | None) -> Evidence:
        """Held-out recordings, half of them (or a folder's) for calibration."""
        calibration_paths, test_paths = split_heldout(self._run.heldout, calibration)
        self._clips = tuple(load_clips(test_paths, self._run))
        shapes = {spec.name: spec.shape for spec in self.draft.inputs}
        references = [
            Reference(roll_out(self._keras, clip_feeds(clip, shapes)), self._offline(clip)) for clip in self._clips
        ]
        calibration_clips = load_clips(calibration_paths, self._run)
        rolled_out = join([roll_out(self._keras, clip_feeds(clip, shapes)) for clip in calibration_clips])
        seconds = sum(len(clip.samples) for clip in self._clips) / self.draft.front_end.sample_rate_hz
        return Evidence(
            tuple(references),
            rolled_out.feeds,
            tuple(path.name for path in calibration_paths),
            tuple(clip.name for clip in self._clips),
            f"{seconds:.0f} s of held-out speech",
        )

    def _offline(self, clip: Clip) -> dict[str, FloatArray]:
        """The training form's answer (N, C) by name, for the outputs that the step form has too."""
        feeds = {"mel": clip.mel[None], "aux": clip.aux[None], "film": clip.film}
        outputs = self._run.offline(feeds, training=False)
        names = {spec.name for spec in self.draft.outputs}
        return {name: np.asarray(value)[0] for name, value in outputs.items() if name in names}

    def pack(
        self,
        recipe: Recipe,
        facts: GraphFacts,
        graph: bytes,
        scores: Mapping[str, float],
        stages: Mapping[str, FloatArray] | None,
    ) -> bytes:
        """See `Trial.pack`."""
        manifest = bundle.finish_manifest(self.draft, recipe, facts, graph, scores)
        golden = None if stages is None else bundle.golden_vectors(self._golden_samples(), stages, recipe.precision)
        files = bundle.associated_files(self._run, manifest, golden)
        return bundle.pack(manifest, recipe, graph, files)

    def job(self, label: str, path: Path) -> Job:
        """Converts the golden samples and the listening recordings."""
        return Job(label, speak, (str(path), self._golden_samples(), self._clips[:LISTEN_CLIPS]))

    def _golden_samples(self) -> FloatArray:
        """The start of the first test recording's clip, whole calls of it."""
        front_end = self.draft.front_end
        call = front_end.hop_length * self.draft.timing.chunk_hops
        calls = int(bundle.GOLDEN_SECONDS * front_end.sample_rate_hz) // call
        return self._clips[0].samples[: calls * call]

    def scores(self, tried: Tried) -> dict[str, float]:
        """None beyond those of the outputs: what a listener would say needs other tools."""
        return {}

    def complaints(self, recipe: Recipe, scores: Mapping[str, float]) -> list[str]:
        """None beyond those of the outputs."""
        return []

    def keras_exhibits(self) -> list[Any]:
        """The recordings and what Keras makes of them."""
        return list(keras_sounds(self._run, self._keras, self.draft, self._clips[:LISTEN_CLIPS]))

    def exhibits(self, label: str, tried: Tried) -> list[Any]:
        """What the file makes of the recordings."""
        clips = self._clips[:LISTEN_CLIPS]
        return [Sounds(c.name, c.voice, label, s) for c, s in zip(clips, tried.shown, strict=True)]

    def section(self, exhibits: Sequence[Any]) -> str:
        """Sounds and spectrograms."""
        return listening(self.name, exhibits, self._run.front_end.sample_rate_hz)

    @property
    def figures(self) -> dict[str, float]:
        """Arithmetic and delay."""
        front_end, timing = self.draft.front_end, self.draft.timing
        chunk_ms = 1000.0 * timing.chunk_hops * front_end.hop_length / front_end.sample_rate_hz
        return {
            "macs_per_second": self.draft.macs_per_second,
            "latency_ms": self.draft.latency_ms,
            "chunk_ms": chunk_ms,
        }

    @property
    def effort(self) -> str:
        """See `Trial.effort`."""
        figures = self.figures
        return (
            f"{figures['macs_per_second'] / 1e6:.0f} million multiply-accumulates per second of sound, "
            f"{figures['latency_ms']:.0f} ms algorithmic latency, {figures['chunk_ms']:.0f} ms of sound per call"
        )
