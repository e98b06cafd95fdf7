"""Real speech for calibration and for parity: recordings to network inputs, and states rolled out over them.

An int8 range that was found with zero states is wrong for every call but the first, so the float step model runs over
real speech with its states fed back, and what went into each call is kept, by input name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.media.resample import resample
from edge_runtime.voice.controls import edit_prosody, make_controls, make_target
from edge_runtime.voice.front_end import analyse, aux_features
from export.recipes import STATE_SUFFIX
from export.subject import FloatArray, Subject

Feeds = Mapping[str, FloatArray]
Step = Callable[[Feeds], Mapping[str, FloatArray]]
"""One call of the graph: tensors in and out by name."""

CLIP_SECONDS = 4.0
"""Longest piece of a recording that is used."""

SHORTEST_SECONDS = 0.5
"""Recordings below this are left out."""

MAXIMUM_CLIPS = 4
_LONGEST_RECORDING_S = 3600.0
_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True)
class Clip:
    """A piece of speech and what the network gets to see of it for one voice, in whole calls."""

    name: str
    voice: str
    samples: FloatArray
    """(n,) at the front end's rate."""
    mel: FloatArray
    """(N, n_mels)"""
    aux: FloatArray
    """(N, 3), the pitch moved to the voice's range as the runtime does by default."""
    film: FloatArray
    """(1, F)"""


@dataclass(frozen=True)
class Rollout:
    """What went in and what came out, call by call: arrays (calls, *shape) by tensor name."""

    feeds: dict[str, FloatArray]
    outputs: dict[str, FloatArray]


def make_clip(name: str, samples: FloatArray, run: Subject, voice: str) -> Clip:
    """Network inputs of ``samples`` (n,) as `edge_runtime` makes them with its default controls."""
    front_end, timing = run.front_end, run.timing
    call = front_end.hop_length * timing.chunk_hops
    samples = np.ascontiguousarray(samples[: len(samples) // call * call], np.float32)
    features = analyse(samples, front_end, timing.lookahead_hops)
    controls = make_controls(run, voice=voice)
    target = make_target(run.voices, run.film, controls)
    prosody = edit_prosody(features, controls, target)
    aux = aux_features(prosody.log_f0, features.voiced, features.energy)
    return Clip(name, voice, samples, features.mel, aux, target.film)


def load_clips(paths: Sequence[Path], run: Subject) -> list[Clip]:
    """The loudest `CLIP_SECONDS` of each recording, the voices taken in turn.

    Raises `InputError` when a recording cannot be read or all are too short.
    """
    rate_hz = run.front_end.sample_rate_hz
    clips = []
    for i, path in enumerate(paths):
        audio = read_audio(path, max_seconds=_LONGEST_RECORDING_S)
        samples = to_mono(audio.samples)
        if audio.sample_rate_hz != rate_hz:
            samples = resample(samples, audio.sample_rate_hz, rate_hz)
        if len(samples) < SHORTEST_SECONDS * rate_hz:
            continue
        piece = _loudest(samples, int(CLIP_SECONDS * rate_hz))
        voice = run.voices[i % len(run.voices)].name
        clips.append(make_clip(path.stem, piece, run, voice))
    if not clips:
        raise InputError(f"{paths[0].parent} holds no recording of at least {SHORTEST_SECONDS} s to run the model on")
    return clips


def _loudest(samples: FloatArray, length: int) -> FloatArray:
    """The stretch of at most ``length`` samples with the most energy."""
    if len(samples) <= length:
        return samples
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    start = int(np.argmax(total[length:] - total[:-length]))
    return samples[start : start + length]


def split_heldout(heldout: Sequence[Path], calibration: Path | None) -> tuple[list[Path], list[Path]]:
    """Recordings for calibration and for the tests, never the same ones when there are two.

    Raises `WorkstationError` when there is nothing to use.
    """
    paths = sorted(heldout)
    if not paths:
        raise WorkstationError("the run has no held-out recordings to prove an export on; train it again with some")
    if calibration is not None:
        found = sorted(p for p in calibration.glob("**/*") if p.suffix.lower() in _SUFFIXES and p.is_file())
        if not found:
            raise InputError(f"{calibration} holds no recordings ({', '.join(_SUFFIXES)}) to calibrate on")
        return found[:MAXIMUM_CLIPS], paths[:MAXIMUM_CLIPS]
    if len(paths) == 1:
        return paths, paths
    return paths[::2][:MAXIMUM_CLIPS], paths[1::2][:MAXIMUM_CLIPS]


def keras_step(step: Any) -> Step:
    """The Keras step model as a `Step`, compiled once."""
    import tensorflow as tf

    function = tf.function(lambda feeds: step(feeds, training=False))
    names = list(step.input)

    def run(feeds: Feeds) -> dict[str, FloatArray]:
        outputs = function({name: tf.convert_to_tensor(feeds[name]) for name in names})
        return {name: np.asarray(value) for name, value in outputs.items()}

    return run


def clip_feeds(clip: Clip, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, FloatArray]:
    """Inputs of every call over the clip, (calls, *shape) by name, with states of zero.

    ``shapes`` gives the shape of every input by name.
    """
    hops = shapes["mel"][0]
    calls = len(clip.mel) // hops
    feeds = {
        "mel": clip.mel[: calls * hops].reshape(calls, hops, -1),
        "aux": clip.aux[: calls * hops].reshape(calls, hops, -1),
        "film": np.broadcast_to(clip.film, (calls, *clip.film.shape)),
    }
    for name, shape in shapes.items():
        if name not in feeds:
            feeds[name] = np.zeros((calls, *shape), np.float32)
    return feeds


def roll_out(step: Step, feeds: Feeds) -> Rollout:
    """Run ``step`` over all calls, feeding back its own states; keeps what really went in."""
    outputs = roll_out_feeds(step, feeds, own_states=True)
    seen = dict(feeds)
    for name in feeds:
        if name + STATE_SUFFIX in outputs:
            seen[name] = np.concatenate([feeds[name][:1], outputs[name + STATE_SUFFIX][:-1]])
    return Rollout(seen, outputs)


def roll_out_feeds(step: Step, feeds: Feeds, *, own_states: bool) -> dict[str, FloatArray]:
    """Outputs (calls, *shape) by name; with ``own_states`` the states in ``feeds`` count for the first call only."""
    collected: list[Mapping[str, FloatArray]] = []
    states: dict[str, FloatArray] = {}
    for call in range(len(next(iter(feeds.values())))):
        outputs = step({name: values[call] for name, values in feeds.items()} | states)
        if own_states:
            states = {name: outputs[name + STATE_SUFFIX] for name in feeds if name + STATE_SUFFIX in outputs}
        collected.append(outputs)
    return _stack(collected)


def _stack(rows: Sequence[Feeds]) -> dict[str, FloatArray]:
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def join(rollouts: Sequence[Rollout]) -> Rollout:
    """One after the other."""
    return Rollout(
        {name: np.concatenate([r.feeds[name] for r in rollouts]) for name in rollouts[0].feeds},
        {name: np.concatenate([r.outputs[name] for r in rollouts]) for name in rollouts[0].outputs},
    )
