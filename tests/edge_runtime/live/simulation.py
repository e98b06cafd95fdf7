"""Live conversion in simulated time: two devices with clocks of their own, and a converter that takes its time.

One thread does it all. While the converter works, the devices go on: `World.advance` runs what falls due meanwhile, in
its order, so that a stall of a second costs a test microseconds and always ends the same way.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_runtime.devices.sound import SoundDevices
from edge_runtime.errors import DeviceError
from edge_runtime.live.voice_link import VoiceLink, VoiceModels, VoiceTotals
from tests.edge_runtime.fake_voice import FakeStream

Samples = NDArray[np.float32]

RATE_HZ = 16_000
BLOCK = 160


class FakeMicrophone:
    """Gives ``sound``, then silence; as many blocks as it is asked for."""

    rate_hz = RATE_HZ
    latency_s = 0.0
    overruns = 0
    waits = False

    def __init__(self, sound: Samples | None = None) -> None:
        self.sound = np.zeros(0, np.float32) if sound is None else sound
        self.read_samples = 0
        self.gone = False
        self.closed = False

    def read(self) -> Samples | None:
        if self.gone:
            raise DeviceError("the microphone went away (unplugged)")
        block = self.sound[self.read_samples : self.read_samples + BLOCK]
        self.read_samples += BLOCK
        return np.pad(block, (0, BLOCK - len(block)))

    def close(self) -> None:
        self.closed = True


class FakeSpeaker:
    """Keeps what it is given."""

    rate_hz = RATE_HZ
    latency_s = 0.02
    block_samples = BLOCK
    underruns = 0

    def __init__(self) -> None:
        self.blocks: list[Samples] = []
        self.gone = False
        self.closed = False

    def write(self, samples: Samples) -> None:
        if self.gone:
            raise DeviceError("the speaker went away (unplugged)")
        self.blocks.append(samples.copy())

    def close(self) -> None:
        self.closed = True

    @property
    def heard(self) -> Samples:
        """All of it."""
        return np.concatenate(self.blocks)


class SlowStream(FakeStream):
    """Takes ``cost_s(now_s)`` for every call."""

    def __init__(self, world: World, cost_s: Callable[[float], float]) -> None:
        super().__init__()
        self._world, self._cost_s = world, cost_s

    def process(self, chunk: Samples) -> Samples:
        self._world.advance(self._cost_s(self._world.now_s))
        return super().process(chunk)


class World:
    """A microphone, a speaker whose clock is ``drift_ppm`` faster, and the link between them."""

    def __init__(
        self,
        sound: Samples | None = None,
        *,
        drift_ppm: float = 0.0,
        cost_s: Callable[[float], float] = lambda now_s: 0.002,
        smaller_cost_s: Callable[[float], float] | None = None,
        latency_s: float | None = None,
    ) -> None:
        self.now_s = 0.0
        self.microphone, self.speaker = FakeMicrophone(sound), FakeSpeaker()
        models = [("big", SlowStream(self, cost_s))]
        if smaller_cost_s is not None:
            models.append(("small", SlowStream(self, smaller_cost_s)))
        self.totals = VoiceTotals(started_s=0.0)
        self.link = VoiceLink(
            SoundDevices(self.microphone, self.speaker),
            VoiceModels(models, RATE_HZ, latency_s),
            self.totals,
            clock=lambda: self.now_s,
        )
        self._steps = {
            self.link.capture: BLOCK / RATE_HZ,
            self.link.play: BLOCK / (RATE_HZ * (1.0 + 1e-6 * drift_ppm)),
        }
        self._due_s = {self.link.capture: 0.0101, self.link.play: 0.0}

    def advance(self, seconds: float) -> None:
        """Let the devices run for so long."""
        until_s = self.now_s + seconds
        while min(self._due_s.values()) <= until_s:
            step = min(self._due_s, key=lambda each: self._due_s[each])
            self.now_s = self._due_s[step]
            self._due_s[step] += self._steps[step]
            step()
        self.now_s = until_s

    def run(self, seconds: float) -> None:
        """Let everything run; the converter takes a block as soon as it is there."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            if len(self.link.ring) >= self.link.path.block_samples:
                self.link.convert()
            else:
                self.advance(max(0.0, min(self._due_s.values()) - self.now_s))
