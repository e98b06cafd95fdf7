"""Step 2: clips into features, by the front end of `edge_runtime`, cached under its fingerprint.

For every clip two files: what it is like as a *target* (the pitch and voicing that the device would measure, aligned
to output frames, as it is and in bad rooms), and what it is like as a *source*: power spectra of the clip played at
several speeds, frame by frame at the original's times. Speed moves pitch and formants together, with the right harmonic
density for the device's window; a warped mel matrix then moves the formants alone (`train.voice.perturb`). So pitch and
vocal tract are varied independently without a vocoder and without its artefacts.

    DATA/features/<fingerprint>/<clip>.target.npz, <clip>.power.npy
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.cli.arguments import Parser
from edge_runtime.contract import FrontEndSpec
from edge_runtime.errors import WorkstationError
from edge_runtime.files import make_folder, write_atomic
from edge_runtime.media.resample import resample
from edge_runtime.voice import mel
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.front_end import analyse
from train.progress import Progress
from train.voice.dataset import Clip, Dataset, load_dataset, read_clip
from train.voice.degrade import degrade
from train.voice.presets import LATENCIES, front_end_spec

SPEEDS = (1.0, 0.5, 0.63, 0.8, 1.25)
"""Pitch ratios of the source variants; the first is the clip itself."""

DEGRADED_TRACKS = 3
"""How many bad rooms and microphones the pitch of every clip is tracked in."""

_LOG_POWER_FLOOR = 1e-10
_RECIPE_VERSION = 2
"""Bumped on any change of what the files below hold."""


@dataclass(frozen=True)
class PitchTrack:
    """What the device's tracker says of a clip; U output frames."""

    log_f0: FloatArray
    """(U,) natural log of Hz, held through unvoiced stretches."""
    voiced: FloatArray
    """(U,) 1 where voiced, else 0."""


@dataclass(frozen=True)
class TargetFeatures:
    """A clip as the thing to be said."""

    samples: FloatArray
    """(n,) at the model's rate."""
    track: PitchTrack
    """Of the clip as it is."""
    degraded: tuple[PitchTrack, ...]
    """Of the clip in bad rooms and noise; `DEGRADED_TRACKS` of them."""


def features_folder(dataset: Dataset, spec: FrontEndSpec, lookahead_hops: int) -> Path:
    """Where the features of a dataset for this front end lie; another front end has another folder."""
    recipe = f"{spec.fingerprint()}:{lookahead_hops}:{SPEEDS}:{DEGRADED_TRACKS}:{_RECIPE_VERSION}"
    key = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    return dataset.root / "features" / key


def pitch_track(samples: FloatArray, spec: FrontEndSpec, lookahead_hops: int) -> PitchTrack:
    """Pitch of a clip (n,) by output frame, as the device measures it."""
    n_frames = len(samples) // spec.hop_length
    padded = np.concatenate([samples, np.zeros(lookahead_hops * spec.hop_length, np.float32)])
    late = analyse(padded, spec, lookahead_hops).slice(lookahead_hops, lookahead_hops + n_frames)
    return PitchTrack(late.log_f0, late.voiced)


def target_features(samples: FloatArray, spec: FrontEndSpec, lookahead_hops: int, seed: int) -> TargetFeatures:
    """Features of a clip (n,); ``seed`` decides what rooms and noise its degraded tracks come from."""
    rng = np.random.default_rng(seed)
    heard = [degrade(samples, spec.sample_rate_hz, rng) for _ in range(DEGRADED_TRACKS)]
    track, *degraded = (pitch_track(sound, spec, lookahead_hops) for sound in (samples, *heard))
    return TargetFeatures(samples, track, tuple(degraded))


def source_power(samples: FloatArray, spec: FrontEndSpec, speed: float) -> FloatArray:
    """Power (T, n_bins) of a clip (n,) played at ``speed``, frame t at the time of the original's frame t."""
    n_frames = len(samples) // spec.hop_length
    rate = spec.sample_rate_hz
    played = resample(samples, round(rate * speed), rate)
    centres = (np.arange(n_frames) + 1) * spec.hop_length - spec.win_length / 2
    starts = np.rint(centres / speed - spec.win_length / 2).astype(np.intp)
    margin = max(spec.win_length, int(-starts.min(initial=0)))
    padded = np.pad(played, (margin, 2 * spec.win_length + margin))
    frames = padded[(starts + margin)[:, None] + np.arange(spec.win_length)]
    return mel.power_spectrum(frames, spec)


def preprocess(dataset: Dataset, spec: FrontEndSpec, lookahead_hops: int) -> Path:
    """Make the features of all clips that have none yet; returns their folder. Safe to interrupt and repeat."""
    folder = features_folder(dataset, spec, lookahead_hops)
    make_folder(folder)
    missing = [clip for clip in dataset.clips if not _power_path(folder, clip).exists()]
    total = sum(clip.seconds for clip in missing)
    done = 0.0
    with Progress(total, "preprocess") as progress:
        for clip in missing:
            _preprocess_clip(dataset, clip, folder, spec, lookahead_hops)
            done += clip.seconds
            progress.update(done, f"{done / 60:.1f} of {total / 60:.1f} min")
    return folder


def _preprocess_clip(dataset: Dataset, clip: Clip, folder: Path, spec: FrontEndSpec, lookahead_hops: int) -> None:
    samples = read_clip(dataset.path(clip))
    seed = int.from_bytes(hashlib.sha256(clip.file.encode()).digest()[:8], "big")
    target = target_features(samples, spec, lookahead_hops, seed)
    tracks = (target.track, *target.degraded)
    buffer = io.BytesIO()
    np.savez(buffer, log_f0=np.stack([t.log_f0 for t in tracks]), voiced=np.stack([t.voiced for t in tracks]))
    write_atomic(_target_path(folder, clip), [buffer.getvalue()])
    power = np.stack([source_power(samples, spec, speed) for speed in SPEEDS])
    buffer = io.BytesIO()
    np.save(buffer, np.log(power + _LOG_POWER_FLOOR).astype(np.float16))
    write_atomic(_power_path(folder, clip), [buffer.getvalue()])


def load_target(dataset: Dataset, clip: Clip, folder: Path) -> TargetFeatures:
    """Target features of a preprocessed clip."""
    path = _target_path(folder, clip)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            track, *degraded = map(PitchTrack, arrays["log_f0"], arrays["voiced"])
        return TargetFeatures(read_clip(dataset.path(clip)), track, tuple(degraded))
    except (OSError, ValueError, KeyError) as error:
        raise WorkstationError(f"{path} cannot be read; delete it and run preprocess again") from error


def load_log_power(clip: Clip, folder: Path) -> np.ndarray:
    """Log power (len(SPEEDS), T, n_bins) float16 of a preprocessed clip, mapped from disk."""
    path = _power_path(folder, clip)
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise WorkstationError(f"{path} cannot be read; delete it and run preprocess again") from error


def _stem(clip: Clip) -> str:
    return clip.file.replace("/", "--")


def _target_path(folder: Path, clip: Clip) -> Path:
    return folder / f"{_stem(clip)}.target.npz"


def _power_path(folder: Path, clip: Clip) -> Path:
    return folder / f"{_stem(clip)}.power.npy"


def main(argv: Sequence[str]) -> int:
    """``changeling train voice preprocess DATA``."""
    parser = Parser("changeling train voice preprocess", "Compute and cache the features of a dataset.")
    parser.add_argument("data", metavar="DATA", help="folder made by collect")
    parser.add_argument("--latency", choices=sorted(LATENCIES), default="default", help="look-ahead of the model")
    options = parser.parse_args(list(argv))
    dataset = load_dataset(Path(options.data))
    folder = preprocess(dataset, front_end_spec(), LATENCIES[options.latency])
    print(f"features of {len(dataset.clips)} clips ({dataset.minutes:.1f} min) are in {folder}")
    return 0
