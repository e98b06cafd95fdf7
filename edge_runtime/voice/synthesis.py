"""From the network's gains and the excitation to samples: filter in the spectrum, overlap-add.

Each hop, two hops of excitation are Hann-windowed, given room on both sides for the filter's ringing, multiplied with
the band gains (zero phase, interpolated in log amplitude) and, for the harmonic part, with 1 + a bounded complex
residual per bin, and added up. The Hann windows of neighbouring hops sum to one, so gains of one give back the
excitation itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import FrontEndSpec, SynthesisSpec, TimingSpec
from edge_runtime.voice.colour import output_curve
from edge_runtime.voice.excitation import Excitation, ExcitationBlock
from edge_runtime.voice.framing import FloatArray, hann, limited, limits
from edge_runtime.voice.mel import band_edges_hz

_FORMANT_BANDS = 4.0
"""Standard deviation, in bands, of the neighbourhood from which a peak stands out."""


@dataclass(frozen=True)
class Gains:
    """The network's answer for T frames."""

    harmonic: FloatArray
    """(T, n_bands) natural log of amplitude."""
    noise: FloatArray
    """(T, n_bands) natural log of amplitude."""
    residual: FloatArray
    """(T, 2 * residual_bins) in -1..1: real parts, then imaginary parts."""


def latency_samples(synthesis: SynthesisSpec, timing: TimingSpec, hop_length: int) -> int:
    """How many samples the output signal lies behind the input, chunking not included."""
    return (timing.lookahead_hops - 1) * hop_length + synthesis.n_fft - synthesis.lead_samples


def algorithmic_latency_ms(front_end: FrontEndSpec, synthesis: SynthesisSpec, timing: TimingSpec) -> float:
    """Latency a listener meets on an infinitely fast machine: signal delay plus waiting for a chunk to fill."""
    samples = latency_samples(synthesis, timing, front_end.hop_length)
    samples += (timing.chunk_hops - 1) * front_end.hop_length
    return 1000.0 * samples / front_end.sample_rate_hz


def band_matrix(spec: SynthesisSpec, sample_rate_hz: int, formant: float = 1.0) -> FloatArray:
    """Interpolation of band log-gains to bins, (n_bands, n_bins); ``formant`` > 1 moves the envelope up."""
    centres = band_edges_hz(spec.n_bands, spec.band_fmin_hz, spec.band_fmax_hz)[1:-1]
    bins_hz = np.arange(spec.n_fft // 2 + 1) * (sample_rate_hz / spec.n_fft)
    position = np.interp(bins_hz / formant, centres, np.arange(spec.n_bands))
    lower = np.minimum(position.astype(int), spec.n_bands - 2)
    fraction = position - lower
    matrix = np.zeros((spec.n_bands, len(bins_hz)), np.float32)
    columns = np.arange(len(bins_hz))
    matrix[lower, columns] = 1.0 - fraction
    matrix[lower + 1, columns] += fraction
    return matrix


def deepened(n_bands: int, clarity: float) -> FloatArray:
    """Matrix (n_bands, n_bands) that deepens peaks and valleys of band log-gains by 1 + ``clarity``.

    A network that answers with the mean of what is likely gives flatter formants than anybody has; deepening them
    again is the postfilter of parametric synthesis (J.-H. Chen & A. Gersho, 1995). Here it costs nothing: it is linear
    in the log-gains, so it becomes part of the interpolation to bins. What is coarser than a formant stays.
    """
    bands = np.arange(n_bands)
    local = np.exp(-0.5 * ((bands[:, None] - bands[None, :]) / _FORMANT_BANDS) ** 2)
    local /= local.sum(axis=0, keepdims=True)
    return np.asarray(np.eye(n_bands) + clarity * (np.eye(n_bands) - local), np.float32)


def window_sources(hops: FloatArray, spec: SynthesisSpec) -> NDArray[np.complexfloating]:
    """Windowed spectra (S, T, n_bins) of S sources from their hops (S, T + 1, hop_length), the first being history."""
    hop_length = hops.shape[2]
    start = (spec.n_fft - spec.win_length) // 2
    segments = np.zeros((hops.shape[0], hops.shape[1] - 1, spec.n_fft), np.float32)
    view = segments[:, :, start : start + spec.win_length]
    view[:, :, :hop_length] = hops[:, :-1]
    view[:, :, hop_length:] = hops[:, 1:]
    view *= _segment_window(spec.win_length)
    return np.fft.rfft(segments, axis=-1)


@lru_cache(maxsize=4)
def _segment_window(length: int) -> FloatArray:
    return hann(length)


class OverlapAdd:
    """Adds buffers (T, n_fft), one hop apart; gives hops as they become final."""

    def __init__(self, n_fft: int, hop_length: int) -> None:
        self._n_fft = n_fft
        self._hop = hop_length
        self.reset()

    def reset(self) -> None:
        """Drop what is pending."""
        self._pending = np.zeros(self._n_fft - self._hop, np.float32)

    def process(self, buffers: FloatArray) -> FloatArray:
        """Add T buffers and return the T * hop_length samples that are final."""
        n_frames = len(buffers)
        total = np.zeros(n_frames * self._hop + len(self._pending), np.float32)
        total[: len(self._pending)] = self._pending
        for t in range(n_frames):
            total[t * self._hop : t * self._hop + self._n_fft] += buffers[t]
        self._pending = total[n_frames * self._hop :]
        return total[: n_frames * self._hop]


class Synthesiser:
    """Excitation, filter and overlap-add with their state; one long block equals its pieces."""

    def __init__(self, front_end: FrontEndSpec, spec: SynthesisSpec, seed: int = 0) -> None:
        self._spec = spec
        self._hop = front_end.hop_length
        self._rate = front_end.sample_rate_hz
        self._excitation = Excitation(self._rate, self._hop, spec.pulse_taps, seed)
        self._overlap = OverlapAdd(spec.n_fft, self._hop)
        self._log_gain_limits = limits(spec.log_gain_minimum, spec.log_gain_maximum)
        self._residual_scale = spec.residual_bound / math.sqrt(2.0)
        self._bins_hz = np.arange(spec.n_fft // 2 + 1) * (self._rate / spec.n_fft)
        self.set_envelope(formant=1.0, tilt_db_per_octave=0.0)
        self.reset()

    def reset(self) -> None:
        """Start again from silence."""
        self._excitation.reset()
        self._overlap.reset()
        self._history = np.zeros((2, self._hop), np.float32)

    def set_envelope(
        self,
        *,
        formant: float,
        tilt_db_per_octave: float,
        presence_db: float = 0.0,
        radio: float = 0.0,
        clarity: float = 0.0,
    ) -> None:
        """Move the spectral envelope by ``formant``, a frequency ratio, deepen it (`deepened`) and colour it.

        An envelope that is twice as wide lets twice as many harmonics through; that loudness is taken back.
        """
        bands = band_matrix(self._spec, self._rate, formant)
        if clarity > 0.0:
            bands = deepened(self._spec.n_bands, clarity) @ bands
        curve = output_curve(self._bins_hz, tilt=tilt_db_per_octave, presence=presence_db, radio=radio)
        curve -= np.float32(0.5 * np.log(formant))
        self._bands = bands
        self._curve = curve if curve.any() else None

    def process(
        self,
        gains: Gains,
        log_f0: FloatArray,
        log_amplitude: FloatArray,
        whisper: float = 0.0,
        breath: float = 0.0,
        roughness: float = 0.0,
    ) -> FloatArray:
        """Make T hops of sound.

        ``log_f0`` (T,) natural log of Hz; ``log_amplitude`` (T,) is added to all log gains;
        ``whisper`` 0..1 moves the harmonic envelope's power into noise; ``breath`` is added to the noise's log gain;
        ``roughness`` 0..1 makes the pulses irregular.
        """
        n_frames = len(log_f0)
        spectra = self._source_spectra(self._excitation.process(log_f0, roughness), n_frames)
        amplitudes = self._amplitudes(gains, log_amplitude, breath)
        factor = self._residual_factor(gains.residual)
        bins = self._spec.residual_bins
        if whisper > 0.0:
            harmonic, noise = amplitudes
            loud = harmonic.copy()
            loud[:, 1 : bins + 1] *= np.abs(factor)
            amplitudes[1] = np.sqrt(noise * noise + whisper * loud * loud)
            harmonic *= 1.0 - whisper
        spectra *= amplitudes
        spectrum = spectra[0]
        spectrum[:, 1 : bins + 1] *= factor
        spectrum += spectra[1]
        buffers = np.fft.irfft(spectrum, self._spec.n_fft).astype(np.float32, copy=False)
        return self._overlap.process(buffers)

    def _source_spectra(self, source: ExcitationBlock, n_frames: int) -> NDArray[np.complexfloating]:
        """Windowed spectra (2, T, n_bins) of both sources."""
        hops = np.empty((2, n_frames + 1, self._hop), np.float32)
        hops[:, 0] = self._history
        hops[0, 1:] = source.harmonic.reshape(n_frames, self._hop)
        hops[1, 1:] = source.noise.reshape(n_frames, self._hop)
        self._history = hops[:, -1]
        return window_sources(hops, self._spec)

    def _amplitudes(self, gains: Gains, log_amplitude: FloatArray, breath: float) -> FloatArray:
        """Bin amplitudes (2, T, n_bins) of the harmonic part and of the noise."""
        n_frames, n_bands = gains.harmonic.shape
        both = np.empty((2, n_frames, n_bands), np.float32)
        both[0], both[1] = gains.harmonic, gains.noise
        if breath:
            both[1] += breath
        limited(both, *self._log_gain_limits)
        both += log_amplitude[:, None]  # here and not for the bins, which are more: their weights sum to one
        log_bins: FloatArray = both.reshape(2 * n_frames, n_bands) @ self._bands
        if self._curve is not None:
            log_bins += self._curve
        np.exp(log_bins, out=log_bins)
        return log_bins.reshape(2, n_frames, self._bands.shape[1])

    def _residual_factor(self, residual: FloatArray) -> NDArray[np.complex64]:
        """What the harmonic part is multiplied by in the lowest bins, (T, residual_bins): 1 + the bounded residual."""
        bins = self._spec.residual_bins
        factor = np.empty((len(residual), bins), np.complex64)
        scaled = residual * self._residual_scale
        factor.real, factor.imag = scaled[:, :bins] + 1.0, scaled[:, bins:]
        return factor
