"""``changeling convert ... --swap MODEL``: the flags, and a model of another person's face made ready."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_runtime.cli import arguments
from edge_runtime.cli.face_job import Job
from edge_runtime.errors import InputError

FLAGS = {
    "colour_match": "--colour-match",
    "opacity": "--opacity",
    "mouth_keep": "--mouth-keep",
    "on_lost": "--on-lost",
    "follow": "--follow",
    "like": "--like",
}
"""Flag by name of the option; none of them means anything without ``--swap``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of a swap."""
    swap = parser.add_argument_group("another person's face (photos and video; --faces as well)")
    swap.add_argument("--swap", metavar="FILE", help="a swap model of `changeling export`: the face that is put on")
    swap.add_argument(FLAGS["colour_match"], metavar="HOW", help="none, mean-std or histogram (the model's default)")
    swap.add_argument(FLAGS["opacity"], type=arguments.number, metavar="0..1", help="of the other face (1)")
    swap.add_argument(FLAGS["mouth_keep"], action="store_true", help="keep the photo's own mouth")
    swap.add_argument(
        FLAGS["follow"], type=arguments.number, metavar="0..1", help="of what the painted expression lacks (1)"
    )
    swap.add_argument(FLAGS["on_lost"], metavar="WHAT", help="a face that a video loses: pass (default) or blur")
    swap.add_argument(FLAGS["like"], metavar="PHOTO", help="swap only the face that is most like the one in PHOTO")


def check_flags(options: argparse.Namespace, units: dict[str, float]) -> None:
    """Refuse (`InputError`) what does not go together."""
    if not options.swap:
        for name, flag in FLAGS.items():
            if getattr(options, name):
                raise InputError(f"{flag} belongs to a swap; name its model with --swap FILE")
        return
    if units or options.expression is not None or options.uncapped:
        raise InputError("a swap and an expression are two conversions; convert the result of one with the other")
    if options.model is not None:
        raise InputError("--swap names the model already; leave --model out")


def load(options: argparse.Namespace) -> Job:
    """Open the model, say whose face it is, and check the wishes against it. Raises what loading a model raises."""
    import edge_runtime
    from edge_runtime.consent import identity_text
    from edge_runtime.media.image import read_photo

    converter = edge_runtime.load(options.swap, kind="swap", backend=options.backend, threads=options.threads)
    manifest = converter.manifest
    controls = converter.controls(
        faces=options.faces,
        like=None if options.like is None else read_photo(Path(options.like)).pixels,
        colour_match=options.colour_match,
        opacity=1.0 if options.opacity is None else options.opacity,
        mouth_keep=options.mouth_keep,
        on_lost=options.on_lost or "pass",
        follow=options.follow,
    )
    print(identity_text(manifest.identity), file=sys.stderr)
    mended_by = "" if converter.follower is None else converter.follower.digest
    if not mended_by:
        print("expressions are as the model paints them: no face model runs here that could mend them", file=sys.stderr)
    return Job(
        model=manifest.name,
        text=f"the face of {manifest.identity.name}",
        recipe=f"{manifest.graph_sha256} {manifest.geometry_fingerprint()} {controls!r} {mended_by}",
        find=converter.find_faces,
        choose=lambda photo, found: converter.choose(photo, found, controls),
        change=lambda photo, chosen: converter.convert_found(photo, chosen, controls),
        stream=lambda: converter.stream(controls),
    )
