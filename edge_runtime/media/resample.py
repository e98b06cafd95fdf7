"""Sample rate conversion: a Kaiser-windowed sinc in polyphase form (Crochiere & Rabiner 1983), in NumPy.

The rates are reduced to up/down by their greatest common divisor. The stop-band begins at half the lower rate, 75 dB
down, and the pass-band ends at 0.9 of that. Output sample m lies at input time m * down / up: no delay remains.

Two ways to the same sum:
- *blocks*: some outputs and all the inputs they need are one matrix product; for all ordinary pairs of rates.
- *interpolated*: when that matrix would be large (47 999 Hz), each output's taps are interpolated from a fine table.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError
from edge_runtime.media.pcm import MAXIMUM_RATE_HZ, MINIMUM_RATE_HZ, Samples

_STOP_BAND_DB = 75.0
_LOBES = 48  # zero crossings of the sinc on each side, counted at the lower rate
_KAISER_BETA = 0.1102 * (_STOP_BAND_DB - 8.7)  # Kaiser 1974
_TRANSITION = (_STOP_BAND_DB - 8.0) / (2.285 * 2 * _LOBES * math.pi)  # width, as a fraction of the lower Nyquist
_MAXIMUM_MATRIX = 2**20  # coefficients, 4 MiB
_TABLE_STEPS = 512  # a lobe's steps of the interpolated table; linear interpolation then errs by less than -100 dB
_WORK_VALUES = 2**19  # float32 values copied at once, 2 MiB
_ONE_THREAD = 2**18  # multiplications up to which OpenBLAS stays on one thread; waiting for others costs 100 times more
_FEED_SAMPLES = 2**15


@dataclass(frozen=True)
class _Plan:
    """All that depends on the two rates only."""

    up: int
    down: int
    """``up`` outputs span ``down`` inputs; not necessarily in lowest terms."""
    reach: int
    """Input samples on each side of an output's place that its taps cover."""
    interpolated: bool
    taps: Samples
    """Blocks: (down + 2 * reach, up), from the inputs of one block to its outputs.
    Interpolated: (steps + 1, 2 * reach), the taps for places 0, 1/steps, ... 1 between two inputs."""

    def apply(self, signal: Samples, origin: int, first: int, count: int) -> Samples:
        """Outputs first..first+count-1, from ``signal`` whose sample 0 is input ``origin``; (count,) float32."""
        way = self._interpolate if self.interpolated else self._blocks
        return way(signal, origin, first, count)

    def _blocks(self, signal: Samples, origin: int, first: int, count: int) -> Samples:
        rows = first // self.up, -(-(first + count) // self.up)
        start = rows[0] * self.down - self.reach + 1 - origin
        end = (rows[1] - 1) * self.down - self.reach + 1 - origin + len(self.taps)
        # outputs outside first..first+count may reach beyond the signal; they are computed from zeros and dropped
        padded = np.pad(signal[max(start, 0) : end], (max(-start, 0), max(end - len(signal), 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(self.taps))[:: self.down]
        outputs = np.empty((len(windows), self.up), np.float32)
        step = max(1, _ONE_THREAD // self.taps.size)
        for row in range(0, len(windows), step):
            # overlapping rows do not reach BLAS before NumPy 2, so they are copied
            np.matmul(np.ascontiguousarray(windows[row : row + step]), self.taps, out=outputs[row : row + step])
        skip = first - rows[0] * self.up
        return outputs.reshape(-1)[skip : skip + count]

    def _interpolate(self, signal: Samples, origin: int, first: int, count: int) -> Samples:
        places = np.arange(first, first + count, dtype=np.int64) * self.down
        starts = places // self.up - self.reach + 1 - origin
        fraction = (places % self.up) * ((len(self.taps) - 1) / self.up)
        step = fraction.astype(np.int64)
        rest = (fraction - step).astype(np.float32)[:, None]
        taps = self.taps[step] * (1 - rest) + self.taps[step + 1] * rest
        windows = np.lib.stride_tricks.sliding_window_view(signal, 2 * self.reach)[starts]
        outputs: Samples = np.einsum("ij,ij->i", windows, taps)
        return outputs

    def batch_outputs(self) -> int:
        """How many outputs to compute at once, for a bounded working memory."""
        if self.interpolated:
            return max(1, _WORK_VALUES // (2 * self.reach))
        return max(1, _WORK_VALUES // len(self.taps)) * self.up


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Convert float32 (n,) to (m,) with m = round(n * to_hz / from_hz); the ends are as if silence surrounded them.

    Raises `InputError` for rates outside 4000..384000 Hz.
    """
    stream = StreamResampler(from_hz, to_hz)
    outputs = np.empty(_total(len(samples), from_hz, to_hz), np.float32)
    filled = 0
    for start in range(0, len(samples), _FEED_SAMPLES):
        block = stream.process(samples[start : start + _FEED_SAMPLES])
        outputs[filled : filled + len(block)] = block
        filled += len(block)
    outputs[filled:] = stream.flush()
    return outputs


class StreamResampler:
    """The streaming twin of `resample`: all outputs together, `flush` included, equal its result.

    An output comes as soon as the inputs it needs are there, which is ``delay_samples`` inputs after its own time.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Raises `InputError` for rates outside 4000..384000 Hz."""
        for rate_hz in (from_hz, to_hz):
            if not MINIMUM_RATE_HZ <= rate_hz <= MAXIMUM_RATE_HZ:
                raise InputError(
                    f"a sample rate of {rate_hz} Hz is not converted; use {MINIMUM_RATE_HZ} to {MAXIMUM_RATE_HZ}"
                )
        self.from_hz = from_hz
        self.to_hz = to_hz
        divisor = math.gcd(from_hz, to_hz)
        self._plan = None if from_hz == to_hz else _plan(to_hz // divisor, from_hz // divisor)
        self.reset()

    @property
    def delay_samples(self) -> int:
        """Inputs that must follow an output's own time before it comes."""
        return 0 if self._plan is None else self._plan.reach

    def reset(self) -> None:
        """Forget everything heard."""
        self._received = 0
        self._sent = 0
        reach = self.delay_samples
        self._origin = -reach
        self._buffer: Samples = np.zeros(reach, np.float32)

    def process(self, chunk: Samples) -> Samples:
        """Take (k,) float32 inputs, k of any size, and give the outputs (j,) that are complete."""
        self._received += len(chunk)
        if self._plan is None:
            return np.array(chunk, np.float32)
        self._buffer = np.concatenate((self._buffer, chunk)).astype(np.float32, copy=False)
        # output m needs inputs up to m * down // up + reach
        complete = max(0, -((self._plan.reach - self._received) * self._plan.up // self._plan.down))
        return self._emit(self._plan, complete)

    def flush(self) -> Samples:
        """Give the outputs (j,) still owed, as if silence followed, and reset."""
        outputs: Samples = np.zeros(0, np.float32)
        if self._plan is not None:
            self._buffer = np.concatenate((self._buffer, np.zeros(2 * self._plan.reach, np.float32)))
            outputs = self._emit(self._plan, _total(self._received, self.from_hz, self.to_hz))
        self.reset()
        return outputs

    def _emit(self, plan: _Plan, until: int) -> Samples:
        until = max(self._sent, until)
        outputs = np.empty(until - self._sent, np.float32)
        step = plan.batch_outputs()
        for first in range(self._sent, until, step):
            count = min(step, until - first)
            outputs[first - self._sent :][:count] = plan.apply(self._buffer, self._origin, first, count)
        self._sent = until
        keep_from = until * plan.down // plan.up - plan.reach + 1
        drop = max(0, keep_from - self._origin)
        self._buffer = self._buffer[drop:].copy()  # a view would keep the whole chunk alive
        self._origin += drop
        return outputs


def _total(received: int, from_hz: int, to_hz: int) -> int:
    return round(received * to_hz / from_hz)


@functools.lru_cache(maxsize=4)
def _plan(up: int, down: int) -> _Plan:
    ratio = min(1.0, up / down)
    reach = math.ceil(_LOBES / ratio)
    group = -(-reach // down)  # short blocks would copy the same inputs again and again
    while group > 1 and (group * down + 2 * reach) * group * up > _ONE_THREAD:
        group -= 1
    if (group * down + 2 * reach) * group * up <= _MAXIMUM_MATRIX:
        return _Plan(group * up, group * down, reach, False, _matrix(group * up, group * down, reach, ratio))
    steps = max(2, math.ceil(_TABLE_STEPS * ratio))
    return _Plan(up, down, reach, True, _taps(np.arange(steps + 1) / steps, reach, ratio))


def _matrix(up: int, down: int, reach: int, ratio: float) -> Samples:
    starts, phases = np.divmod(np.arange(up) * down, up)
    taps = _taps(phases / up, reach, ratio)
    matrix = np.zeros((down + 2 * reach, up), np.float32)
    for output, start in enumerate(starts):
        matrix[start : start + 2 * reach, output] = taps[output]
    return matrix


def _taps(places: npt.NDArray[np.float64], reach: int, ratio: float) -> Samples:
    return sinc_taps(places, reach, ratio, lobes=_LOBES, cutoff=1.0 - _TRANSITION / 2)


def sinc_taps(places: npt.NDArray[np.float64], reach: int, ratio: float, *, lobes: int, cutoff: float) -> Samples:
    """Taps (len(places), 2 * reach) for outputs that lie at ``places`` (0..1) between inputs reach-1 and reach.

    ``ratio`` is the lower rate over the inputs' own, at most 1; ``lobes`` (zero crossings on each side)
    and ``cutoff`` (of Nyquist) are counted at the lower rate.
    """
    distance = (np.arange(1 - reach, reach + 1) - places[:, None]) * ratio  # in samples of the lower rate
    inside = np.clip(1.0 - (distance / lobes) ** 2, 0.0, None)
    window = np.where(np.abs(distance) <= lobes, np.i0(_KAISER_BETA * np.sqrt(inside)), 0.0)
    taps = np.sinc(distance * cutoff) * window
    # every place passes a constant unchanged, so that no tone appears at the rate of the phases
    normalised: Samples = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
