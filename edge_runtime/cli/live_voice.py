"""``changeling live voice``: microphone to speaker."""

from __future__ import annotations

import argparse
import copy
import os
import time
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments, live_flags, voice_flags
from edge_runtime.devices.sound import DEFAULT, PIPE, SoundNames, open_sound, rescan
from edge_runtime.errors import ControlError
from edge_runtime.system import take_realtime_priority

if TYPE_CHECKING:
    from edge_runtime.live.voice_link import VoiceLink, VoiceModels
    from edge_runtime.media.recording import SoundRecording

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_DEVICES = (
    "A device is a number or part of a name as `changeling doctor` lists them (extra audio), alsa:NAME, pulse:NAME, "
    "or - for raw 16-bit mono PCM on stdin and stdout. Keys: b bypass, m mute, q quit."
)


def live_voice(argv: list[str]) -> int:
    """Convert until stopped. Raises what devices and model raise."""
    parser = _parser()
    options = parser.parse_args(arguments.with_bare_values(argv, voice_flags.BARE_VALUES))
    if options.print_unit:
        return live_flags.print_unit("voice", argv)
    from edge_runtime.live.voice_link import VoiceLink, VoiceTotals
    from edge_runtime.media.recording import record_sound

    models, comment = _models(options)
    realtime = take_priority(options.priority)
    names = SoundNames(options.input, options.output, options.rate)
    totals = VoiceTotals(started_s=time.monotonic(), realtime=realtime)

    def connect(recording: SoundRecording | None) -> VoiceLink:
        if totals.connections:
            rescan(names)
        devices = open_sound(names, models.rate_hz)
        try:
            link = VoiceLink(devices, models, totals, recording)
        except BaseException:
            devices.close()
            raise
        link.start()
        return link

    with record_sound(options.record, comment) as recording:
        code = live_flags.supervise(
            lambda: connect(recording),
            options,
            stdin_is_source=options.input == PIPE,
            stdout_is_sink=options.output == PIPE,
        )
    for failure in recording.failures() if recording is not None else []:
        raise failure
    return code


def _parser() -> arguments.Parser:
    parser = arguments.Parser("changeling live voice", "Speak with another voice while you talk.", epilog=_DEVICES)
    arguments.add_model(parser)
    devices = parser.add_argument_group("devices")
    devices.add_argument("--input", default=DEFAULT, metavar="DEVICE", help="the microphone")
    devices.add_argument("--output", default=DEFAULT, metavar="DEVICE", help="the speaker")
    devices.add_argument("--rate", type=voice_flags.rate, metavar="HZ", help="sample rate of both (the model's)")
    devices.add_argument(
        "--latency",
        type=_latency_s,
        metavar="MS",
        help="from microphone to speaker, kept constant; longer leaves the governor more room",
    )
    parser.add_argument(
        "--priority",
        choices=("realtime", "normal"),
        help=f"run before other programs or beside them; by default before them where {_BLAS_THREADS}=1 is set",
    )
    live_flags.add(parser)
    voice_flags.add(parser)
    return parser


def take_priority(wanted: str | None) -> bool:
    """Real-time priority where it is safe: OpenBLAS's own threads do not get it, and whoever waits for them spins."""
    safe = os.environ.get(_BLAS_THREADS) == "1"
    if wanted == "realtime" and not safe:
        raise ControlError(f"--priority realtime needs {_BLAS_THREADS}=1 in the environment (the unit sets it)")
    return wanted != "normal" and safe and take_realtime_priority()


def _latency_s(text: str) -> float:
    value = arguments.number(text)
    if not 1.0 <= value <= 2000.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 2000")
    return value / 1000.0


def _models(options: argparse.Namespace) -> tuple[VoiceModels, str]:
    """The model and its smaller ones, and the comment that marks what they make."""
    import numpy as np

    from edge_runtime.live.voice_link import VoiceModels
    from edge_runtime.provenance import conversion_comment

    loaded = [voice_flags.load(options)]
    for path in options.smaller:
        smaller = copy.copy(options)
        smaller.model = path
        loaded.append(voice_flags.load(smaller))
    converter, controls = loaded[0]
    live_flags.refuse_mixed_rates([each.manifest.front_end.sample_rate_hz for each, _ in loaded])
    streams = [(each.manifest.name, each.stream(wishes)) for each, wishes in loaded]
    for _, stream in streams:
        stream.process(np.zeros(stream.chunk_samples, np.float32))  # what is set up late is set up before it counts
    comment = conversion_comment(model=converter.manifest.name, voice=voice_flags.voice_text(controls))
    return VoiceModels(streams, converter.manifest.front_end.sample_rate_hz, options.latency), comment
