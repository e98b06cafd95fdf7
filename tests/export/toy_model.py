"""A trained voice without the training: the real network, tiny, with random weights, and a hum in place of speech.

`ToyRun` has the attributes of `train.voice.run.TrainedVoice` that export reads, so that a fault in export shows in
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.contract import ControlSpec, DataSource, FrontEndSpec, SynthesisSpec, TimingSpec, VoiceInfo
from edge_runtime.media.audio import write_wav
from train.voice.config import VoiceConfig
from train.voice.presets import ModelPreset, control_specs, front_end_spec, synthesis_spec, timing_spec

SAMPLE_RATE_HZ = 16_000


def hum(seconds: float, f0_hz: float, seed: int) -> np.ndarray:
    """Speech-like sound (n,): gliding harmonics through two moving formants, noise, syllables and pauses."""
    generator = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    f0 = f0_hz * (1.0 + 0.15 * np.sin(2.0 * np.pi * 0.7 * t + seed))
    phase = 2.0 * np.pi * np.cumsum(f0) / SAMPLE_RATE_HZ
    formants = (500.0 + 250.0 * np.sin(2.0 * np.pi * 1.3 * t), 1500.0 + 600.0 * np.sin(2.0 * np.pi * 0.9 * t + 1.0))
    sound = 0.02 * generator.standard_normal(len(t))
    for harmonic in range(1, 25):
        gain = sum(np.exp(-(((harmonic * f0 - centre) / 200.0) ** 2)) for centre in formants)
        sound += (gain + 0.05) * np.sin(harmonic * phase)
    syllables = np.clip(1.5 * np.sin(2.0 * np.pi * 2.1 * t), 0.0, 1.0)
    return (0.1 * sound * syllables).astype(np.float32)


@dataclass(frozen=True)
class ToyRun:
    """Like `TrainedVoice`."""

    name: str
    config: VoiceConfig
    front_end: FrontEndSpec
    synthesis: SynthesisSpec
    timing: TimingSpec
    controls: tuple[ControlSpec, ...]
    default_voice: str
    voices: tuple[VoiceInfo, ...]
    film: np.ndarray
    sources: tuple[DataSource, ...]
    offline: Any
    heldout: tuple[Path, ...]

    def step_model(self) -> Any:
        """The step form with the offline form's weights."""
        from train.voice.model import build_step, copy_weights

        step = build_step(self.config)
        copy_weights(self.offline, step)
        return step


TINY = ModelPreset(
    name="tiny",
    encoder_width=24,
    decoder_width=32,
    encoder_blocks=2,
    decoder_blocks=2,
    kernel_size=5,
    dilations=(1, 2),
    expansion=2.0,
    content_size=16,
)


def make_toy_description(preset: ModelPreset = TINY) -> ToyRun:
    """A run with two voices but without network and recordings: enough where only the signal path counts."""
    config = VoiceConfig(
        name="toy",
        preset=preset,
        front_end=front_end_spec(),
        synthesis=synthesis_spec(),
        timing=timing_spec(preset),
        n_voices=2,
        n_phones=0,
    )
    voices = tuple(
        VoiceInfo(name, i, "made up for a test", True, f0_hz, 0.2, -26.0, None)
        for i, (name, f0_hz) in enumerate((("low", 110.0), ("high", 200.0)))
    )
    return ToyRun(
        name="toy",
        config=config,
        front_end=config.front_end,
        synthesis=config.synthesis,
        timing=config.timing,
        controls=control_specs(),
        default_voice="low",
        voices=voices,
        film=_film(preset),
        sources=(DataSource("nothing", "CC0-1.0", 0.0),),
        offline=None,
        heldout=(),
    )


def make_toy_run(folder: Path, preset: ModelPreset = TINY, heldout: tuple[Path, ...] = ()) -> ToyRun:
    """A whole run; without ``heldout`` recordings, hums are written into ``folder`` for them."""
    import keras

    from train.voice.model import build_offline

    keras.utils.set_random_seed(7)
    description = make_toy_description(preset)
    offline = build_offline(description.config)
    _randomise(offline)
    paths = list(heldout)
    for i, f0_hz in enumerate(() if heldout else (110.0, 190.0, 150.0)):
        paths.append(folder / f"hum{i}.wav")
        write_wav(paths[-1], hum(2.0, f0_hz, i), SAMPLE_RATE_HZ, comment="a test signal")
    return replace(description, offline=offline, heldout=tuple(paths))


def _film(preset: ModelPreset) -> np.ndarray:
    """Voice vectors (2, F): gains near one, offsets near zero."""
    rows = 0.2 * np.random.default_rng(0).standard_normal((2, preset.decoder_blocks, 2, preset.decoder_width))
    rows[:, :, 0] += 1.0
    return rows.reshape(2, -1).astype(np.float32)


def _randomise(offline: Any) -> None:
    """Give normalisation and biases values, as training would; fresh ones are zeros and ones that hide mistakes."""
    generator = np.random.default_rng(3)
    for layer in offline.layers:
        weights = layer.get_weights()
        if layer.name.endswith("_norm"):
            layer.set_weights([w + 0.2 * generator.random(w.shape).astype(np.float32) for w in weights])
        elif layer.name == "head_residual":
            layer.set_weights([0.3 * generator.standard_normal(w.shape).astype(np.float32) for w in weights])
