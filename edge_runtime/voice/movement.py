"""What moves with the syllables or by itself: emphasis, vibrato and tremor.

All of it edits the pitch track and the loudness of frames, so it costs no latency, and it is left out altogether while
these controls are neutral.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice.controls import Controls, Prosody
from edge_runtime.voice.decibels import NATS_PER_DB, NATS_PER_SEMITONE
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.front_end import Features

VIBRATO_HZ = 5.5
"""Rate of a singer's vibrato, and within what is heard as one in speech."""
_TREMOR_HZ = (4.1, 5.9, 7.3)
"""Rates that share no short period: their sum never repeats within a breath, which tells a tremble from a vibrato."""
_TREMOR_SCALE = len(_TREMOR_HZ) ** -0.5
_TREMOR_SEMITONES = 0.8
_TREMOR_DB = 3.0

_EMPHASIS_SHARE = 0.5
"""How much emphasis 1 adds to the range of loudness and, on stressed syllables, to that of F0."""
_SMOOTHING_S = 0.03
_STRESS_FROM, _STRESS_TO = -2.0, 1.0
"""Relative energy (natural log of power) from which a syllable counts as stressed, and at which it fully does."""
_SWELL_ABOUT = 1.0
"""Relative energy (natural log of power) of an ordinary vowel: where emphasis changes nothing."""
_SWELL_LIMIT = 2.5
"""Largest distance from there that emphasis acts on."""
_PAUSE_FROM, _PAUSE_TO = -8.0, -4.0
"""Relative energy below which emphasis leaves loudness alone, so that pauses neither rise nor fall."""


def is_moving(controls: Controls) -> bool:
    """Whether `Movement` has anything to do."""
    return bool(controls.emphasis or controls.vibrato or controls.tremor)


class Movement:
    """Stateful; one long block equals its pieces."""

    def __init__(self, spec: FrontEndSpec) -> None:
        self._hop_s = spec.hop_length / spec.sample_rate_hz
        self._rate = 1.0 - float(np.exp(-self._hop_s / _SMOOTHING_S))
        self.reset()

    def reset(self) -> None:
        """Start again from silence."""
        self._tick = 0
        self._energy = _PAUSE_FROM

    def process(self, features: Features, prosody: Prosody, controls: Controls) -> tuple[Prosody, FloatArray]:
        """Edited prosody of T frames, and what is added to their log amplitude (T,), natural log."""
        log_f0, swell = prosody.log_f0, np.zeros(len(prosody.log_f0), np.float32)
        if controls.emphasis:
            energy = self._smoothed(features.energy)
            log_f0 = log_f0 + _stress_gain(energy, controls.emphasis) * (log_f0 - prosody.mean_log_f0)
            swell += _loudness(energy, controls.emphasis)
        seconds = (self._tick + np.arange(len(log_f0))) * self._hop_s
        self._tick += len(log_f0)
        if controls.vibrato:
            wave = controls.vibrato * NATS_PER_SEMITONE * np.sin(2.0 * np.pi * VIBRATO_HZ * seconds)
            log_f0 = log_f0 + wave.astype(np.float32)
        if controls.tremor:
            shake = controls.tremor * _tremble(seconds)
            log_f0 = log_f0 + np.float32(_TREMOR_SEMITONES * NATS_PER_SEMITONE) * shake
            swell += np.float32(_TREMOR_DB * NATS_PER_DB) * shake
        return dataclasses.replace(prosody, log_f0=log_f0), swell

    def _smoothed(self, energy: FloatArray) -> FloatArray:
        """Relative energy (T,) at the pace of syllables."""
        out = np.empty_like(energy)
        for t, value in enumerate(energy.tolist()):
            self._energy += self._rate * (value - self._energy)
            out[t] = self._energy
        return out


def _stress_gain(energy: FloatArray, emphasis: float) -> FloatArray:
    """Share (T,) by which the excursions of F0 grow: all of it on stressed syllables, none on weak ones."""
    stress = np.clip((energy - _STRESS_FROM) / (_STRESS_TO - _STRESS_FROM), 0.0, 1.0)
    return np.asarray(_EMPHASIS_SHARE * emphasis * stress, np.float32)


def _loudness(energy: FloatArray, emphasis: float) -> FloatArray:
    """Log amplitude (T,) added by emphasis: the distance of energy from a vowel's grows by half of ``emphasis``."""
    heard = np.clip((energy - _PAUSE_FROM) / (_PAUSE_TO - _PAUSE_FROM), 0.0, 1.0)
    distance = np.clip(energy - np.float32(_SWELL_ABOUT), -_SWELL_LIMIT, _SWELL_LIMIT)
    return np.asarray(0.5 * _EMPHASIS_SHARE * emphasis * distance * heard, np.float32)


def _tremble(seconds: NDArray[np.floating]) -> FloatArray:
    """An irregular wave (T,) of the RMS of a sine."""
    waves = [np.sin(2.0 * np.pi * hz * seconds) for hz in _TREMOR_HZ]
    return np.asarray(_TREMOR_SCALE * (waves[0] + waves[1] + waves[2]), np.float32)
