"""What a model file promises: frozen dataclasses that travel inside it as ``manifest.json``.

The device builds its whole signal path from these; it has no numeric defaults of its own, which is why no field
of a signal spec has one here. Units stand in the name (``_hz``, ``_samples``, ``_db``) or in the line below the field.
Training makes the specs (`train.voice.presets`), export fills in the tensors, and ``to_json``/``from_json`` are the
only way in or out. An unknown field, a missing field or a wrong type is a `ModelFileError`, never a guess.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

from edge_runtime.errors import FrontEndError, ModelFileError
from edge_runtime.strict_json import build, canonical, from_dict, parse_object

__all__ = [
    "FORMAT_VERSION",
    "FRONT_END_VERSION",
    "ConsentRecord",
    "ControlSpec",
    "DataSource",
    "FrontEndSpec",
    "LevelSpec",
    "PitchSpec",
    "StatePair",
    "SynthesisSpec",
    "TensorSpec",
    "TimingSpec",
    "VoiceInfo",
    "VoiceManifest",
    "from_dict",
    "parse_kind",
]

FORMAT_VERSION = 1
"""Version of the manifest's own structure; a file with another one is refused."""

FRONT_END_VERSION = 2
"""Bumped on any change of the numbers that the front end or the synthesis produces for the same input."""


@dataclass(frozen=True)
class LevelSpec:
    """How loudness and the average spectrum of the input are tracked (see `edge_runtime.voice.normalise`)."""

    prior_log_energy: float
    """Level assumed before anything was heard; natural log of mean power per mel band."""
    prior_log_mel: tuple[float, ...]
    """Average log-mel assumed before anything was heard, relative to ``prior_log_energy``; one value a band."""
    level_time_s: float
    """Time constant of the running level while speech is heard."""
    spectrum_time_s: float
    """Time constant of the running average spectrum while speech is heard."""
    gate_below_level: float
    """Frames more than this far (natural log of power) below the running level do not move the averages."""
    silence_log_energy: float
    """Frames below this (natural log of power) are silence whatever the running level is."""
    release_per_s: float
    """How fast the running level falls (natural log of power per second) while frames lie between silence and gate."""


@dataclass(frozen=True)
class PitchSpec:
    """The F0 tracker: window-corrected autocorrelation (Boersma 1993), causal, with one hop of delay."""

    minimum_hz: float
    maximum_hz: float
    window_samples: int
    """Length of the right-aligned Hann window; at least two periods of ``minimum_hz``."""
    fft_length: int
    """Length of the autocorrelation's FFT; at least window_samples + longest period."""
    lowpass_hz: float
    """Periodicity is looked for below this frequency, where voices are most periodic."""
    octave_cost: float
    """Periodicity a candidate loses for each octave below ``maximum_hz``."""
    jump_cost: float
    """Periodicity a candidate loses for each octave away from the previous voiced frame."""
    voiced_on: float
    """Periodicity (0..1) at which a stretch becomes voiced."""
    voiced_off: float
    """Periodicity (0..1) at which a voiced stretch ends."""
    energy_below_level: float
    """Frames more than this far (natural log of power) below the running level are unvoiced."""
    mean_time_s: float
    """Time constant of the speaker's running mean and spread of log F0 (voiced time)."""
    prior_hz: float
    """Speaker's mean F0 assumed before anything was heard."""
    prior_spread: float
    """Standard deviation of log F0 assumed before anything was heard."""
    prior_weight_s: float
    """Voiced seconds the priors count for."""


@dataclass(frozen=True)
class FrontEndSpec:
    """From samples to the network's inputs: framing, mel, level, pitch, formant alignment."""

    version: int
    sample_rate_hz: int
    hop_length: int
    """Samples between frames."""
    n_fft: int
    win_length: int
    """Hann window, right-aligned: frame t ends with sample (t + 1) * hop_length."""
    n_mels: int
    mel_fmin_hz: float
    mel_fmax_hz: float
    power_floor: float
    """Added to mel power before the logarithm."""
    level: LevelSpec
    pitch: PitchSpec
    formant_reference_hz: float
    """Speakers are warped towards the vocal tract that usually goes with this mean F0."""
    formant_exponent: float
    """Warp ratio = (formant_reference_hz / speaker's mean F0) ** formant_exponent."""
    formant_minimum: float
    formant_maximum: float
    formant_steps: int
    """Warp matrices that are prepared between minimum and maximum, both included."""

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON: the key of cached features, and what a model is bound to."""
        return hashlib.sha256(canonical(dataclasses.asdict(self)).encode()).hexdigest()

    @property
    def n_bins(self) -> int:
        """Bins of the one-sided spectrum."""
        return self.n_fft // 2 + 1


@dataclass(frozen=True)
class SynthesisSpec:
    """From the network's outputs back to samples: excitation, filter, overlap-add."""

    win_length: int
    """Hann synthesis window in samples, two hops long so that it sums to one."""
    n_fft: int
    """Room for the window plus the filter's ringing on both sides."""
    lead_samples: int
    """How far the synthesis buffer's end lies after the analysis frame's end."""
    n_bands: int
    """Bands of the harmonic and noise gains."""
    band_fmin_hz: float
    band_fmax_hz: float
    log_gain_minimum: float
    log_gain_maximum: float
    """The network's gains are natural logs of amplitude, clipped to this range."""
    residual_bins: int
    """Lowest bins (without DC) whose harmonic part carries a complex residual."""
    residual_bound: float
    """Largest magnitude of that residual, relative to the harmonic gain."""
    pulse_taps: int
    """Length of the band-limited pulse in samples (even)."""
    gate_log_energy: float
    """Frames whose relative log energy is below this fade to silence."""
    gate_slope: float
    """Amplitude in nats lost per nat of energy below the gate."""


@dataclass(frozen=True)
class TimingSpec:
    """Where time goes."""

    chunk_hops: int
    """Hops a call of the graph takes and gives."""
    lookahead_hops: int
    """The network sees this many hops after the one it answers for."""
    warmup_hops: int
    """Receptive field in hops: how long after a reset the network's context is still filling."""


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of the graph, by name."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    """0 for float tensors."""
    zero_point: int


@dataclass(frozen=True)
class StatePair:
    """A state goes in as ``input`` and comes out as ``output``; zeros mean reset."""

    input: str
    output: str


@dataclass(frozen=True)
class ConsentRecord:
    """A person's permission to be imitated."""

    person: str
    scope: str
    given_on: str
    """ISO date."""
    expires_on: str
    """ISO date, or empty when it does not expire."""
    data_sha256: str


@dataclass(frozen=True)
class VoiceInfo:
    """One voice of the model; row ``index`` of ``voices.npy`` is its FiLM vector."""

    name: str
    index: int
    description: str
    synthetic: bool
    """True when the voice belongs to no person."""
    f0_mean_hz: float
    """Geometric mean F0 of the voice."""
    f0_spread: float
    """Standard deviation of log F0, natural log."""
    level_dbfs: float
    """Level of active speech in the training data, dB relative to full scale RMS."""
    consent: ConsentRecord | None


@dataclass(frozen=True)
class ControlSpec:
    """One control: its range and neutral value, as shown by ``changeling info`` and checked before use."""

    name: str
    default: float
    minimum: float
    maximum: float
    unit: str
    description: str


@dataclass(frozen=True)
class DataSource:
    """Something the model was trained on."""

    name: str
    licence: str
    minutes: float


@dataclass(frozen=True)
class VoiceManifest:
    """The whole promise of a voice model file."""

    kind: str
    """Always "voice" here."""
    format_version: int
    name: str
    created: str
    """ISO date and time, UTC."""
    generator: str
    """Name and version of the exporter."""
    precision: str
    """fp32, fp16, dynamic_int8 or int8."""
    licence: str
    front_end: FrontEndSpec
    front_end_fingerprint: str
    synthesis: SynthesisSpec
    timing: TimingSpec
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    states: tuple[StatePair, ...]
    voices: tuple[VoiceInfo, ...]
    default_voice: str
    controls: tuple[ControlSpec, ...]
    latency_ms: float
    """Algorithmic latency, chunking included."""
    parameters: int
    macs_per_second: float
    training: tuple[DataSource, ...]
    scores: dict[str, float]
    graph_bytes: int
    graph_sha256: str

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, the same bytes for the same promise."""
        return canonical(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> VoiceManifest:
        """Parse and check a manifest.

        Raises `ModelFileError` (unknown version or kind, wrong structure) or `FrontEndError` (unknown front end).
        """
        data = parse_kind(text, "voice")
        front_end = data.get("front_end")
        version = front_end.get("version") if isinstance(front_end, dict) else None
        if version != FRONT_END_VERSION:
            raise FrontEndError(
                f"the model needs front end version {version!r} and this runtime implements {FRONT_END_VERSION}; "
                "update changeling or export the model again"
            )
        manifest = build(cls, data, "manifest")
        if manifest.front_end.fingerprint() != manifest.front_end_fingerprint:
            raise FrontEndError("the model's front end does not match its own fingerprint; export it again")
        return manifest


def parse_kind(text: str | bytes, kind: str) -> dict[str, Any]:
    """The manifest of a model of that ``kind`` as JSON. Raises `ModelFileError` for another kind or format version."""
    data = parse_object(text)
    if data.get("kind") != kind:
        raise ModelFileError(f"this is a model of kind {data.get('kind')!r:.40}; a {kind} model is needed here")
    if data.get("format_version") != FORMAT_VERSION:
        raise ModelFileError(
            f"the model file has format version {data.get('format_version')!r} and this runtime reads "
            f"{FORMAT_VERSION}; update changeling or export the model again"
        )
    return data
