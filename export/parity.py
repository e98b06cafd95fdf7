"""Runs a converted file against Keras on the same real inputs, tensor by tensor, by name.

Three comparisons (the last two for voices, which have states), all through the runtime's own backends:

* *streaming*: each side feeds back its own states, as on the board; this is what the floors hold for;
* *teacher-forced*: the file gets Keras' states at every call, which tells a graph's own error from what piles up;
* *offline*: the streamed outputs against the training form of the model run once over the whole recording.

SNR is the energy of the Keras output over the energy of the difference, over all calls of all clips, in dB; an output
that is heard through another one counts by what that one lets through (`export.recipes.HEARD_WITH`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.backends import Backend, open_backend
from edge_runtime.contract import TensorSpec
from export.calibrate import Rollout, Step, roll_out_feeds
from export.recipes import HEARD_WITH, STATE_SUFFIX, Recipe
from export.subject import FloatArray

SNR_LIMIT_DB = 200.0
"""Reported in place of infinity when two outputs are equal."""

HISTOGRAM_EDGES = tuple(float(edge) for edge in range(-9, 3))
"""Decades of absolute error, log10."""

_CALLS_PER_ROUND = 20
_LOUDEST_GAIN = 3.0
"""Log gains are taken as at most this, as the synthesis does, so that one wild frame does not count for all."""


@dataclass(frozen=True)
class GraphFile:
    """A bare converted graph on disk, and how to bind it."""

    label: str
    path: str
    graph_format: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def open(self) -> Backend:
        """Load it with one thread. Raises `BackendError`."""
        return open_backend(Path(self.path).read_bytes(), self.graph_format, self.inputs, self.outputs, threads=1)


@dataclass(frozen=True)
class Reference:
    """What Keras says about one clip."""

    rollout: Rollout
    """Inputs and outputs of the step form, call by call."""
    offline: dict[str, FloatArray]
    """(N, C) outputs of the training form by name."""

    def save(self, path: Path) -> None:
        """As .npz; `load` reads it."""
        parts = {"feed": self.rollout.feeds, "out": self.rollout.outputs, "offline": self.offline}
        arrays = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        np.savez(path, **arrays)  # type: ignore[arg-type]

    @staticmethod
    def load(path: str) -> Reference:
        """Read what `save` wrote."""
        parts: dict[str, dict[str, FloatArray]] = {"feed": {}, "out": {}, "offline": {}}
        with np.load(path, allow_pickle=False) as arrays:
            for key in arrays.files:
                part, name = key.split("/", 1)
                parts[part][name] = arrays[key]
        return Reference(Rollout(parts["feed"], parts["out"]), parts["offline"])


@dataclass(frozen=True)
class Figure:
    """Error of one comparison of one output."""

    snr_db: float
    max_abs: float
    rms: float


@dataclass(frozen=True)
class OutputParity:
    """How one output of a file compares with Keras."""

    name: str
    streaming: Figure
    teacher_forced: Figure
    offline: Figure | None
    """None for what the training form does not have: states, and everything of a model without them."""
    histogram: tuple[int, ...]
    """Values per decade of absolute streaming error, see `HISTOGRAM_EDGES`; both ends are open."""
    finite: bool

    @property
    def is_state(self) -> bool:
        """True for a state that goes back in."""
        return self.name.endswith(STATE_SUFFIX)


class _Tally:
    """Adds up energies and errors over clips."""

    def __init__(self) -> None:
        self._signal = self._error = self._count = self._max = 0.0

    def add(self, reference: FloatArray, found: FloatArray, power: FloatArray | float = 1.0) -> None:
        """Count values; ``power`` is what each counts for, broadcast to their shape."""
        difference = found.astype(np.float64) - reference
        self._signal += float(np.sum(power * np.square(reference, dtype=np.float64)))
        self._error += float(np.sum(power * difference**2))
        self._max = max(self._max, float(np.max(np.abs(difference), initial=0.0)))
        self._count += float(np.sum(np.broadcast_to(power, difference.shape)))

    def figure(self) -> Figure:
        if not np.isfinite(self._error):
            return Figure(-SNR_LIMIT_DB, float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
        ratio = self._signal / self._error if self._error > 0.0 else np.inf
        snr = float(np.clip(10.0 * np.log10(max(ratio, 1e-30)), -SNR_LIMIT_DB, SNR_LIMIT_DB))
        return Figure(round(snr, 2), self._max, float(np.sqrt(self._error / max(self._count, 1.0))))


def measure(file: GraphFile, references: Sequence[str]) -> tuple[OutputParity, ...]:
    """Compare ``file`` with the saved references; runs in a child process. Raises `BackendError`."""
    backend = file.open()
    names = [spec.name for spec in file.outputs]
    tallies = {name: (_Tally(), _Tally(), _Tally()) for name in names}
    histograms = {name: np.zeros(len(HISTOGRAM_EDGES) + 1, int) for name in names}
    finite = dict.fromkeys(names, True)
    offline_names: set[str] = set()
    for path in references:
        reference = Reference.load(path)
        streamed = roll_out_feeds(backend.run, reference.rollout.feeds, own_states=True)
        forced = roll_out_feeds(backend.run, reference.rollout.feeds, own_states=False)
        for name in names:
            streaming, teacher, offline = tallies[name]
            expected = reference.rollout.outputs[name]
            power = _heard_power(name, reference.rollout.outputs)
            finite[name] &= bool(np.isfinite(streamed[name]).all())
            streaming.add(expected, streamed[name], power)
            teacher.add(expected, forced[name], power)
            histograms[name] += _histogram(streamed[name] - expected)
            if name in reference.offline:
                offline_names.add(name)
                # no warm-up is left out: zero states are the zeros that the training form pads with
                found = streamed[name].reshape(-1, streamed[name].shape[-1])
                offline.add(reference.offline[name], found, _heard_power(name, reference.offline))
    backend.close()
    return tuple(
        OutputParity(
            name=name,
            streaming=tallies[name][0].figure(),
            teacher_forced=tallies[name][1].figure(),
            offline=tallies[name][2].figure() if name in offline_names else None,
            histogram=tuple(int(count) for count in histograms[name]),
            finite=finite[name],
        )
        for name in names
    )


def _heard_power(name: str, outputs: Mapping[str, FloatArray]) -> FloatArray | float:
    """What a frame of the output counts for, (..., 1) with a mean of 1 over frames, or 1.0 where all count alike."""
    gains = outputs.get(HEARD_WITH.get(name, ""))
    if gains is None:
        return 1.0
    power = np.mean(np.exp(2.0 * np.minimum(gains, _LOUDEST_GAIN)), axis=-1, keepdims=True)
    return np.asarray(power / max(float(power.mean()), 1e-30), np.float32)


def _histogram(difference: FloatArray) -> np.ndarray:
    decades = np.log10(np.maximum(np.abs(difference), 1e-30))
    return np.bincount(np.digitize(decades.ravel(), HISTOGRAM_EDGES), minlength=len(HISTOGRAM_EDGES) + 1)


def parity_failures(outputs: Sequence[OutputParity], recipe: Recipe) -> list[str]:
    """Which bounds of the recipe are broken, one line each."""
    found = []
    for output in outputs:
        if not output.finite:
            found.append(f"{output.name} has values that are not finite")
        if recipe.max_abs is not None:
            found += _over(output, recipe.max_abs)
        if not output.is_state:
            found += _under(output, recipe.floor_db(output.name))
    return found


def _over(output: OutputParity, bound: float) -> list[str]:
    figures = {"Keras": output.streaming, "Keras offline": output.offline}
    return [
        f"{output.name} differs from {against} by {figure.max_abs:.2e}, more than {bound:.0e}"
        for against, figure in figures.items()
        if figure is not None and figure.max_abs > bound
    ]


def _under(output: OutputParity, floor_db: float) -> list[str]:
    figures = {"Keras": output.streaming, "Keras offline": output.offline}
    return [
        f"{output.name} has {figure.snr_db:.1f} dB against {against}, less than {floor_db:.0f} dB"
        for against, figure in figures.items()
        if figure is not None and figure.snr_db < floor_db
    ]


def latency_us(files: Sequence[GraphFile], reference: str, rounds: int) -> dict[str, float]:
    """Time of a call in microseconds by label: a quarter of the rounds was faster.

    The files are taken in turn so that load hits all alike, and the lower quartile leaves out what other load adds.

    Runs in a child process, one thread, warm caches: a comparison on this machine, not a promise for a board.
    """
    rollout = Reference.load(reference).rollout
    feeds = {name: values[len(values) // 2] for name, values in rollout.feeds.items()}
    backends = {file.label: file.open() for file in files}
    times: dict[str, list[float]] = {label: [] for label in backends}
    for backend in backends.values():
        _time_calls(backend.run, feeds)
    for _ in range(rounds):
        for label, backend in backends.items():
            times[label].append(_time_calls(backend.run, feeds))
    return {label: round(1e6 * float(np.percentile(values, 25.0)), 2) for label, values in times.items()}


def _time_calls(step: Step, feeds: Mapping[str, FloatArray]) -> float:
    start = time.perf_counter()
    for _ in range(_CALLS_PER_ROUND):
        step(feeds)
    return (time.perf_counter() - start) / _CALLS_PER_ROUND
