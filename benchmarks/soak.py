"""A live voice for a long time, with everything that goes wrong on a board: stalls, load, clocks that differ, plugs.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/soak.py --minutes 10 -o benchmarks/results/live.md

The shipped voices run in real time between devices that keep the computer's clock (`benchmarks.clocked_devices`), the
microphone's 150 parts in a million fast. Every half minute the converter is held up for 0.3 s; half of the time other
processes of the lowest priority load every core; every other minute both devices are pulled for two seconds. With
``--input`` and ``--output-device`` real devices take their place (there are no plugs to pull then). Once a second the
figures that ``--stats json`` prints are kept. The latency is also measured from outside, by bypassed sound at the
beginning and at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

import edge_runtime
from benchmarks.clocked_devices import ClockedMicrophone, ClockedSpeaker, Plug, lag_s
from edge_runtime.cli.live_voice import take_priority
from edge_runtime.cli.machine import describe, this_machine
from edge_runtime.devices.sound import SoundDevices, SoundNames, open_sound
from edge_runtime.errors import ControlError
from edge_runtime.live.commands import BYPASS, Commands
from edge_runtime.live.console import Console
from edge_runtime.live.notify import Notifier
from edge_runtime.live.supervisor import Supervisor
from edge_runtime.live.voice_link import VoiceLink, VoiceModels, VoiceTotals
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.media.pcm import Samples
from edge_runtime.media.resample import resample

SPEECH = Path(__file__).parents[1] / "tests" / "assets" / "real_male.wav"
STALL_EVERY_S, STALL_S = 30.0, 0.3
PULL_EVERY_S, PULL_S = 120.0, 2.0
LOAD_EVERY_S = 60.0
MEASURE_S = 12.0
PPM = 150.0


@dataclass(frozen=True)
class Plan:
    """What is done to it."""

    minutes: float
    devices: SoundNames | None
    latency_s: float | None
    realtime: bool


class StalledStream:
    """A voice stream that hangs now and then."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.chunk_samples, self.latency_samples = stream.chunk_samples, stream.latency_samples
        self.stalls = 0
        self._next_s = time.monotonic() + STALL_EVERY_S

    def process(self, chunk: Samples) -> Samples:
        """As the stream, after a stall when one is due."""
        if time.monotonic() >= self._next_s:
            self._next_s += STALL_EVERY_S
            self.stalls += 1
            time.sleep(STALL_S)
        out: Samples = self._stream.process(chunk)
        return out

    def prime(self, samples: Samples) -> None:
        """As the stream."""
        self._stream.prime(samples)

    def reset(self) -> None:
        """As the stream."""
        self._stream.reset()


class Soak:
    """One run; `run` gives the figures of every second."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        converter = edge_runtime.load()
        self.rate_hz = converter.sample_rate_hz
        self.stream = StalledStream(converter.stream())
        self.models = VoiceModels([("voices", self.stream)], self.rate_hz, plan.latency_s)
        self.totals = VoiceTotals(started_s=time.monotonic(), realtime=plan.realtime)
        self.plug, self.pulls = Plug(), 0
        self.lags_ms: list[float] = []
        audio = read_audio(SPEECH, max_seconds=600.0)
        self.sound = resample(to_mono(audio.samples), audio.sample_rate_hz, self.rate_hz)
        self.devices: SoundDevices | None = None

    def connect(self) -> VoiceLink:
        """Open the devices and start."""
        if self.plan.devices is not None:
            self.devices = open_sound(self.plan.devices, self.rate_hz)
        else:
            microphone = ClockedMicrophone(self.sound, self.rate_hz, self.plug, PPM)
            self.devices = SoundDevices(microphone, ClockedSpeaker(self.rate_hz, self.plug))
        link = VoiceLink(self.devices, self.models, self.totals)
        link.start()
        return link

    def run(self) -> list[dict[str, Any]]:
        """Until the time is over."""
        with tempfile.TemporaryFile("w+") as figures:  # on the disk: what is kept in memory here would look like a leak
            self._supervise(figures)
            figures.seek(0)
            return [json.loads(line) for line in figures]

    def _supervise(self, figures: TextIO) -> None:
        commands = Commands(keys=False)
        script = _Script(self, commands)
        console = Console("json", figures, sys.stderr)
        supervisor = Supervisor(
            self.connect, console, commands, Notifier({}), clock=script.clock, seconds=60.0 * self.plan.minutes
        )
        with commands:
            supervisor.run()


class _Script:
    """What happens when; the supervisor asks for the time ten times a second, and that is when it happens."""

    def __init__(self, soak: Soak, commands: Commands) -> None:
        self._soak, self._commands = soak, commands
        self._start_s = time.monotonic()
        self._end_s = 60.0 * soak.plan.minutes
        self._next_pull_s = PULL_EVERY_S
        self._load: list[subprocess.Popen[bytes]] = []
        commands.tell(BYPASS)  # to measure at the beginning
        self._at = [(MEASURE_S, self._measure), (self._end_s - MEASURE_S, self._bypass), (self._end_s - 1.0, self._end)]

    def clock(self) -> float:
        """The time, after whatever is due."""
        passed_s = time.monotonic() - self._start_s
        while self._at and passed_s >= self._at[0][0]:
            self._at.pop(0)[1]()
        busy = int(passed_s / LOAD_EVERY_S) % 2 == 1 and passed_s < self._end_s - MEASURE_S
        if busy != bool(self._load):
            self._set_load(busy)
        if passed_s >= self._next_pull_s and passed_s < self._end_s - 2 * MEASURE_S and not self._soak.plan.devices:
            self._next_pull_s += PULL_EVERY_S
            self._soak.plug.out_until_s = time.monotonic() + PULL_S
            self._soak.pulls += 1
        return time.monotonic()

    def _measure(self) -> None:
        devices = self._soak.devices
        if devices is not None and isinstance(devices.microphone, ClockedMicrophone):
            assert isinstance(devices.speaker, ClockedSpeaker)
            self._soak.lags_ms.append(1000.0 * lag_s(devices.microphone.trace, devices.speaker.trace))
        self._bypass()

    def _bypass(self) -> None:
        self._commands.tell(BYPASS)

    def _end(self) -> None:
        self._measure()
        self._set_load(False)

    def _set_load(self, on: bool) -> None:
        for process in self._load:
            process.terminate()
            process.wait()
        self._load = []
        if on:
            # new interpreters and no forks: a fork of a process with threads at work may never return
            # the script's own real-time priority would be theirs too: chrt takes it away
            command = ["chrt", "--other", "0", "nice", "-n", "19", sys.executable, "-c", "while True: pass"]
            self._load = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]


def report(soak: Soak, rows: list[dict[str, Any]], source: str) -> str:
    """The run as Markdown."""
    last = rows[-1]
    seconds = last["time_s"] - rows[0]["time_s"]
    # the first seconds after a stall or a pull show the way back, and not the latency that is kept
    latency = np.array([row["latency_ms"] for row in rows])
    settled = np.array([abs(row["latency_ms"] - row["target_ms"]) < 3.0 for row in rows])
    memory = np.array([row["memory_mb"] for row in rows])
    slope = np.polyfit([row["time_s"] for row in rows[len(rows) // 5 :]], memory[len(rows) // 5 :], 1)[0]
    load = np.array([row["load"] for row in rows])
    lags = ", ".join(f"{lag:.1f}" for lag in soak.lags_ms) or "not measured"
    table = [
        ("length", f"{seconds / 60.0:.1f} minutes, {len(rows)} lines of figures"),
        ("injected", f"{soak.stream.stalls} stalls of {1000 * STALL_S:.0f} ms, {soak.pulls} pulls of {PULL_S:g} s"),
        ("priority", "real time" if last["realtime"] else "as other programs"),
        ("latency aimed at", f"{last['target_ms']:.0f} ms"),
        ("latency by count: median, 1 %, 99 %", ", ".join(f"{v:.1f}" for v in np.percentile(latency, [50, 1, 99]))),
        ("seconds within 3 ms of the aim", f"{settled.mean():.1%}"),
        ("latency measured from outside, beginning and end", f"{lags} ms"),
        ("underruns", f"{last['underruns']}, {last['silent_ms']} ms of silence"),
        ("left out to be on time again", f"{last['skipped_ms']} ms in {last['skips']} skips"),
        ("recorded sound that was lost", f"{last['lost_ms']} ms"),
        ("faults that the devices reported", str(last["device_faults"])),
        ("reconnects", str(last["reconnects"])),
        ("trim at the end", f"{last['trim_ppm']} parts in a million"),
        ("load: median, 95 %", ", ".join(f"{v:.0%}" for v in np.percentile(load, [50, 95]))),
        ("resident memory: first fifth's end, end", f"{memory[len(rows) // 5]:.1f}, {memory[-1]:.1f} MB"),
        ("its slope after the first fifth", f"{3600 * slope:+.2f} MB an hour"),
    ]
    lines = [f"## {source}", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in table), ""]
    return "\n".join(lines)


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description="A live voice for a long time, with stalls, load and pulled plugs.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--input", help="a real microphone in place of the clocked one")
    parser.add_argument("--output-device", help="and a real speaker")
    parser.add_argument("--latency", type=float, help="milliseconds")
    parser.add_argument("--priority", choices=("realtime", "normal"), default="realtime")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    try:
        realtime = take_priority(options.priority)
    except ControlError as error:
        sys.exit(f"soak: {error}")
    names = None
    if options.input and options.output_device:
        names = SoundNames(options.input, options.output_device, None)
    soak = Soak(Plan(options.minutes, names, options.latency and options.latency / 1000.0, realtime))
    rows = soak.run()
    source = "Between clocked devices" if names is None else f"From {names.microphone} to {names.speaker}"
    text = f"{report(soak, rows, source)}\n{describe(this_machine())}\n"
    print(text)
    if options.output is not None:
        options.output.write_text(f"# A live voice for a long time\n\nMade by `benchmarks/soak.py`.\n\n{text}")


if __name__ == "__main__":
    main()
