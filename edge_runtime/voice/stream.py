"""One running conversion: front end → network → prosody and synthesis, in whole chunks of hops.

This is the only signal path there is: a live stream, a file on the device and the Keras model on a workstation differ
in the network they plug in and in how much they push at once, and in nothing else.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_runtime.voice.controls import (
    Controls,
    Prosody,
    VoiceDescription,
    edit_prosody,
    log_amplitude,
    make_target,
    speech_rms,
)
from edge_runtime.voice.decibels import NATS_PER_DB
from edge_runtime.voice.effects import Echo, saturate
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.front_end import Features, FrontEnd, aux_features
from edge_runtime.voice.movement import Movement, is_moving
from edge_runtime.voice.network import Network
from edge_runtime.voice.synthesis import Synthesiser, latency_samples

_LIMIT_FROM = np.float32(0.9)
_PRIME_SECONDS = 10
_NOTHING = np.zeros(0, np.float32)


@dataclass
class StageClock:
    """Seconds spent by stage since it was made, for `changeling bench`."""

    front_end_s: float = 0.0
    graph_s: float = 0.0
    synthesis_s: float = 0.0
    chunks: int = 0


class VoiceStream:
    """A conversion at the model's own sample rate, with its state. Not thread-safe; open one per source."""

    def __init__(self, description: VoiceDescription, network: Network, film: FloatArray, controls: Controls) -> None:
        front_end, timing = description.front_end, description.timing
        self._description = description
        self._network = network
        self._film = film
        self.chunk_samples = timing.chunk_hops * front_end.hop_length
        self.prime_samples = _PRIME_SECONDS * front_end.sample_rate_hz
        self._front_end = FrontEnd(front_end, timing.lookahead_hops)
        self._movement = Movement(front_end)
        self._synthesiser = Synthesiser(front_end, description.synthesis)
        self._echo = Echo(front_end.sample_rate_hz)
        self.latency_samples = latency_samples(description.synthesis, timing, front_end.hop_length)
        self.clock = StageClock()
        self.set_controls(controls)
        self.reset()

    def set_controls(self, controls: Controls) -> None:
        """Change the controls from the next chunk on."""
        self.controls = controls
        self._target = make_target(self._description.voices, self._film, controls)
        self._moving = is_moving(controls)
        if controls.echo == 0.0:
            self._echo.reset()  # what is switched on again later must not repeat what was said long ago
        self._front_end.denoise = controls.denoise
        self._synthesiser.set_envelope(
            formant=controls.formant,
            tilt_db_per_octave=controls.tilt,
            presence_db=controls.presence,
            clarity=controls.clarity,
            radio=controls.radio,
        )

    def reset(self) -> None:
        """Forget everything heard, as after opening."""
        self._front_end.reset()
        self._network.reset()
        self._synthesiser.reset()
        self._movement.reset()
        self._echo.reset()
        self._held = _NOTHING
        self._original = np.zeros(self.latency_samples, np.float32)

    def prime(self, samples: FloatArray) -> None:
        """Get to know the speaker from samples (n,), such as a recording's beginning, before the first `process`.

        A stream that starts cold needs some seconds to find the speaker's level and mean pitch; until then its own
        pitch drifts towards where it belongs.
        """
        self._front_end.prime(np.asarray(samples, np.float32))

    def process(self, chunk: FloatArray) -> FloatArray:
        """Take samples (m,) of any length, give the samples (k,) that are ready.

        Over a stream, output lies `latency_samples` behind the input; k is a whole number of chunks. Samples that are
        not finite are taken as silence: a live source must survive a broken driver.
        """
        samples = np.asarray(chunk, np.float32).ravel()
        if not math.isfinite(samples @ samples) and not np.isfinite(samples).all():  # one number is cheaper to ask
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        if len(self._held):
            samples = np.concatenate([self._held, samples])
        ready = len(samples) // self.chunk_samples * self.chunk_samples
        if ready == len(samples):
            self._held, block = _NOTHING, samples
        else:
            block, self._held = samples[:ready], samples[ready:].copy()  # the caller may fill its array anew
        return self._convert(block) if ready else np.zeros(0, np.float32)

    def flush(self) -> FloatArray:
        """Give what is still inside, as if silence followed the last sample."""
        pending = len(self._held) + self.latency_samples
        silence = -pending % self.chunk_samples + self.latency_samples
        return self.process(np.zeros(silence, np.float32))[:pending]

    def _convert(self, block: FloatArray) -> FloatArray:
        started = time.perf_counter()
        features = self._front_end.push(block)
        controls = self.controls
        prosody, amplitude = self._prosody(features)
        aux = aux_features(prosody.log_f0, features.voiced, features.energy)
        heard = time.perf_counter()
        gains = self._network.run(features.mel, aux, self._target.film)
        ran = time.perf_counter()
        out = self._synthesiser.process(
            gains,
            prosody.log_f0,
            amplitude,
            whisper=controls.whisper,
            breath=controls.breath * NATS_PER_DB,
            roughness=controls.roughness,
        )
        out = _soft_limit(self._mixed(self._with_effects(out, features), block))
        self.clock.front_end_s += heard - started
        self.clock.graph_s += ran - heard
        self.clock.synthesis_s += time.perf_counter() - ran
        self.clock.chunks += len(block) // self.chunk_samples
        return out

    def _prosody(self, features: Features) -> tuple[Prosody, FloatArray]:
        """Edited pitch, and what is added to all log gains (T,)."""
        prosody = edit_prosody(features, self.controls, self._target)
        amplitude = log_amplitude(features, self.controls, self._description)
        if self._moving:
            prosody, swell = self._movement.process(features, prosody, self.controls)
            amplitude = amplitude + swell
        return prosody, amplitude

    def _with_effects(self, converted: FloatArray, features: Features) -> FloatArray:
        """Converted sound through the radio and the echo."""
        controls = self.controls
        if controls.radio > 0.0:
            level = speech_rms(features, controls, self._target, self._description)
            converted = saturate(converted, level, controls.radio)
        return self._echo.process(converted, controls.echo) if controls.echo > 0.0 else converted

    def _mixed(self, converted: FloatArray, block: FloatArray) -> FloatArray:
        """Converted sound with its share of the original, delayed to match."""
        original = np.concatenate([self._original, block])
        self._original = original[len(block) :]
        mix = np.float32(self.controls.mix)
        if mix >= 1.0:
            return converted
        return np.asarray(mix * converted + (np.float32(1.0) - mix) * original[: len(block)], np.float32)


def convert_recording(
    stream: VoiceStream,
    samples: FloatArray,
    *,
    block_samples: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> FloatArray:
    """A whole recording (n,) through a fresh stream primed with its beginning; gives (n,), latency removed.

    ``block_samples`` a call bound the memory; None pushes everything at once. ``progress`` hears shares, 0..1.
    """
    stream.prime(samples[: stream.prime_samples])
    silence = stream.latency_samples + -(len(samples) + stream.latency_samples) % stream.chunk_samples
    padded = np.concatenate([samples, np.zeros(silence, np.float32)])
    block = block_samples or len(padded)
    parts = []
    for start in range(0, len(padded), block):
        parts.append(stream.process(padded[start : start + block]))
        if progress is not None:
            progress(min(1.0, (start + block) / len(padded)))
    return np.concatenate(parts)[stream.latency_samples :][: len(samples)]


def _soft_limit(samples: FloatArray) -> FloatArray:
    """Leave samples below 0.9 alone and bend louder ones towards 1: memoryless, so no state and no latency."""
    if samples @ samples <= _LIMIT_FROM * _LIMIT_FROM:  # all of them together do not reach it: cheaper to ask
        return samples
    size = np.abs(samples)
    if size.max(initial=0.0) <= _LIMIT_FROM:
        return samples
    room = np.float32(1.0) - _LIMIT_FROM
    bent = _LIMIT_FROM + room * np.tanh((size - _LIMIT_FROM) / room)
    limited: FloatArray = np.where(size > _LIMIT_FROM, np.copysign(bent, samples), samples).astype(np.float32)
    return limited
