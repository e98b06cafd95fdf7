"""Running level and average spectrum: what makes a whisper, a shout and a cheap microphone look alike to the network.

Only frames that look like speech (not far below the running level, not silence) move the averages, so pauses and
background noise do not become the reference. The first frames count as a plain mean that starts from a prior, later
ones as an exponential average: seeding from the first frame instead would turn one loud click into a deaf start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_runtime.contract import FrontEndSpec
from edge_runtime.voice.framing import FloatArray, limited, limits

MEL_SCALE = 0.5
"""Normalised mel values are log ratios times this, so that they are of order one."""
MEL_LIMITS = limits(-4.0, 3.0)
ENERGY_LIMITS = (-12.0, 4.0)
"""Relative energy, natural log of power: -52 dB to +17 dB about the running level."""
_PRIOR_FRAMES = 25.0
_FIRST_RELEASE = 8.0


@dataclass(frozen=True)
class LevelFrames:
    """Loudness of a block of T frames."""

    rows: list[tuple[float, float]]
    """T rows: natural log of power relative to the running level, and the running level, natural log of power."""
    rates: list[float]
    """T values: how far each frame moves the averages, 0 where it does not look like speech."""

    @property
    def energies(self) -> list[float]:
        """T values: natural log of power relative to the running level."""
        return [energy for energy, _ in self.rows]

    @property
    def energy(self) -> FloatArray:
        """`energies` as (T,)."""
        return np.array(self.energies, np.float32)


class LevelTracker:
    """Running loudness of speech. Stateful; one long block equals its pieces."""

    def __init__(self, spec: FrontEndSpec) -> None:
        self._spec = spec.level
        hop_s = spec.hop_length / spec.sample_rate_hz
        self._level_rate = 1.0 - float(np.exp(-hop_s / spec.level.level_time_s))
        self._spectrum_rate = 1.0 - float(np.exp(-hop_s / spec.level.spectrum_time_s))
        self._release = spec.level.release_per_s * hop_s
        self.reset()

    def reset(self) -> None:
        """Return to the prior."""
        self.level = self._spec.prior_log_energy
        self._heard = 0.0

    def process(self, log_energy: FloatArray) -> LevelFrames:
        """Follow frame energies (T,), natural log of power."""
        lowest, highest = ENERGY_LIMITS
        rows, rates = [], []
        for energy in log_energy.tolist():
            rates.append(self._update(energy))
            rows.append((min(max(energy - self.level, lowest), highest), self.level))
        return LevelFrames(rows, rates)

    def _update(self, log_energy: float) -> float:
        """Move the level; returns the rate at which the spectrum's average may follow."""
        if log_energy < self._spec.silence_log_energy:
            return 0.0
        if log_energy < self.level - self._spec.gate_below_level:
            # A quiet speaker after a loud one: let the level come down to them. Before anything was heard there is
            # only the prior to leave, and a quiet microphone should not wait for seconds.
            self.level -= self._release * (1.0 if self._heard else _FIRST_RELEASE)
            return 0.0
        self._heard += 1.0
        warm_up = 1.0 / (self._heard + _PRIOR_FRAMES)
        self.level += max(self._level_rate, warm_up) * (log_energy - self.level)
        return max(self._spectrum_rate, warm_up)


class SpectrumNormaliser:
    """Subtracts the running average spectrum of speech. Stateful; one long block equals its pieces."""

    def __init__(self, spec: FrontEndSpec) -> None:
        self._prior = np.asarray(spec.level.prior_log_mel, np.float32)
        self.reset()

    def reset(self) -> None:
        """Return to the prior."""
        self._spectrum = self._prior.copy()

    def process(self, log_mel: FloatArray, level: LevelFrames) -> FloatArray:
        """Normalised mel (T, n_mels) of order one, from log-mel (T, n_mels) and the levels of the same frames."""
        levels = np.array([running for _, running in level.rows], np.float32)
        relative: FloatArray = log_mel - levels[:, None]
        for frame, rate in zip(relative, level.rates, strict=True):
            frame -= self._spectrum
            if rate > 0.0:
                self._spectrum += rate * frame
        relative *= MEL_SCALE
        return limited(relative, *MEL_LIMITS)
