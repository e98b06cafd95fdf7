"""What a training run is about: one frozen dataclass, saved as ``config.json`` in the run's folder."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.contract import FrontEndSpec, SynthesisSpec, TimingSpec
from train.voice.presets import ModelPreset, find_preset, front_end_spec, synthesis_spec, timing_spec


@dataclass(frozen=True)
class VoiceConfig:
    """Everything that shapes the network and its signal path."""

    name: str
    preset: ModelPreset
    front_end: FrontEndSpec
    synthesis: SynthesisSpec
    timing: TimingSpec
    n_voices: int
    n_phones: int
    """0 when the corpus knows no phones."""
    n_company: int = 0
    """Speakers that are trained on besides the voices, and not kept."""
    base: str = ""
    """Name of the model that training started from; empty when from nothing."""


def make_config(name: str, preset: str, latency: str, n_voices: int, n_phones: int, n_company: int = 0) -> VoiceConfig:
    """A configuration from the presets by name. Raises `WorkstationError` for unknown names."""
    size = find_preset(preset)
    return VoiceConfig(
        name=name,
        preset=size,
        front_end=front_end_spec(),
        synthesis=synthesis_spec(),
        timing=timing_spec(size, latency),
        n_voices=n_voices,
        n_phones=n_phones,
        n_company=n_company,
    )
