"""``changeling live face``: camera to window, browser, virtual camera or file."""

from __future__ import annotations

import argparse
import contextlib
import copy
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments, face_flags, live_flags
from edge_runtime.errors import InputError

PIPE = live_flags.PIPE

if TYPE_CHECKING:
    from edge_runtime.devices.screen import Screen
    from edge_runtime.live.face_link import FaceLink, LiveFaces
    from edge_runtime.media.recording import VideoRecording

_HELP = (
    "Every unit of the model is a flag of its own, as with `changeling convert`: --smile 0.8. "
    "Keys (in the terminal): b bypass, m black, q quit."
)


def live_face(argv: list[str]) -> int:
    """Convert until stopped. Raises what devices and model raise."""
    parser = _parser()
    rest, units = arguments.take_units(argv, parser)
    options = parser.parse_args(rest)
    if options.print_unit:
        return live_flags.print_unit("face", argv)
    from edge_runtime.devices.screen import open_screen
    from edge_runtime.media.recording import record_video

    models, comment = _models(options, units)
    with (
        record_video(options.record, comment) as recording,
        contextlib.closing(open_screen(options.output, comment)) as screen,
    ):
        code = live_flags.supervise(
            _connector(options, models, screen, recording),
            options,
            stdin_is_source=options.input == PIPE,
            stdout_is_sink=options.output == PIPE,
        )
    for failure in recording.failures() if recording is not None else []:
        raise failure
    return code


def _connector(
    options: argparse.Namespace,
    models: Sequence[tuple[str, LiveFaces]],
    screen: Screen,
    recording: VideoRecording | None,
) -> Callable[[], FaceLink]:
    from edge_runtime.devices.camera import CameraWish, open_camera
    from edge_runtime.live.face_link import FaceLink, FaceTotals

    width, height = options.size
    wish = CameraWish(options.input, width, height, options.fps)
    totals = FaceTotals(started_s=time.monotonic())

    def connect() -> FaceLink:
        link = FaceLink(open_camera(wish), screen, models, totals, recording)
        link.start()
        return link

    return connect


def _parser() -> arguments.Parser:
    parser = arguments.Parser("changeling live face", "Change the faces that a camera sees.", epilog=_HELP)
    arguments.add_model(parser)
    devices = parser.add_argument_group("devices")
    devices.add_argument(
        "--input",
        default="0",
        metavar="CAMERA",
        help="a number, /dev/videoN, a video file, or - for raw RGB frames (0)",
    )
    devices.add_argument(
        "--output",
        default="window",
        metavar="WHERE",
        help="window (default), http:PORT for a browser on this machine, /dev/videoN of v4l2loopback, FILE.mp4, "
        "- for raw RGB frames, or none",
    )
    devices.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="pictures asked for (640x480)")
    devices.add_argument("--fps", type=_rate, default=30.0, metavar="N", help="pictures a second asked for (30)")
    face_flags.add(parser)
    live_flags.add(parser)
    return parser


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdigit() and height.isdigit() and 16 <= int(width) <= 4096 and 16 <= int(height) <= 4096):
        raise argparse.ArgumentTypeError(f"{text} is not WxH, for instance 640x480")
    return int(width), int(height)


def _rate(text: str) -> float:
    value = arguments.number(text)
    if not 1.0 <= value <= 240.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 240")
    return value


def _models(options: argparse.Namespace, units: dict[str, float]) -> tuple[list[tuple[str, LiveFaces]], str]:
    """The model and its smaller ones, and the comment that marks what they make."""
    jobs = [face_flags.FaceWishes.load(options, units)]
    for path in options.smaller:
        smaller = copy.copy(options)
        smaller.model = path
        jobs.append(face_flags.FaceWishes.load(smaller, units))
    if jobs[0].controls.neutral:
        raise InputError("say what to change, for instance --smile 0.8 or --expression happy:0.6")
    return [(job.converter.manifest.name, job.converter.stream(job.controls)) for job in jobs], jobs[0].comment()
