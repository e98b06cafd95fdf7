"""The 1-euro filter (Casiez, Roussel & Vogel 2012): still when little moves, quick when much does.

A first-order low-pass whose cutoff grows with the speed of what it filters. Here it follows the five points of a face
and its measures, with distances in eye distances so that near and far faces are smoothed alike. What the graph answers
for a face is filtered with a fixed cutoff.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.generator import PARTS, Edit, parts_of
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face_path_contract import SmoothingSpec


class OneEuroFilter:
    """Filters arrays of one shape over time."""

    def __init__(self, spec: SmoothingSpec) -> None:
        self._spec = spec
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None
        self._time_s = 0.0

    def __call__(self, value: NDArray[np.floating], time_s: float, unit: float) -> FloatArray:
        """The filtered value; ``unit`` is the length that counts as 1. Time that does not advance changes nothing."""
        now = value.astype(np.float64)
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time_s = now, np.zeros_like(now), time_s
            return now.astype(np.float32)
        step_s = time_s - self._time_s
        if step_s <= 0.0:
            return self._value.astype(np.float32)
        self._time_s = time_s
        spec = self._spec
        speed = (now - self._value) / (unit * step_s)
        self._speed = self._speed + _share(spec.derivative_cutoff_hz, step_s) * (speed - self._speed)
        # one cutoff for all points, from the quickest: points that lag behind each other would bend the face
        cutoff_hz = spec.minimum_cutoff_hz + spec.beta * float(np.abs(self._speed).max())
        self._value = self._value + _share(cutoff_hz, step_s) * (now - self._value)
        return self._value.astype(np.float32)


class EditFilter:
    """Stills a graph's answers for one face of a video: each is mixed with those before it.

    They lie in the face's own crop, where an unchanging wish has an unchanging answer but for the picture's noise; the
    pixels that they move are always the present ones.
    """

    def __init__(self, cutoff_hz: float) -> None:
        self._cutoff_hz = cutoff_hz
        self._last: Edit | None = None
        self._time_s = 0.0

    def __call__(self, edit: Edit, time_s: float) -> Edit:
        """The filtered answer; time that does not advance gives the last one again."""
        if self._last is not None:
            share = lowpass_share(self._cutoff_hz, time_s - self._time_s)
            last, now = parts_of(self._last), parts_of(edit)
            edit = Edit(**{name: last[name] + share * (now[name] - last[name]) for name in PARTS})
        self._last, self._time_s = edit, time_s
        return edit


class LowPassFilter:
    """Stills arrays of one shape with a fixed cutoff."""

    def __init__(self, cutoff_hz: float) -> None:
        self._cutoff_hz = cutoff_hz
        self._last: FloatArray | None = None
        self._time_s = 0.0

    def __call__(self, value: FloatArray, time_s: float) -> FloatArray:
        """The filtered value; time that does not advance gives the last one again."""
        if self._last is not None:
            value = self._last + lowpass_share(self._cutoff_hz, time_s - self._time_s) * (value - self._last)
        self._last, self._time_s = value, time_s
        return value


class PictureFilter:
    """Stills a painted picture where it hardly changes, and follows it at once where it does.

    The 1-euro filter's thought for pixels: a low-pass of fixed cutoff for changes below ``still`` (0..1), none for
    those above ``moving``, and in between in between; so lips and lids do not lag, and grain does not crawl.
    """

    def __init__(self, cutoff_hz: float, still: float, moving: float) -> None:
        self._cutoff_hz = cutoff_hz
        self._still, self._scale = np.float32(still), np.float32(1.0 / (moving - still))
        self._last: FloatArray | None = None
        self._time_s = 0.0

    def __call__(self, picture: FloatArray, time_s: float) -> FloatArray:
        """The filtered picture (S, S, 3) 0..1; time that does not advance gives the last one again."""
        if self._last is not None:
            share = lowpass_share(self._cutoff_hz, time_s - self._time_s)
            if share == 0.0:
                return self._last
            change = picture - self._last
            quick = np.abs(change)
            quick -= self._still
            quick *= self._scale
            np.clip(quick, share, 1.0, out=quick)
            change *= quick
            change += self._last
            picture = change
        self._last, self._time_s = picture, time_s
        return picture


def lowpass_share(cutoff_hz: float, step_s: float) -> np.float32:
    """How much of a new value a first-order low-pass takes after ``step_s``; none when time does not advance."""
    return np.float32(_share(cutoff_hz, step_s) if step_s > 0.0 else 0.0)


def _share(cutoff_hz: float, step_s: float) -> float:
    """How much of the new value a first-order low-pass takes."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s))
