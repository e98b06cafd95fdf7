"""Samples in, the network's inputs out: the one front end that training and the device share.

At tick t (hop t complete) the network reads the mel frame t and answers for frame t - lookahead. The auxiliary
features (pitch, voicing, energy) run through delay lines so that they describe the frame it answers for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice import mel
from edge_runtime.voice.denoise import Denoiser
from edge_runtime.voice.framing import FloatArray, FrameBuffer
from edge_runtime.voice.normalise import ENERGY_LIMITS, LevelTracker, SpectrumNormaliser
from edge_runtime.voice.pitch import DELAY_HOPS, PitchTracker
from edge_runtime.voice.spectra import FrameSpectra

PITCH_LEAD_HOPS = 1
"""The pitch frame whose window is centred on output frame u is u + 1: its window is longer and right-aligned too."""

AUX_SIZE = 3
_LOG_F0_CENTRE = float(np.log(160.0))
_LOG_F0_SCALE, _ENERGY_SCALE = 2.0, 0.25


@dataclass(frozen=True)
class Features:
    """A block of T ticks: mel of frame t, everything else of the frame that is answered for."""

    mel: FloatArray
    """(T, n_mels) normalised, of order one."""
    log_f0: FloatArray
    """(T,) natural log of Hz, held through unvoiced stretches."""
    voiced: FloatArray
    """(T,) 1 where voiced, else 0."""
    energy: FloatArray
    """(T,) natural log of power relative to the running level."""
    level: FloatArray
    """(T,) running level of the input, natural log of power."""
    mean_log_f0: FloatArray
    """(T,) the speaker's running mean of log F0."""
    spread: FloatArray
    """(T,) the speaker's running standard deviation of log F0."""

    def __len__(self) -> int:
        return len(self.mel)

    def slice(self, start: int, stop: int) -> Features:
        """Ticks ``start`` to ``stop``."""
        return Features(*(getattr(self, field.name)[start:stop] for field in fields(self)))


def aux_features(log_f0: FloatArray, voiced: FloatArray, energy: FloatArray) -> FloatArray:
    """The network's ``aux`` input (T, 3): scaled log F0, voicing, scaled relative energy."""
    tracks = zip(log_f0.tolist(), voiced.tolist(), energy.tolist(), strict=True)
    rows = [(_LOG_F0_SCALE * (pitch - _LOG_F0_CENTRE), on, _ENERGY_SCALE * loud) for pitch, on, loud in tracks]
    return np.array(rows, np.float32).reshape(-1, AUX_SIZE)


Row = tuple[float, ...]
"""What one tick says of pitch or loudness. Plain numbers: there are two ticks a chunk, too few for arrays to pay."""


class _DelayLine:
    """Delays rows by a fixed number of ticks; before the first row comes ``initial``."""

    def __init__(self, delay: int, initial: Row) -> None:
        self._start = [initial] * delay
        self.reset()

    def reset(self) -> None:
        self._held = self._start

    def push(self, rows: Sequence[Row]) -> list[Row]:
        joined = [*self._held, *rows]
        self._held = joined[len(rows) :]
        return joined[: len(rows)]


class FrontEnd:
    """Stateful; any cutting of the samples gives the same features."""

    denoise: float = 0.0
    """0 hears everything .. 1 takes steady noise out; may be changed between two calls of `push`."""

    def __init__(self, spec: FrontEndSpec, lookahead_hops: int) -> None:
        self.spec = spec
        self._denoiser = Denoiser(spec)
        self._energy_weights = mel.energy_weights(spec)
        self._spectra = FrameSpectra(spec)
        self._buffer = FrameBuffer(self._spectra.frame_length, spec.hop_length)
        self._level = LevelTracker(spec)
        self._pitch = PitchTracker(spec)
        self._aligner = mel.FormantAligner(spec)
        self._spectrum = SpectrumNormaliser(spec)
        # Energy of frame t is known at tick t; pitch of frame t - 1 at tick t, and it is wanted one hop early.
        self._level_delay = _DelayLine(lookahead_hops, (ENERGY_LIMITS[0], spec.level.prior_log_energy))
        pitch_delay = max(0, lookahead_hops - DELAY_HOPS - PITCH_LEAD_HOPS)
        prior = float(np.log(spec.pitch.prior_hz))
        self._pitch_delay = _DelayLine(pitch_delay, (prior, 0.0, prior, spec.pitch.prior_spread))

    def reset(self) -> None:
        """Forget everything heard."""
        for part in (self._buffer, self._level, self._pitch, self._spectrum, self._level_delay, self._pitch_delay):
            part.reset()
        self._denoiser.reset()

    def prime(self, samples: FloatArray) -> None:
        """Get to know a speaker: hear samples (n,), then keep only the running level, spectrum, pitch and noise.

        What follows is treated as a new signal from the same speaker in the same room.
        """
        self.push(samples)
        for part in (self._buffer, self._level_delay, self._pitch_delay):
            part.reset()
        self._pitch.forget_position()

    def push(self, samples: FloatArray) -> Features:
        """Take samples (n,), float32; give the features of the ticks they complete (T may be 0)."""
        power, pitch_power = self._spectra(self._buffer.push(samples))
        gains: FloatArray | None = None
        if self.denoise > 0.0:
            gains = self._denoiser.gains(power, self.denoise)
            power = power * gains
        level = self._level.process(mel.log_mel(power, self._energy_weights, self.spec))
        pitch = self._pitch.process(pitch_power, level.energies, gains)
        log_mel = self._aligner.log_mel(power, pitch.mean_log_f0s)
        loudness = self._level_delay.push(level.rows)
        track = self._pitch_delay.push(pitch.rows)
        rows = np.array([(*one, *other) for one, other in zip(track, loudness, strict=True)], np.float32).reshape(-1, 6)
        return Features(
            mel=self._spectrum.process(log_mel, level),
            log_f0=rows[:, 0],
            voiced=rows[:, 1],
            energy=rows[:, 4],
            level=rows[:, 5],
            mean_log_f0=rows[:, 2],
            spread=rows[:, 3],
        )


def analyse(samples: FloatArray, spec: FrontEndSpec, lookahead_hops: int) -> Features:
    """Batch twin of `FrontEnd`: features of a whole signal (n,), one tick per full hop."""
    return FrontEnd(spec, lookahead_hops).push(np.asarray(samples, np.float32))
