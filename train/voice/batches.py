"""Batches for training: random crops, with self-perturbation and aligned pairs as the two sources.

Besides its voices a run trains on the company: all other speakers of the dataset, each to be said in their own voice.
They are not kept; they are there so that the encoder learns to listen to many people.

Step n's batch depends on the seed and on n alone, so a resumed run sees exactly what an uninterrupted one would have.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.voice.excitation import Excitation
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.front_end import aux_features
from edge_runtime.voice.mel import FormantAligner
from edge_runtime.voice.synthesis import window_sources
from train.prefetch import stream
from train.voice.config import VoiceConfig
from train.voice.dataset import Clip, Dataset
from train.voice.perturb import SourcePerturbation, perturb, source_features
from train.voice.preprocess import SPEEDS, PitchTrack, TargetFeatures, load_log_power, load_target

NO_PHONE = -1
_WARM_UP_HOPS = 100
_PRIME_HOPS = 300
_COLD_SHARE, _PRIMED_SHARE = 0.25, 0.5
"""How often a source starts cold, as a live stream does, and how often its averages have settled, as in a recording or
after some seconds; the rest lies between."""
_COMPANY_SHARE = 0.35
"""Share of items that are spoken by the company, where there is any."""
_COMPANY_LARGEST = 0.2
"""Largest part of the company's minutes that one speaker counts for."""
_DEGRADED_SHARE = 0.5
"""How often pitch and voicing are those the tracker gave in a bad room or noise."""


@dataclass(frozen=True)
class Crop:
    """Sizes of a batch."""

    batch: int
    hops: int
    """Frames a crop has."""
    aligned_share: float
    """Share of a voice's items whose source is another speaker's aligned clip, where the corpus has one."""


Batch = dict[str, np.ndarray]
"""mel (B, T, n_mels), aux (B, T, 3), voice (B,), harmonic_re/_im and noise_re/_im (B, T, n_bins), target (B, n),
phones (B, T) with `NO_PHONE` where unknown."""


class Sampler:
    """Draws batches from a preprocessed dataset."""

    def __init__(
        self, dataset: Dataset, folder: Path, config: VoiceConfig, voices: tuple[str, ...], split: str
    ) -> None:
        self._config = config
        self._rows = {name: row for row, name in enumerate((*voices, *company(dataset, voices)))}
        self._aligner = FormantAligner(config.front_end)
        self._ranges = SourcePerturbation()
        clips = dataset.split(split)
        # Judged are the voices: somebody who speaks once and is held out has no voice to be said in.
        self._targets = [clip for clip in clips if split == "train" or clip.speaker in voices]
        self._features: dict[str, TargetFeatures] = {c.file: load_target(dataset, c, folder) for c in clips}
        self._power = {clip.file: load_log_power(clip, folder) for clip in clips}
        self._files = tuple(self._power)
        self._phones = {clip.file: dataset.phone_ids(clip) for clip in clips}
        self._mean_log_f0 = {c.speaker: 0.0 for c in clips}
        self._groups: dict[str, list[Clip]] = {}
        for clip in clips:
            self._groups.setdefault(clip.group, []).append(clip)
        self._measure_speakers(clips)
        self._weights = _balanced(self._targets, voices)

    def _measure_speakers(self, clips: tuple[Clip, ...]) -> None:
        for speaker in self._mean_log_f0:
            tracks = [self._features[c.file].track for c in clips if c.speaker == speaker][:20]
            voiced = np.concatenate([t.log_f0[t.voiced > 0.5] for t in tracks])
            prior = float(np.log(self._config.front_end.pitch.prior_hz))
            self._mean_log_f0[speaker] = float(np.mean(voiced)) if len(voiced) else prior

    def clip_files(self) -> tuple[str, ...]:
        """Every clip whose sound can come into a batch, as target or as source."""
        return self._files

    def batch(self, crop: Crop, rng: np.random.Generator) -> Batch:
        """One batch drawn with ``rng``."""
        items = [self._item(crop, rng) for _ in range(crop.batch)]
        return {name: np.stack([item[name] for item in items]) for name in items[0]}

    def _item(self, crop: Crop, rng: np.random.Generator) -> dict[str, np.ndarray]:
        clip = self._targets[int(rng.choice(len(self._targets), p=self._weights))]
        features = self._features[clip.file]
        lookahead = self._config.timing.lookahead_hops
        last = len(features.track.log_f0) - crop.hops - lookahead
        start = int(rng.integers(0, last)) if last > 0 else 0
        source, energy = self._source(clip, start, crop.hops + lookahead, crop.aligned_share, rng)
        return {
            "mel": source[lookahead:],
            **self._target(features, start, energy[: crop.hops], rng),
            "voice": np.asarray(self._rows[clip.speaker], np.int32),
            "phones": self._phone_crop(clip, start, crop.hops),
        }

    def _source(
        self, clip: Clip, start: int, hops: int, aligned_share: float, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """What the device would read of a disguised or another speaker's clip: mel and energy of ``hops`` frames."""
        spec = self._config.front_end
        source = clip
        others = [c for c in self._groups[clip.group] if c.speaker != clip.speaker]
        if others and rng.random() < aligned_share:
            source = others[int(rng.integers(len(others)))]
        # Another speaker already differs in pitch; the clip itself must be disguised.
        variant = int(rng.integers(len(SPEEDS))) if source is clip or rng.random() < 0.5 else 0
        stored = self._power[source.file][variant]
        before = _before(stored, start, rng)
        power = np.concatenate([before, _padded(stored, start, hops)])
        power = perturb(np.exp(power), spec, self._ranges, rng, self._other_speech(len(power), rng))
        speed = SPEEDS[variant]
        # Align as the device would, then miss by as much as real speakers differ; undo what the speed did to formants.
        aligned = self._aligner.ratio(self._mean_log_f0[source.speaker])
        formant = rng.uniform(self._ranges.formant_minimum, self._ranges.formant_maximum)
        return source_features(power, spec, aligned * formant / speed, len(before))

    def _other_speech(self, hops: int, rng: np.random.Generator) -> FloatArray | None:
        """Power (hops, n_bins) of somebody else talking, for the background, or None."""
        if rng.random() >= self._ranges.babble_probability:
            return None
        stored = self._power[self._files[int(rng.integers(len(self._files)))]][0]
        start = int(rng.integers(len(stored)))
        return np.exp(np.take(stored, np.arange(start, start + hops), axis=0, mode="wrap").astype(np.float32))

    def _target(
        self, features: TargetFeatures, start: int, energy: FloatArray, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Aux features, excitation spectra and samples of output frames start.. of a clip.

        Pitch and voicing are as the device's tracker heard the clip, well or badly, because the excitation on the
        device is too; ``energy`` is the source's, because the device has no other.
        """
        spec, synthesis = self._config.front_end, self._config.synthesis
        hops = len(energy)
        track = self._heard(features, rng)
        log_f0 = _padded_1d(track.log_f0, start - 1, hops + 1, fill=float(np.log(spec.pitch.prior_hz)))
        voiced = _padded_1d(track.voiced, start - 1, hops + 1)
        excitation = Excitation(spec.sample_rate_hz, spec.hop_length, synthesis.pulse_taps, int(rng.integers(1 << 31)))
        excitation.reset(phase=float(rng.random()))
        block = excitation.process(log_f0.astype(np.float32))
        hops_of = np.stack([block.harmonic, block.noise]).reshape(2, hops + 1, spec.hop_length)
        spectra = window_sources(hops_of, synthesis).astype(np.complex64)
        first = start * spec.hop_length + synthesis.lead_samples - (synthesis.n_fft - spec.hop_length * 2) // 2
        return {
            "aux": aux_features(log_f0[1:], voiced[1:], energy),
            "harmonic_re": spectra[0].real,
            "harmonic_im": spectra[0].imag,
            "noise_re": spectra[1].real,
            "noise_im": spectra[1].imag,
            "target": _padded_1d(features.samples, first, (hops - 1) * spec.hop_length),
        }

    def _heard(self, features: TargetFeatures, rng: np.random.Generator) -> PitchTrack:
        if rng.random() < _DEGRADED_SHARE:
            return features.degraded[int(rng.integers(len(features.degraded)))]
        return features.track

    def _phone_crop(self, clip: Clip, start: int, hops: int) -> np.ndarray:
        phones = self._phones[clip.file]
        out = np.full(hops, NO_PHONE, np.int32)
        if phones is not None:
            # Output frame u is centred about one hop before the hop with index u.
            index = np.arange(start, start + hops) - 1
            inside = (index >= 0) & (index < len(phones))
            out[inside] = phones[index[inside]]
        return out


def company(dataset: Dataset, voices: tuple[str, ...]) -> tuple[str, ...]:
    """Speakers of a dataset's training clips that are no voices, sorted."""
    return tuple(sorted({clip.speaker for clip in dataset.split("train")} - set(voices)))


def _balanced(clips: Sequence[Clip], voices: tuple[str, ...]) -> np.ndarray:
    """How often each clip is drawn: every voice as often as any other, the company by its minutes, and so within one.

    A speaker of the company who has more than a fifth of its minutes counts for a fifth.
    """
    spoken: dict[str, float] = {}
    for clip in clips:
        spoken[clip.speaker] = spoken.get(clip.speaker, 0.0) + clip.seconds
    ours = [name for name in spoken if name in voices]
    others = {name: seconds for name, seconds in spoken.items() if name not in voices}
    shares = {name: 1.0 / len(ours) for name in ours}
    if others:
        cap = _COMPANY_LARGEST * sum(others.values())
        counted = {name: min(seconds, cap) for name, seconds in others.items()}
        company_share = _COMPANY_SHARE if ours else 1.0
        shares = {name: share * (1.0 - company_share) for name, share in shares.items()}
        shares.update({name: company_share * value / sum(counted.values()) for name, value in counted.items()})
    return np.array([shares[clip.speaker] * clip.seconds / spoken[clip.speaker] for clip in clips])


def _before(stored: np.ndarray, start: int, rng: np.random.Generator) -> FloatArray:
    """Log power (n, n_bins) that the running averages hear before the crop: nothing, a little, or seconds."""
    kind = rng.random()
    if kind < _COLD_SHARE:
        return np.zeros((0, stored.shape[1]), np.float32)
    if kind < _COLD_SHARE + _PRIMED_SHARE:
        return np.asarray(stored[:_PRIME_HOPS], np.float32)
    return np.asarray(stored[max(0, start - _WARM_UP_HOPS) : start], np.float32)


def _padded(rows: np.ndarray, start: int, length: int) -> np.ndarray:
    """Rows start .. start + length as float32; beyond the ends the floor of the log power."""
    out = np.full((length, rows.shape[1]), -23.0, np.float32)
    first, last = max(0, start), min(len(rows), start + length)
    out[first - start : last - start] = rows[first:last]
    return out


def _padded_1d(values: FloatArray, start: int, length: int, fill: float | None = None) -> FloatArray:
    """Values start .. start + length; beyond the ends ``fill``, or zero."""
    out = np.full(length, 0.0 if fill is None else fill, np.float32)
    first, last = max(0, start), min(len(values), start + length)
    if first < last:
        out[first - start : last - start] = values[first:last]
    return out


def stream_batches(sampler: Sampler, crop: Crop, seed: int, first_step: int) -> Generator[Batch, None, None]:
    """Batches of step first_step, first_step + 1, …, prepared ahead on a thread of its own."""
    return stream(lambda rng: sampler.batch(crop, rng), seed, first_step)
