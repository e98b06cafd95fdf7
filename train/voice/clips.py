"""From a recording to clips: where speech is, where to cut, how loud, how clean. NumPy only, no files.

Shapes: ``samples`` is float32 (n,) in [-1, 1] at 16 kHz unless a rate is given; frames are 10 ms hops. Levels are dB
relative to full scale RMS (a full-scale sine is -3 dBFS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from train.voice.dataset import HOP_LENGTH, SAMPLE_RATE_HZ

Samples = NDArray[np.float32]
Frames = NDArray[np.float64]

FLOOR_DBFS: Final = -100.0
"""Digital silence counts as this much; below what 16 bits can hold."""
_ENERGY_WINDOW: Final = 320
_RANGE_DB: Final = 35.0
_RANGE_SHARE: Final = 0.35
_BRIDGE_FRAMES: Final = 25
_SHORTEST_FRAMES: Final = 4
_BAND_HZ: Final = 125.0
_BANDWIDTH_RANGE_DB: Final = 62.0


@dataclass(frozen=True)
class CutSpec:
    """How recordings become clips. Part of the key under which finished work is found again."""

    minimum_s: float = 2.0
    """Shorter clips are left out; tiny bits are first joined with their neighbours."""
    maximum_s: float = 12.0
    pad_s: float = 0.15
    """Silence kept before and after speech, as far as the recording has it."""
    pause_s: float = 0.7
    """A pause of at least this ends a clip that is long enough."""
    longest_pause_s: float = 1.5
    """No clip spans a longer pause, however short it is."""
    level_dbfs: float = -26.0
    """Active speech of every clip is brought to this RMS level."""
    peak: float = 0.95
    """Amplitude that no sample exceeds; a clip that would is levelled lower."""
    minimum_snr_db: float = 15.0
    maximum_clipped: float = 0.03
    """Clips with a larger share of 10 ms hops that hold clipped samples are left out."""
    silent_dbfs: float = -60.0
    """A recording whose speech level is below this is taken for silent."""


@dataclass(frozen=True)
class Activity:
    """Where a recording holds speech."""

    active: NDArray[np.bool_]
    """(frames,), one per 10 ms."""
    frame_dbfs: Frames
    """(frames,) level of 20 ms around each hop."""
    speech_dbfs: float
    """RMS level over active frames."""
    noise_dbfs: float
    """Level that a fifth of the inactive frames stay below; of all frames a twentieth where none are inactive."""

    @property
    def snr_db(self) -> float:
        """Speech level over noise level."""
        return self.speech_dbfs - self.noise_dbfs


def frame_levels(samples: Samples) -> Frames:
    """Level in dBFS of the 20 ms around the middle of every whole 10 ms hop; (n // 160,)."""
    n_frames = len(samples) // HOP_LENGTH
    margin = (_ENERGY_WINDOW - HOP_LENGTH) // 2
    padded = np.pad(samples.astype(np.float64), (margin, margin + HOP_LENGTH))
    total = np.concatenate([[0.0], np.cumsum(padded * padded)])
    starts = np.arange(n_frames) * HOP_LENGTH
    power = np.maximum(total[starts + _ENERGY_WINDOW] - total[starts], 0.0) / _ENERGY_WINDOW
    return 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DBFS / 10.0)))


def find_activity(samples: Samples) -> Activity:
    """Tell speech from pauses by level alone, relative to the recording's own loud and quiet frames.

    A frame is active when it lies within 35 dB of the loud frames (95th percentile) and above the lower third of the
    range between them and the quiet ones (5th percentile). Gaps under a quarter second are bridged and blips under
    40 ms dropped: plosives have gaps, and clicks are no words.
    """
    levels = frame_levels(samples)
    if len(levels) == 0:
        return Activity(np.zeros(0, bool), levels, FLOOR_DBFS, FLOOR_DBFS)
    quiet, loud = np.percentile(levels, [5.0, 95.0])
    threshold = max(loud - _RANGE_DB, quiet + _RANGE_SHARE * (loud - quiet), FLOOR_DBFS + 1e-6)
    raw = levels >= threshold
    active = _drop_runs(_drop_runs(raw, value=True, shorter_than=_SHORTEST_FRAMES), False, _BRIDGE_FRAMES)
    inactive = levels[~active]
    # Not the median: the edges of a short pause hold breath and the tails of words.
    noise = np.percentile(inactive, 20.0) if len(inactive) >= 10 else np.percentile(levels, 5.0)
    return Activity(active, levels, _mean_level(levels[raw & active]), float(noise))


def find_clips(activity: Activity, spec: CutSpec) -> list[tuple[int, int]]:
    """Cut a recording into clips: (start, stop) in samples, in order, not overlapping.

    Cuts fall into pauses; speech without a pause for longer than ``maximum_s`` is cut at its quietest frame. Clips
    shorter than ``minimum_s`` are in the list too, for the caller to count and leave out.
    """
    pad = round(spec.pad_s * SAMPLE_RATE_HZ / HOP_LENGTH)
    longest = round(spec.maximum_s * SAMPLE_RATE_HZ / HOP_LENGTH) - 2 * pad
    pieces = [p for run in _runs(activity.active) for p in _cut_long(run, activity.frame_dbfs, longest)]
    merged: list[tuple[int, int]] = []
    for start, stop in pieces:
        if merged and _belongs(merged[-1], (start, stop), spec, longest):
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return _padded(merged, pad, len(activity.active))


def speech_span(samples: Samples) -> tuple[int, int]:
    """Where speech begins and ends, as samples (start, stop) on hop boundaries; (0, 0) for silence."""
    active = np.flatnonzero(find_activity(samples).active)
    return (int(active[0]) * HOP_LENGTH, int(active[-1] + 1) * HOP_LENGTH) if len(active) else (0, 0)


def level(samples: Samples, spec: CutSpec) -> tuple[Samples, float]:
    """Bring the active speech of a clip to ``level_dbfs`` without exceeding ``peak``; also returns the gain in dB.

    A silent clip comes back unchanged.
    """
    centred = samples - np.float32(samples.mean()) if len(samples) else samples
    speech_dbfs = find_activity(centred).speech_dbfs
    top = float(np.abs(centred).max(initial=0.0))
    if speech_dbfs <= FLOOR_DBFS or top == 0.0:
        return samples, 0.0
    gain = min(10.0 ** ((spec.level_dbfs - speech_dbfs) / 20.0), spec.peak / top)
    return (centred * np.float32(gain)).astype(np.float32), float(20.0 * np.log10(gain))


def clipped_mask(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which samples were clipped by the recorder: (n,) or (n, channels) in, (n,) out.

    Runs of at least three equal samples at the recording's own extreme count, when that extreme is above half of full
    scale; a loud but clean recording touches its maximum once, not three times in a row.
    """
    channels = samples[:, None] if samples.ndim == 1 else samples
    mask = np.zeros(len(channels), bool)
    for channel in channels.T:
        for extreme in (channel.max(initial=0.0), channel.min(initial=0.0)):
            if abs(extreme) >= 0.5:
                hit = np.abs(channel - extreme) <= 1e-4
                mask |= _drop_runs(hit, value=True, shorter_than=3)
    return mask


def bandwidth_hz(samples: Samples, activity: Activity) -> float:
    """Highest frequency that active speech really reaches, at most 8000: telephone or MP3 sound shows here.

    The loudest twentieth of active frames per 125 Hz band (fricatives, for the high bands) must lie within 62 dB of
    the strongest band; resamplers and codecs leave less than that above their cut-off.
    """
    n_fft = 512
    frames = np.flatnonzero(activity.active)
    frames = frames[(frames * HOP_LENGTH + n_fft) <= len(samples)][:30_000]
    if len(frames) == 0:
        return 0.0
    window = np.hanning(n_fft)
    per_band = round(_BAND_HZ / (SAMPLE_RATE_HZ / n_fft))
    bands = []
    for chunk in np.array_split(frames, max(1, len(frames) // 2000)):
        cut = samples[chunk[:, None] * HOP_LENGTH + np.arange(n_fft)] * window
        power = np.abs(np.fft.rfft(cut, axis=1))[:, 1:] ** 2
        bands.append(power.reshape(len(chunk), -1, per_band).mean(axis=2))
    strong = np.percentile(np.concatenate(bands), 95.0, axis=0)
    decibels = 10.0 * np.log10(np.maximum(strong, 1e-12))
    reached = np.flatnonzero(decibels >= decibels.max() - _BANDWIDTH_RANGE_DB)
    return float((reached[-1] + 1) * _BAND_HZ)


def _mean_level(levels: Frames) -> float:
    if len(levels) == 0:
        return FLOOR_DBFS
    return float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, stop) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _drop_runs(mask: NDArray[np.bool_], value: bool, shorter_than: int) -> NDArray[np.bool_]:
    """Flip runs of ``value`` that are shorter; pauses at the ends stay pauses."""
    result = mask.copy()
    for start, stop in _runs(mask == value):
        inside = start > 0 and stop < len(mask)
        if stop - start < shorter_than and (value or inside):
            result[start:stop] = not value
    return result


def _cut_long(run: tuple[int, int], levels: Frames, longest: int) -> list[tuple[int, int]]:
    start, stop = run
    pieces = []
    while (span := stop - start) > longest:
        # Middle third while two clips are enough, so that no crumb is left over.
        low = start + (span // 3 if span < 2 * longest else longest // 2)
        high = start + min(longest, max(2 * span // 3, longest // 2 + 1))
        cut = low + int(np.argmin(levels[low:high]))
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, stop)]


def _belongs(last: tuple[int, int], piece: tuple[int, int], spec: CutSpec, longest: int) -> bool:
    """Whether ``piece`` continues the clip ``last`` (both in frames)."""
    per_second = SAMPLE_RATE_HZ / HOP_LENGTH
    gap_s = (piece[0] - last[1]) / per_second
    if piece[1] - last[0] > longest:
        return False
    short = min(last[1] - last[0], piece[1] - piece[0]) / per_second + 2 * spec.pad_s < spec.minimum_s
    return 0.0 < gap_s < (spec.longest_pause_s if short else spec.pause_s)


def _padded(pieces: list[tuple[int, int]], pad: int, n_frames: int) -> list[tuple[int, int]]:
    """Frames to samples, with ``pad`` frames of surroundings that are shared fairly between neighbours."""
    result = []
    for i, (start, stop) in enumerate(pieces):
        before = pieces[i - 1][1] if i else -n_frames
        after = pieces[i + 1][0] if i + 1 < len(pieces) else 2 * n_frames
        first = max(start - pad, (before + start + 1) // 2, 0)
        last = min(stop + pad, (stop + after + 1) // 2, n_frames)
        result.append((first * HOP_LENGTH, last * HOP_LENGTH))
    return result
