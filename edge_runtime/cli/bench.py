"""``changeling bench``: speed, memory and start-up of a model on this machine, live and whole files."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments
from edge_runtime.cli.machine import Machine, describe, peak_memory_mb, this_machine
from edge_runtime.system import SINCE_BOOT, temperature_c, throttling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_runtime.voice.converter import VoiceConverter

_WARM_UP_CHUNKS = 25


@dataclass(frozen=True)
class BenchResult:
    """Times are wall clock; "real time" is the duration of the sound that was converted."""

    model: str
    precision: str
    backend: str
    threads: int
    sound_s: float
    chunk_ms: float
    """Duration of one chunk: what a chunk's time has to stay below."""
    load_s: float
    """Reading, checking and preparing the model file."""
    first_chunk_ms: float
    """The first chunk after loading, which pays for what is set up late."""
    chunk_p50_ms: float
    chunk_p95_ms: float
    chunk_p99_ms: float
    chunk_max_ms: float
    stream_real_time_factor: float
    """Time for all chunks over real time, chunk by chunk as when live."""
    convert_real_time_factor: float
    """The same for a whole recording, which is converted in larger blocks."""
    convert_graph_share: float
    """The graph's share of the time of a whole recording, 0..1; the rest is NumPy."""
    front_end_share: float
    graph_share: float
    synthesis_share: float
    """Of the time of all chunks, 0..1; what the graph does not take is NumPy."""
    latency_ms: float
    """Algorithmic, chunking included; the machine's speed does not change it."""
    peak_memory_mb: float | None
    machine: Machine
    """As it was before the measurement."""
    temperature_after_c: float | None
    throttled_after: int | None
    """As in `Machine`, after it: a board that got too hot meanwhile was measured at less than its full speed."""


def run(argv: list[str]) -> int:
    """Measure and print. Raises what loading the model raises."""
    parser = arguments.Parser("changeling bench", "Measure speed, memory and start-up of a model on this machine.")
    arguments.add_model(parser)
    parser.add_argument("--seconds", type=_seconds, default=10.0, metavar="S", help="length of the test sound (10)")
    parser.add_argument("--json", action="store_true", help="all figures, for programs")
    options = parser.parse_args(argv)
    result = measure(options)
    print(json.dumps(dataclasses.asdict(result), indent=2) if options.json else "\n".join(_lines(result)))
    return 0


def _seconds(text: str) -> float:
    value = arguments.number(text)
    if not 1.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 3600")
    return value


def measure(options: argparse.Namespace) -> BenchResult:
    """Load the model of ``options`` and run ``options.seconds`` of test sound through it."""
    import edge_runtime

    path = arguments.model_path(options.model)
    machine = this_machine()
    started = time.perf_counter()
    converter = edge_runtime.load(path, kind="voice", backend=options.backend, threads=options.threads)
    load_s = time.perf_counter() - started
    manifest = converter.manifest
    rate_hz = manifest.front_end.sample_rate_hz
    chunk = manifest.timing.chunk_hops * manifest.front_end.hop_length
    sound = test_sound(options.seconds, rate_hz)
    times_s, shares, first_s = _stream(converter, sound, chunk)
    peak_mb = peak_memory_mb()  # before the whole file, which holds more at once than a live stream does
    started = time.perf_counter()
    converter.convert(sound, rate_hz)
    convert_s = time.perf_counter() - started
    p50, p95, p99, top = _percentiles_ms(times_s)
    return BenchResult(
        model=manifest.name,
        precision=manifest.precision,
        backend=converter.backend_name,
        threads=options.threads,
        sound_s=len(sound) / rate_hz,
        chunk_ms=1000.0 * chunk / rate_hz,
        load_s=load_s,
        first_chunk_ms=1000.0 * first_s,
        chunk_p50_ms=p50,
        chunk_p95_ms=p95,
        chunk_p99_ms=p99,
        chunk_max_ms=top,
        stream_real_time_factor=sum(times_s) / (len(times_s) * chunk / rate_hz),
        convert_real_time_factor=convert_s / (len(sound) / rate_hz),
        convert_graph_share=_block_graph_share(converter, sound),
        front_end_share=shares[0],
        graph_share=shares[1],
        synthesis_share=shares[2],
        latency_ms=manifest.latency_ms,
        peak_memory_mb=peak_mb,
        machine=machine,
        temperature_after_c=temperature_c(),
        throttled_after=throttling(),
    )


def test_sound(seconds: float, rate_hz: int) -> NDArray[np.float32]:
    """A voice-like sound (n,) that is the same on every machine: a gliding buzz, hiss, and pauses."""
    import numpy as np

    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2.0 * np.pi * np.cumsum(120.0 * 2.0 ** (0.3 * np.sin(2.0 * np.pi * 0.7 * time_s))) / rate_hz
    buzz = sum(np.sin(k * phase) / k for k in range(1, 21))
    hiss = np.random.default_rng(0).standard_normal(len(time_s))
    envelope = np.clip(np.sin(2.0 * np.pi * 1.3 * time_s) + 0.6, 0.0, 1.0)
    return (0.1 * envelope * (buzz + 0.1 * hiss)).astype(np.float32)


def _stream(
    converter: VoiceConverter, sound: NDArray[np.float32], chunk: int
) -> tuple[list[float], tuple[float, float, float], float]:
    """Seconds of every chunk after the warm-up, the shares of the stages, and the seconds of the very first chunk."""
    stream = converter.stream()
    started = time.perf_counter()
    stream.process(sound[:chunk])
    first_s = time.perf_counter() - started
    for _ in range(_WARM_UP_CHUNKS):
        stream.process(sound[:chunk])
    before = dataclasses.replace(stream.clock)
    times_s = []
    for start in range(0, len(sound) - chunk + 1, chunk):
        piece = sound[start : start + chunk]
        started = time.perf_counter()
        stream.process(piece)
        times_s.append(time.perf_counter() - started)
    after, total_s = stream.clock, sum(times_s)
    shares = (
        (after.front_end_s - before.front_end_s) / total_s,
        (after.graph_s - before.graph_s) / total_s,
        (after.synthesis_s - before.synthesis_s) / total_s,
    )
    return times_s, shares, first_s


def _block_graph_share(converter: VoiceConverter, sound: NDArray[np.float32]) -> float:
    """Share of the graph, 0..1, when sound comes in the blocks of `VoiceConverter.convert`; priming is not counted."""
    stream = converter.stream()
    block = converter.block_samples
    for start in range(0, len(sound), block):
        stream.process(sound[start : start + block])
    clock = stream.clock
    return clock.graph_s / (clock.front_end_s + clock.graph_s + clock.synthesis_s)


def _percentiles_ms(times_s: list[float]) -> tuple[float, float, float, float]:
    """Median, 95th and 99th percentile, and the largest, in milliseconds."""
    import numpy as np

    p50, p95, p99, top = (1000.0 * np.percentile(times_s, [50, 95, 99, 100])).tolist()
    return p50, p95, p99, top


def _lines(result: BenchResult) -> list[str]:
    memory = "unknown" if result.peak_memory_mb is None else f"{result.peak_memory_mb:.0f} MB"
    return [
        f"{result.model} ({result.precision}) on {result.backend}, {result.threads} thread(s)",
        describe(result.machine),
        f"a chunk of {result.chunk_ms:g} ms takes {result.chunk_p50_ms:.2f} ms (95 %: {result.chunk_p95_ms:.2f}, "
        f"99 %: {result.chunk_p99_ms:.2f}, longest {result.chunk_max_ms:.2f})",
        f"real-time factor {result.stream_real_time_factor:.3f} live, {result.convert_real_time_factor:.3f} for files",
        f"of that {result.front_end_share:.0%} front end, {result.graph_share:.0%} graph, "
        f"{result.synthesis_share:.0%} synthesis",
        *_heat_lines(result),
        f"loading {result.load_s:.2f} s, first chunk {result.first_chunk_ms:.1f} ms, memory {memory}, "
        f"latency {result.latency_ms:g} ms plus one chunk's time",
    ]


def _heat_lines(result: BenchResult) -> list[str]:
    """What heat did to the measurement, where the machine tells."""
    lines = []
    before, after = result.machine.temperature_c, result.temperature_after_c
    if before is not None and after is not None:
        lines.append(f"temperature {before:.0f} °C before, {after:.0f} °C after")
    if (result.throttled_after or 0) & ((1 << SINCE_BOOT) - 1):
        lines.append(f"the board is slowed down ({result.throttled_after:#x}): these figures are not its best")
    return lines
