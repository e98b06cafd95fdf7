"""What `collect` tells: a few lines for the terminal and ``collect.txt``, and a picture, ``collect.png``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime.errors import MissingDependencyError
from edge_runtime.files import write_atomic
from train.voice.clips import bandwidth_hz, find_activity
from train.voice.dataset import Dataset, read_clip
from train.voice.recordings import ClipFacts, LeftOut, RecordingResult

_NARROW_HZ: Final = 7000.0
_NOISY_DB: Final = 25.0
_FEW_MINUTES: Final = 5.0
_NAMES_SHOWN: Final = 4
_CLIPS_MEASURED: Final = 200


def write_report(dataset: Dataset, results: Sequence[RecordingResult], left_out: Sequence[LeftOut], reused: int) -> str:
    """Write the report of collected recordings into the dataset folder; returns the text."""
    facts = [clip for result in results for clip in result.clips]
    lines = [*_kept_lines(dataset, results, reused), *_quality_lines(results, facts), *_left_out_lines(left_out)]
    lines += [f"advice    {line}" for line in _advice(dataset, facts)]
    losses = {reason: sum(e.seconds for e in left_out if e.reason == reason) for reason in count_reasons(left_out)}
    return _write(dataset, lines, facts, losses)


def write_corpus_report(dataset: Dataset) -> str:
    """Write the report of a synthesised corpus; up to 200 of its clips are measured. Returns the text."""
    step = max(1, len(dataset.clips) // _CLIPS_MEASURED)
    facts = [_measure(dataset, i) for i in range(0, len(dataset.clips), step)]
    heldout_s = sum(clip.seconds for clip in dataset.split("heldout"))
    n_groups = len({clip.group for clip in dataset.clips})
    per_voice = dataset.minutes / max(len(dataset.speakers), 1)
    lines = [
        f"kept      {dataset.minutes:.1f} minutes: {n_groups} sentences in {len(dataset.speakers)} voice(s) "
        f"({', '.join(dataset.speakers)}), {per_voice:.1f} minutes each",
        f"held out  {heldout_s / 60.0:.1f} minutes",
        f"phones    {'labelled every 10 ms' if dataset.phone_names() else 'not labelled'}",
        f"noise     SNR {_median([f.snr_db for f in facts]):.0f} dB",
        f"bandwidth {_median([f.bandwidth_hz for f in facts]) / 1000.0:.1f} kHz",
    ]
    return _write(dataset, lines, facts, {})


def count_reasons(left_out: Sequence[LeftOut]) -> dict[str, int]:
    """How often each reason occurs, in order of appearance."""
    counts: dict[str, int] = {}
    for entry in left_out:
        counts[entry.reason] = counts.get(entry.reason, 0) + 1
    return counts


def _write(dataset: Dataset, lines: list[str], facts: Sequence[ClipFacts], losses: dict[str, float]) -> str:
    picture = dataset.root / "collect.png"
    text = "\n".join([*lines, f"picture   {picture}"])
    write_atomic(picture, (_picture(dataset, facts, losses),))
    write_atomic(dataset.root / "collect.txt", (text.encode() + b"\n",))
    return text


def _kept_lines(dataset: Dataset, results: Sequence[RecordingResult], reused: int) -> list[str]:
    used = sum(bool(result.clips) for result in results)
    recorded = sum(result.seconds for result in results) / 60.0
    heldout = dataset.split("heldout")
    earlier = f"; {reused} were finished earlier" if reused else ""
    return [
        f"kept      {dataset.minutes:.1f} of {recorded:.1f} minutes of {dataset.speakers[0]}: {len(dataset.clips)} "
        f"clips from {used} recording(s){earlier}",
        f"held out  {sum(clip.seconds for clip in heldout) / 60.0:.1f} minutes, {len(heldout)} clip(s)",
    ]


def _quality_lines(results: Sequence[RecordingResult], facts: Sequence[ClipFacts]) -> list[str]:
    rates = sorted({result.sample_rate_hz for result in results})
    clipped = 100.0 * sum(f.clipped * f.seconds for f in facts) / sum(f.seconds for f in facts)
    narrowest = min(facts, key=lambda f: f.bandwidth_hz)
    return [
        f"format    {', '.join(f'{rate / 1000:g}' for rate in rates)} kHz, now 16 kHz mono",
        f"level     speech at {_median([f.speech_dbfs for f in facts]):.1f} dBFS, now -26",
        f"noise     SNR {_median([f.snr_db for f in facts]):.0f} dB (worst {min(f.snr_db for f in facts):.0f}), "
        f"floor {_median([result.noise_dbfs for result in results]):.0f} dBFS",
        f"clipping  {clipped:.2f} % of the time (worst clip {100.0 * max(f.clipped for f in facts):.1f} %)",
        f"bandwidth {_median([f.bandwidth_hz for f in facts]) / 1000.0:.1f} kHz "
        f"(narrowest {narrowest.bandwidth_hz / 1000.0:.1f}: {Path(narrowest.file).name})",
    ]


def _left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    lines = []
    for reason, count in count_reasons(left_out).items():
        entries = [entry for entry in left_out if entry.reason == reason]
        seconds = sum(entry.seconds for entry in entries)
        known = f", {seconds:.1f} s" if seconds else ""
        shown = "; ".join(
            f"{e.source} at {e.start_s:.1f} s ({e.detail})" if e.start_s else f"{e.source} ({e.detail})"
            for e in entries[:_NAMES_SHOWN]
        )
        more = f"; and {count - _NAMES_SHOWN} more" if count > _NAMES_SHOWN else ""
        lines.append(f"left out  {count} {reason}{known}: {shown}{more}")
    return lines


def _advice(dataset: Dataset, facts: Sequence[ClipFacts]) -> list[str]:
    lines = []
    narrow = sum(f.bandwidth_hz < _NARROW_HZ for f in facts)
    if narrow:
        lines.append(f"{narrow} clip(s) have no sound above {_NARROW_HZ / 1000:g} kHz: the voice will sound dull there")
    noisy = sum(f.snr_db < _NOISY_DB for f in facts)
    if noisy:
        lines.append(f"{noisy} clip(s) have an SNR below {_NOISY_DB:g} dB: the voice will learn the noise too")
    if dataset.minutes < _FEW_MINUTES:
        lines.append(f"{dataset.minutes:.1f} minutes are little; 5 to 10 make a good voice")
    return lines


def _measure(dataset: Dataset, index: int) -> ClipFacts:
    clip = dataset.clips[index]
    samples = read_clip(dataset.path(clip))
    activity = find_activity(samples)
    width_hz = bandwidth_hz(samples, activity)
    return ClipFacts(clip.file, 0.0, clip.seconds, activity.speech_dbfs, activity.snr_db, 0.0, width_hz)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _picture(dataset: Dataset, facts: Sequence[ClipFacts], losses: dict[str, float]) -> bytes:
    """PNG with the distributions of length, SNR and bandwidth, and the minutes kept and lost."""
    figure = _figure()
    axes = figure.subplots(2, 2)
    for place, values, top, label in (
        (axes[0, 0], [clip.seconds for clip in dataset.clips], 15.0, "clip length, s"),
        (axes[0, 1], [f.snr_db for f in facts], 80.0, "SNR, dB"),
        (axes[1, 0], [f.bandwidth_hz / 1000.0 for f in facts], 8.0, "bandwidth, kHz"),
    ):
        place.hist(np.clip(values, 0.0, top), bins=32, range=(0.0, top), color="tab:blue")
        place.set_xlabel(label)
        place.set_ylabel("clips")
    minutes = {name: sum(c.seconds for c in dataset.split(name)) / 60.0 for name in ("train", "heldout")}
    minutes.update({reason: seconds / 60.0 for reason, seconds in losses.items()})
    colours = ["tab:green" if name in ("train", "heldout") else "tab:red" for name in minutes]
    axes[1, 1].barh(list(minutes), list(minutes.values()), color=colours)
    axes[1, 1].invert_yaxis()
    axes[1, 1].set_xlabel("minutes kept (green) and left out (red)")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError('the report needs matplotlib: pip install -e ".[train]"') from error
    return Figure(figsize=(10.0, 7.0), layout="constrained")
