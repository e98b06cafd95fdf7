"""The faces of ``changeling convert``: a photo, a video with its sound, or a folder of both."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_runtime.cli import convert_swaps, folders
from edge_runtime.cli.face_flags import FaceWishes
from edge_runtime.cli.face_job import Job
from edge_runtime.cli.media_kind import FACES, VIDEO, kind_of
from edge_runtime.errors import InputError, OutputError

_LOSSLESS = ".png"
_ANY_SOUND = ".mkv"


def convert_faces(source: Path, target: Path, kind: str, options: argparse.Namespace, units: dict[str, float]) -> int:
    """Convert ``source`` of ``kind``; 0 when all went well, the first failure's code when files of a folder failed."""
    convert_swaps.check_flags(options, units)
    if not units and options.expression is None and not options.swap:
        raise InputError("say what to change, for instance --smile 0.8 or --expression happy:0.6")
    if kind == FACES:
        return _convert_folder(source, target, options, units)
    if target.is_dir():
        target = target / f"{source.stem}{_suffix_of(source)}"
    _check_suffix(target, kind)
    folders.refuse_same(source, target)
    folders.check_writable(target.parent)
    job = _load(options, units)
    print(f"{target}: {job.convert(source, target, kind)}", file=sys.stderr)
    return 0


def _convert_folder(source: Path, folder: Path, options: argparse.Namespace, units: dict[str, float]) -> int:
    from edge_runtime.media import image, video

    suffixes = image.READ_SUFFIXES | video.READ_SUFFIXES
    pairs = folders.plan(source, folder, suffixes, _suffix_of)
    folders.prepare(source, folder, pairs, "photo or video")
    todo = folders.pending(pairs, overwrite=options.overwrite)
    job = _load(options, units)

    def convert(path: Path, target: Path) -> None:
        job.convert(path, target, kind_of(path))

    return folders.convert_each(todo, convert, there=len(pairs) - len(todo))


def _suffix_of(source: Path) -> str:
    """The suffix of a result: the source's own where that can be written."""
    from edge_runtime.media import image, video

    suffix = source.suffix.lower()
    if suffix in image.WRITE_FORMATS or suffix in video.WRITE_FORMATS:
        return suffix
    return _ANY_SOUND if kind_of(source) == VIDEO else _LOSSLESS


def _check_suffix(target: Path, kind: str) -> None:
    from edge_runtime.media import image, video

    formats = video.WRITE_FORMATS if kind == VIDEO else image.WRITE_FORMATS
    if target.suffix.lower() not in formats:
        raise OutputError(f"the result is a {kind}: {target} must end in {', '.join(formats)}")


def _load(options: argparse.Namespace, units: dict[str, float]) -> Job:
    """Open the model and check the wishes against it."""
    from edge_runtime.face.choice import choose

    if options.swap:
        return convert_swaps.load(options)
    wishes = FaceWishes.load(options, units)
    converter, controls = wishes.converter, wishes.controls
    manifest = converter.manifest
    return Job(
        model=manifest.name,
        text=wishes.text,
        recipe=f"{manifest.graph_sha256} {manifest.geometry_fingerprint()} {controls!r}",
        find=converter.find_faces,
        choose=lambda photo, found: choose(found, controls.faces),
        change=lambda photo, chosen: converter.convert_found(photo, chosen, controls),
        stream=lambda: converter.stream(controls),
    )
