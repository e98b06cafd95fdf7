"""What a user can turn while a voice is converted, and what each turn does to pitch, envelope and level.

Ranges and neutral values come from the model's manifest; `Controls` holds checked values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Protocol

import numpy as np

from edge_runtime.contract import ControlSpec, FrontEndSpec, SynthesisSpec, TimingSpec, VoiceInfo
from edge_runtime.errors import ControlError, ModelFileError
from edge_runtime.voice.decibels import NATS_PER_DB, NATS_PER_SEMITONE
from edge_runtime.voice.emotions import Emotion, parse_emotion
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.front_end import Features
from edge_runtime.voice.styles import find_style

_SPREAD_RATIO_LIMITS = (0.6, 1.6)
_LOG_F0_LIMITS = (float(np.log(50.0)), float(np.log(900.0)))


class VoiceDescription(Protocol):
    """What the signal path needs to know of a model: a manifest on the device, a trained run on a workstation."""

    @property
    def front_end(self) -> FrontEndSpec:
        """How sound becomes features."""

    @property
    def synthesis(self) -> SynthesisSpec:
        """How gains become sound."""

    @property
    def timing(self) -> TimingSpec:
        """Chunk and look-ahead."""

    @property
    def voices(self) -> tuple[VoiceInfo, ...]:
        """The voices it speaks in."""

    @property
    def default_voice(self) -> str:
        """Name of the voice that is used when none is asked for."""

    @property
    def controls(self) -> tuple[ControlSpec, ...]:
        """Ranges and neutral values."""


@dataclass(frozen=True)
class Controls:
    """Checked values; make them with `VoiceConverter.controls`.

    A field with a value here came after the first models: where a model does not offer it, this neutral value holds.
    """

    voice: str
    morph: str | None
    """Second voice to blend in, or None."""
    morph_amount: float
    """Share of the second voice, 0..1."""
    pitch: float
    """Semitones, on top of the automatic pitch."""
    auto_pitch: float
    """How far the speaker's mean pitch is moved to the voice's, 0..1."""
    formant: float
    """Ratio by which the spectral envelope is moved."""
    intonation: float
    """Range of the intonation: 0 flat, 1 natural, 2 doubled."""
    robot: float
    """0 natural .. 1 one constant pitch."""
    whisper: float
    """0 natural .. 1 no voicing."""
    breath: float
    """Gain of the noise part, dB."""
    tilt: float
    """Spectral tilt about 500 Hz, dB per octave."""
    mix: float
    """Share of converted sound against the delayed original, 0..1."""
    gain: float
    """Output gain, dB."""
    emphasis: float = 0.0
    """-1 every syllable alike .. 1 stressed ones stand out in pitch and loudness."""
    gate: float = 0.0
    """dB by which the level lies higher, below which sound fades to silence."""
    denoise: float = 0.0
    """0 hears everything .. 1 takes steady noise out of what is heard."""
    presence: float = 0.0
    """Gain of 2 to 5 kHz, dB."""
    clarity: float = 0.0
    """0 the network's own envelope .. 1 its peaks and valleys twice as deep."""
    vibrato: float = 0.0
    """Depth in semitones of a regular wave of the pitch."""
    tremor: float = 0.0
    """0 .. 1 an irregular trembling of pitch and loudness."""
    roughness: float = 0.0
    """0 .. 1 pulses of irregular length and height, and every other one weaker."""
    radio: float = 0.0
    """0 .. 1 the band and the saturation of a small radio."""
    echo: float = 0.0
    """0 .. 1 repetitions that fade."""


_TEXT_FIELDS = ("voice", "morph", "morph_amount")
CONTROL_NAMES: tuple[str, ...] = tuple(field.name for field in fields(Controls) if field.name not in _TEXT_FIELDS)
_NEUTRAL = {field.name: field.default for field in fields(Controls) if field.default is not MISSING}


def make_controls(
    description: VoiceDescription,
    voice: str | None = None,
    morph: str | None = None,
    morph_amount: float | None = None,
    style: str | None = None,
    emotion: str | None = None,
    **values: float,
) -> Controls:
    """Check ``values`` against the model's ranges; what is not given is the style's, else the model's default.

    ``emotion`` (``NAME`` or ``NAME:INTENSITY``) then changes the result, within the ranges. Raises `ControlError`.
    """
    specs = {spec.name: spec for spec in description.controls}
    checked = {name: _checked(specs, name, value) for name, value in values.items()}
    if style is not None:
        checked = {**_style_values(specs, style), **checked}
    chosen = {name: checked.get(name, _default(specs, name)) for name in CONTROL_NAMES}
    if emotion is not None:
        chosen.update(_emotional(specs, chosen, *parse_emotion(emotion)))
    amount = 0.5 if morph_amount is None else float(morph_amount)
    if not 0.0 <= amount <= 1.0:
        raise ControlError("the morph amount must be between 0 and 1")
    first = find_voice(description.voices, voice or description.default_voice)
    second = find_voice(description.voices, morph) if morph else None
    return Controls(first.name, second.name if second else None, amount if second else 0.0, **chosen)


Specs = Mapping[str, ControlSpec]


def _checked(specs: Specs, name: str, value: float) -> float:
    """The value, when the model has that control and it lies in its range."""
    if name not in specs or name not in CONTROL_NAMES:
        known = ", ".join(sorted(set(specs).intersection(CONTROL_NAMES)))
        if name in CONTROL_NAMES:
            raise ControlError(f"this model is older than the control {name!r}; export it again, or use: {known}")
        raise ControlError(f"unknown control {name!r}; this model has: {known}")
    spec, number = specs[name], float(value)
    if not spec.minimum <= number <= spec.maximum:
        raise ControlError(f"{name} must be between {spec.minimum:g} and {spec.maximum:g} {spec.unit}".rstrip())
    return number


def _default(specs: Specs, name: str) -> float:
    """The model's default; the neutral value of a control that is younger than the model."""
    if name in specs:
        return specs[name].default
    if name not in _NEUTRAL:
        raise ModelFileError(f"the model file lacks the control {name}; export the model again")
    return float(_NEUTRAL[name])


def _limited_to_range(specs: Specs, name: str, value: float, wanted_by: str) -> float:
    if name not in specs:
        raise ControlError(f"{wanted_by} needs the control {name!r}, which this model is too old for; export it again")
    return min(max(value, specs[name].minimum), specs[name].maximum)


def _style_values(specs: Specs, style: str) -> dict[str, float]:
    values = find_style(style).values
    return {name: _limited_to_range(specs, name, value, f"the style {style}") for name, value in values.items()}


def _emotional(specs: Specs, values: Mapping[str, float], emotion: Emotion, intensity: float) -> dict[str, float]:
    """The controls that the emotion changes, changed."""
    return {
        name: _limited_to_range(specs, name, values[name] * factor + offset, f"the emotion {emotion.name}")
        for name, (factor, offset) in emotion.changes(intensity).items()
    }


def find_voice(voices: tuple[VoiceInfo, ...], name: str) -> VoiceInfo:
    """The voice of that name. Raises `ControlError`."""
    for voice in voices:
        if voice.name == name:
            return voice
    names = ", ".join(voice.name for voice in voices)
    raise ControlError(f"this model has no voice {name!r}; it has: {names}")


@dataclass(frozen=True)
class Target:
    """Where the output's pitch and timbre go: one voice, or two blended."""

    mean_log_f0: float
    spread: float
    level_dbfs: float
    """Level of active speech, dB relative to full scale RMS."""
    film: FloatArray
    """(1, F) FiLM vector."""


def make_target(voices: tuple[VoiceInfo, ...], film: FloatArray, controls: Controls) -> Target:
    """Blend the voices of ``controls``; ``film`` (V, F) is the model's table."""
    first = find_voice(voices, controls.voice)
    second = find_voice(voices, controls.morph) if controls.morph else first
    share = controls.morph_amount

    def blend(a: float, b: float) -> float:
        return (1.0 - share) * a + share * b

    vector = (1.0 - share) * film[first.index] + share * film[second.index]
    return Target(
        mean_log_f0=blend(float(np.log(first.f0_mean_hz)), float(np.log(second.f0_mean_hz))),
        spread=blend(first.f0_spread, second.f0_spread),
        level_dbfs=blend(first.level_dbfs, second.level_dbfs),
        film=np.asarray(vector, np.float32)[None, :],
    )


@dataclass(frozen=True)
class Prosody:
    """Edited pitch of T frames."""

    log_f0: FloatArray
    """(T,) natural log of Hz."""
    mean_log_f0: FloatArray
    """(T,) what log F0 moves about."""


def edit_prosody(features: Features, controls: Controls, target: Target) -> Prosody:
    """Move the speaker's pitch into the target's range and apply pitch, intonation and robot."""
    auto, intonation = controls.auto_pitch, controls.intonation * (1.0 - controls.robot)
    shift = controls.pitch * NATS_PER_SEMITONE
    (narrowest, widest), (lowest, highest) = _SPREAD_RATIO_LIMITS, _LOG_F0_LIMITS
    rows = []
    # Plain numbers: of the two frames of a chunk, every operation on arrays costs some thousand instructions.
    tracks = features.log_f0.tolist(), features.mean_log_f0.tolist(), features.spread.tolist()
    for log_f0, mean, spread in zip(*tracks, strict=True):
        centre = mean + auto * (target.mean_log_f0 - mean) + shift
        ratio = min(max(target.spread / spread, narrowest), widest)
        excursion = intonation * (1.0 + auto * (ratio - 1.0)) * (log_f0 - mean)
        rows.append((min(max(centre + excursion, lowest), highest), centre))
    edited = np.array(rows, np.float32).reshape(-1, 2)
    return Prosody(edited[:, 0], edited[:, 1])


def speech_rms(features: Features, controls: Controls, target: Target, description: VoiceDescription) -> FloatArray:
    """RMS (T,) that active speech has in the output, full scale being 1: the voice's level, moved by the speaker's."""
    nats = 0.5 * (features.level - np.float32(description.front_end.level.prior_log_energy))
    nominal = (target.level_dbfs + controls.gain) * NATS_PER_DB
    return np.asarray(np.exp(nats + np.float32(nominal)), np.float32)


def log_amplitude(features: Features, controls: Controls, description: VoiceDescription) -> FloatArray:
    """What is added to all log gains (T,): the speaker's own loudness, the user's gain, and the gate.

    The network speaks at the level it was trained at; the running level of the input says how far from that the
    speaker is. Below the gate the sound fades, so that silence stays silent.
    """
    spec = description.synthesis
    threshold = spec.gate_log_energy + 2.0 * NATS_PER_DB * controls.gate
    offset = controls.gain * NATS_PER_DB - 0.5 * description.front_end.level.prior_log_energy
    loudness = zip(features.energy.tolist(), features.level.tolist(), strict=True)
    rows = [spec.gate_slope * min(energy - threshold, 0.0) + 0.5 * level + offset for energy, level in loudness]
    return np.array(rows, np.float32)
