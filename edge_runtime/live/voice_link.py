"""A live voice between two open devices: capture, convert and play, each a step that a thread repeats.

The steps share two bounded queues (`SampleRing`, `Playout`) and nothing else, and tests call them one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge_runtime.devices.sound import BLOCK_S, SoundDevices
from edge_runtime.errors import ControlError
from edge_runtime.live.commands import BYPASS, MUTE
from edge_runtime.live.crew import Crew
from edge_runtime.live.drift import DriftControl
from edge_runtime.live.governor import Governor
from edge_runtime.live.meters import LevelMeter
from edge_runtime.live.playout import Playout, PlayoutCounts, PlayoutSpec
from edge_runtime.live.ring import SampleRing
from edge_runtime.live.voice_path import LiveStream, VoicePath, ladder
from edge_runtime.live.voice_stats import VoiceStats
from edge_runtime.media.pcm import Samples
from edge_runtime.media.recording import SoundRecording
from edge_runtime.system import resident_memory_mb

_RING_S = 2.0
_WAIT_S = 0.1
_MARGIN_S = 0.005
_COMPUTE_SHARE = 0.5
"""Time that a block's conversion is given, as a share of its length, where the user does not say a latency."""
_DEFAULT_CHUNKS = 2
"""Blocks that the default latency has room for; the governor can then halve the cost once before it changes models."""
_SURPLUS_S = 0.05
_CATCH_UP_BLOCKS = 8


@dataclass
class VoiceTotals:
    """What is counted over all connections of a session."""

    started_s: float
    counts: PlayoutCounts = field(default_factory=PlayoutCounts)
    lost_s: float = 0.0
    """Recorded sound that was lost before it was converted: our own overruns."""
    device_faults: int = 0
    """Overruns and underruns that the devices themselves reported."""
    connections: int = 0
    bypass: bool = False
    mute: bool = False
    realtime: bool = False
    """Whether its threads run before ordinary programs."""


@dataclass(frozen=True)
class VoiceModels:
    """What a link converts with."""

    models: Sequence[tuple[str, LiveStream]]
    """The best first; all of one sample rate."""
    rate_hz: int
    latency_s: float | None
    """From the microphone to the speaker, as the user wants it."""


def queue_target(wanted_s: float | None, fixed_s: float, chunk_s: float) -> float:
    """How long the queue between the devices is, for a whole latency of ``wanted_s`` of which ``fixed_s`` is not queue.

    Raises `ControlError` when that is less than the blocks of model and devices need.
    """
    least_s = chunk_s + 2 * BLOCK_S
    if wanted_s is None:
        return _DEFAULT_CHUNKS * chunk_s * (1.0 + _COMPUTE_SHARE) + 2 * BLOCK_S + _MARGIN_S
    if wanted_s - fixed_s < least_s:
        raise ControlError(
            f"--latency {1000 * wanted_s:.0f} is less than this model and these devices need; "
            f"{1000 * (fixed_s + least_s) + 1:.0f} or more is possible"
        )
    return wanted_s - fixed_s


def longest_block(target_s: float) -> float:
    """The longest block that a queue of ``target_s`` carries, with the time to convert it at the governor's limit."""
    return (target_s - 2 * BLOCK_S) / (1.0 + _COMPUTE_SHARE)


class VoiceLink:
    """See `edge_runtime.live.supervisor.Link`."""

    def __init__(
        self,
        devices: SoundDevices,
        models: VoiceModels,
        totals: VoiceTotals,
        recording: SoundRecording | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `ControlError` for a latency that cannot be."""
        self.crew = Crew()
        self._devices, self._totals, self._recording, self._clock = devices, totals, recording, clock
        microphone, speaker = devices.microphone, devices.speaker
        self._speaker_hz = speaker.rate_hz
        first = models.models[0][1]
        chunk_s = first.chunk_samples / models.rate_hz
        one = ladder(models.models[:1], first.chunk_samples)
        self._fixed_s = microphone.latency_s + speaker.latency_s
        self._fixed_s += VoicePath(one, models.rate_hz, microphone.rate_hz, speaker.rate_hz).delay_s
        target_s = queue_target(models.latency_s, self._fixed_s, chunk_s)
        rungs = ladder(models.models, int(longest_block(target_s) * models.rate_hz))
        self.path = VoicePath(rungs, models.rate_hz, microphone.rate_hz, speaker.rate_hz)
        self.path.bypass, self.path.mute = totals.bypass, totals.mute
        self.governor = Governor(len(rungs))
        self.ring = SampleRing(round(_RING_S * microphone.rate_hz))
        self.playout = Playout(speaker.rate_hz, PlayoutSpec(target_s, max(_SURPLUS_S, 0.5 * target_s)), totals.counts)
        self.drift = DriftControl(target_s)
        self.meters = (LevelMeter(), LevelMeter())
        self._converting_s = 0.0  # of sound that left the ring and is not in the playout yet
        self._captured_s = clock()
        self._source_ended = False
        self._underruns_seen = totals.counts.underruns
        self._adjusted = (totals.counts.underruns, totals.counts.skips)
        self._blocks = 0
        totals.connections += 1

    def start(self) -> None:
        """Begin to capture, convert and play."""
        self.crew.start("capture", self.capture)
        self.crew.start("convert", self.convert)
        self.crew.start("play", self.play)

    @property
    def progress(self) -> int:
        """Blocks converted."""
        return self._blocks

    @property
    def may_pause(self) -> bool:
        """See `Link.may_pause`."""
        return self._devices.microphone.waits

    @property
    def upstream_s(self) -> float:
        """The part of the queue that is not converted yet, in seconds.

        What the microphone has heard since its last block belongs to it: without that, the phases of the two devices'
        blocks, which wander against each other, would look like a queue that grows and shrinks by a block.
        """
        unread_s = min(max(0.0, self._clock() - self._captured_s), BLOCK_S)
        return unread_s + len(self.ring) / self._devices.microphone.rate_hz + self._converting_s

    @property
    def queue_s(self) -> float:
        """All sound between the two devices, in seconds."""
        return self.upstream_s + self.playout.waiting / self._speaker_hz

    def capture(self) -> bool:
        """Take one block of the microphone; False when it ended. Raises `DeviceError`."""
        microphone = self._devices.microphone
        if microphone.waits and self.queue_s > self.playout.spec.target_s:
            self.crew.stopping.wait(BLOCK_S / 4)  # a pipe that is read too early only makes the queue longer
            return True
        samples = microphone.read()
        if samples is None:
            self._source_ended = True
            return False
        self._captured_s = self._clock()
        self.meters[0].add(samples)
        if self._recording is not None:
            self._recording.came.add(samples, microphone.rate_hz)
        self._totals.lost_s += self.ring.write(samples) / microphone.rate_hz
        return True

    def convert(self) -> bool:
        """Convert one block, or several at once where there is a backlog; False when all is converted."""
        block = self.path.block_samples
        if not self.ring.wait_for(block, _WAIT_S):
            if self._source_ended:
                self._finish()
                return False
            return True
        count = min(len(self.ring) // block, _CATCH_UP_BLOCKS) * block
        started_s = self._clock()
        duration_s = count / self._devices.microphone.rate_hz
        self._converting_s = duration_s
        converted = self.path.process(self.ring.read(count), self.drift.rate)
        self._hand_over(converted)
        now_s = self._clock()
        self._govern((now_s - started_s) / duration_s, now_s)
        self._blocks += 1
        return True

    def play(self) -> bool:
        """Give the speaker one block; False when all was played. Raises `DeviceError`."""
        speaker = self._devices.speaker
        queue_s = self.queue_s
        samples = self.playout.take(speaker.block_samples, self.upstream_s)
        self._trim(queue_s, len(samples) / speaker.rate_hz)
        self.meters[1].add(samples)
        if self._recording is not None:
            self._recording.went.add(samples, speaker.rate_hz)
        speaker.write(samples)
        return not self.playout.done

    def command(self, name: str) -> None:
        """Switch bypass or mute; it stays so over connections."""
        if name == BYPASS:
            self._totals.bypass = self.path.bypass = not self.path.bypass
        elif name == MUTE:
            self._totals.mute = self.path.mute = not self.path.mute

    def idle(self, seconds: float) -> None:
        """Wait for the threads."""
        self.crew.stopping.wait(seconds)

    def stats(self) -> VoiceStats:
        """The figures of now; the levels are those since the last call."""
        counts, totals = self.playout.counts, self._totals
        heard, spoken = (meter.take() for meter in self.meters)
        return VoiceStats(
            time_s=round(self._clock() - totals.started_s, 2),
            mode="mute" if self.path.mute else "bypass" if self.path.bypass else "converting",
            rung=self.path.rung.name,
            load=round(self.governor.load, 3),
            latency_ms=round(1000.0 * (self._fixed_s + self.drift.queue_s), 1),
            target_ms=round(1000.0 * (self._fixed_s + self.playout.spec.target_s), 1),
            trim_ppm=round(1e6 * self.drift.trim),
            underruns=counts.underruns,
            silent_ms=round(1000.0 * counts.silent_s),
            skips=counts.skips,
            skipped_ms=round(1000.0 * counts.skipped_s),
            lost_ms=round(1000.0 * totals.lost_s),
            device_faults=totals.device_faults + self._device_faults(),
            steps_down=self.governor.steps_down,
            reconnects=totals.connections - 1,
            in_peak_db=heard.peak_db,
            in_rms_db=heard.rms_db,
            out_peak_db=spoken.peak_db,
            out_rms_db=spoken.rms_db,
            realtime=totals.realtime,
            memory_mb=resident_memory_mb(),
        )

    def close(self) -> None:
        """Give the devices back."""
        self._totals.device_faults += self._device_faults()
        self._devices.close()

    def _device_faults(self) -> int:
        return self._devices.microphone.overruns + self._devices.speaker.underruns

    def _hand_over(self, converted: Samples) -> None:
        self.playout.push(converted)
        self._converting_s = 0.0

    def _finish(self) -> None:
        rest = self.ring.read(self.path.block_samples)
        self._hand_over(self.path.process(rest, 1.0))
        self._hand_over(self.path.flush())
        self.playout.end()

    def _govern(self, load: float, now_s: float) -> None:
        underruns = self.playout.counts.underruns
        before = self.governor.rung
        rung = self.governor.observe(load, now_s, underrun=underruns > self._underruns_seen)
        self._underruns_seen = underruns
        if rung != before:
            self.path.use(rung)

    def _trim(self, queue_s: float, elapsed_s: float) -> None:
        adjusted = (self.playout.counts.underruns, self.playout.counts.skips)
        if adjusted != self._adjusted or not self.playout.playing:
            self._adjusted = adjusted
            self.drift.resume()
        else:
            self.drift.update(queue_s, elapsed_s)
