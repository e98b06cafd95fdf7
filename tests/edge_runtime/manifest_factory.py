"""Manifests for tests: complete and consistent, any field replaced by keyword."""

from __future__ import annotations

import dataclasses
import hashlib
import typing
from typing import Any, TypeVar

from edge_runtime.contract import (
    FORMAT_VERSION,
    FRONT_END_VERSION,
    ControlSpec,
    DataSource,
    FrontEndSpec,
    LevelSpec,
    PitchSpec,
    StatePair,
    SynthesisSpec,
    TensorSpec,
    TimingSpec,
    VoiceInfo,
    VoiceManifest,
)

N_MELS = 80

T = TypeVar("T")


def filled(cls: type[T], **values: Any) -> T:
    """A contract dataclass with ``values``, and 1 or 1.0 in every other field: enough where no signal is computed."""
    hints = typing.get_type_hints(cls)
    return cls(**{name: hint(1) for name, hint in hints.items() if name not in values}, **values)


def make_front_end(**changes: Any) -> FrontEndSpec:
    """A front end of the current version; ``changes`` replace fields."""
    level = filled(LevelSpec, prior_log_energy=-7.0, prior_log_mel=(0.0,) * N_MELS, silence_log_energy=-16.0)
    pitch = filled(PitchSpec, minimum_hz=60.0, maximum_hz=500.0, window_samples=640, fft_length=1024, prior_hz=150.0)
    spec = filled(
        FrontEndSpec,
        version=FRONT_END_VERSION,
        sample_rate_hz=16_000,
        hop_length=160,
        n_fft=512,
        win_length=512,
        n_mels=N_MELS,
        mel_fmin_hz=40.0,
        mel_fmax_hz=7_600.0,
        power_floor=1e-6,
        level=level,
        pitch=pitch,
        formant_reference_hz=150.0,
        formant_exponent=0.2,
        formant_minimum=0.9,
        formant_maximum=1.2,
        formant_steps=13,
    )
    return dataclasses.replace(spec, **changes)


def make_synthesis(**changes: Any) -> SynthesisSpec:
    """A synthesis of the current version; ``changes`` replace fields."""
    spec = filled(
        SynthesisSpec,
        win_length=320,
        n_fft=1024,
        lead_samples=160,
        n_bands=N_MELS,
        band_fmin_hz=40.0,
        band_fmax_hz=7_800.0,
        log_gain_minimum=-12.0,
        log_gain_maximum=4.0,
        residual_bins=128,
        residual_bound=0.5,
        pulse_taps=16,
        gate_log_energy=-8.0,
        gate_slope=1.0,
    )
    return dataclasses.replace(spec, **changes)


def make_manifest(graph: bytes, **changes: Any) -> VoiceManifest:
    """A manifest that describes ``graph`` truthfully; ``changes`` replace fields, truthful or not."""
    front_end = changes.pop("front_end", None) or make_front_end()
    manifest = VoiceManifest(
        kind="voice",
        format_version=FORMAT_VERSION,
        name="test voice",
        created="2026-11-22T10:00:00Z",
        generator="changeling tests",
        precision="fp32",
        licence="CC0-1.0",
        front_end=front_end,
        front_end_fingerprint=front_end.fingerprint(),
        synthesis=make_synthesis(),
        timing=TimingSpec(chunk_hops=2, lookahead_hops=1, warmup_hops=50),
        inputs=(
            _tensor("mel", (2, N_MELS)),
            _tensor("aux", (2, 3)),
            _tensor("film", (1, 8)),
            _tensor("s_state", (4, 8)),
        ),
        outputs=(
            _tensor("harmonic", (2, N_MELS)),
            _tensor("noise", (2, N_MELS)),
            _tensor("residual", (2, 256)),
            _tensor("s_state_next", (4, 8)),
        ),
        states=(StatePair("s_state", "s_state_next"),),
        voices=(VoiceInfo("nobody", 0, "a synthetic voice", True, 120.0, 0.2, -23.0, None),),
        default_voice="nobody",
        controls=(ControlSpec("pitch", 0.0, -24.0, 24.0, "semitones", "higher or lower"),),
        latency_ms=50.0,
        parameters=1_000,
        macs_per_second=1e6,
        training=(DataSource("generated", "CC0-1.0", 1.0),),
        scores={"snr_db": 60.0},
        graph_bytes=len(graph),
        graph_sha256=hashlib.sha256(graph).hexdigest(),
    )
    return dataclasses.replace(manifest, **changes)


def _tensor(name: str, shape: tuple[int, ...]) -> TensorSpec:
    return TensorSpec(name, "float32", shape, 0.0, 0)
