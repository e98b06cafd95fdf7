"""What is done to the finished sound: the saturation of a small radio and an echo. Neither adds latency."""

from __future__ import annotations

import numpy as np

from edge_runtime.voice.framing import FloatArray

ECHO_S = 0.15
"""Between a sound and its repetition."""
_ECHO_FEEDBACK = 0.6
"""Amplitude of each repetition against the one before, at echo 1."""
_SATURATION_LEVEL = 1.6
"""Where full saturation bends, as a multiple of the RMS of active speech: peaks are bent, the rest hardly."""


def saturate(samples: FloatArray, speech_rms: FloatArray, amount: float) -> FloatArray:
    """Bend the peaks of samples (n,); ``speech_rms`` (T,), one value a hop, is the level of active speech there."""
    bend = np.asarray(speech_rms * (_SATURATION_LEVEL / amount), np.float32)
    ceiling = np.repeat(bend, len(samples) // len(speech_rms))
    return np.asarray(ceiling * np.tanh(samples / ceiling), np.float32)


class Echo:
    """Repetitions that fade: out[n] = in[n] + feedback * out[n - delay]. Stateful; pieces equal the whole."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._delay = round(ECHO_S * sample_rate_hz)
        self.reset()

    def reset(self) -> None:
        """Forget what was said."""
        self._past = np.zeros(self._delay, np.float32)

    def process(self, samples: FloatArray, amount: float) -> FloatArray:
        """Take and give samples (n,); ``amount`` 0..1."""
        feedback = np.float32(_ECHO_FEEDBACK * amount)
        out = np.concatenate([self._past, samples])
        for start in range(self._delay, len(out), self._delay):
            piece = out[start : start + self._delay]
            piece += feedback * out[start - self._delay : start - self._delay + len(piece)]
        self._past = out[len(out) - self._delay :].copy()
        return out[self._delay :]
