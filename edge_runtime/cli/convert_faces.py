"""The faces of ``changeling convert``: a photo, a video with its sound, or a folder of both."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from edge_runtime.cli import folders
from edge_runtime.cli.face_flags import FaceJob
from edge_runtime.cli.media_kind import FACES, VIDEO, kind_of
from edge_runtime.cli.progress import ProgressLine
from edge_runtime.errors import InputError, OutputError

_LOSSLESS = ".png"
_ANY_SOUND = ".mkv"


def convert_faces(source: Path, target: Path, kind: str, options: argparse.Namespace, units: dict[str, float]) -> int:
    """Convert ``source`` of ``kind``; 0 when all went well, the first failure's code when files of a folder failed."""
    if not units and options.expression is None:
        raise InputError("say what to change, for instance --smile 0.8 or --expression happy:0.6")
    if kind == FACES:
        return _convert_folder(source, target, options, units)
    if target.is_dir():
        target = target / f"{source.stem}{_suffix_of(source)}"
    _check_suffix(target, kind)
    folders.refuse_same(source, target)
    folders.check_writable(target.parent)
    job = _Job.load(options, units)
    print(f"{target}: {job.convert(source, target, kind)}", file=sys.stderr)
    return 0


def _convert_folder(source: Path, folder: Path, options: argparse.Namespace, units: dict[str, float]) -> int:
    from edge_runtime.media import image, video

    suffixes = image.READ_SUFFIXES | video.READ_SUFFIXES
    pairs = folders.plan(source, folder, suffixes, _suffix_of)
    folders.prepare(source, folder, pairs, "photo or video")
    todo = folders.pending(pairs, overwrite=options.overwrite)
    job = _Job.load(options, units)

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


class _Job(FaceJob):
    """A loaded model and what is asked of it, for files."""

    def convert(self, source: Path, target: Path, kind: str) -> str:
        """Convert one file; gives what was done, for a person."""
        return self._convert_video(source, target) if kind == VIDEO else self._convert_photo(source, target)

    def _convert_photo(self, source: Path, target: Path) -> str:
        from edge_runtime.face.converter import choose
        from edge_runtime.media.image import read_photo, write_photo

        photo = read_photo(source)
        found = self.converter.find_faces(photo.pixels)
        chosen = choose(found, self.controls.faces)
        if not chosen:
            what = f"only {len(found)} of them" if found else "no face that can be found"
            raise InputError(f"{source} shows {what}; nothing was written")
        pixels = self.converter.convert_found(photo.pixels, chosen, self.controls)
        write_photo(target, dataclasses.replace(photo, pixels=pixels), comment=self.comment())
        return f"{len(chosen)} of {len(found)} face(s) with {self.text}"

    def _convert_video(self, source: Path, target: Path) -> str:
        from edge_runtime.media.video_conversion import convert_video

        manifest = self.converter.manifest
        progress = ProgressLine(source.name)
        try:
            result = convert_video(
                source,
                target,
                self.converter.stream(self.controls),
                recipe=f"{manifest.graph_sha256} {manifest.geometry_fingerprint()} {self.controls!r}",
                comment=self.comment(),
                progress=progress,
            )
        finally:
            progress.close()
        again = f", {result.resumed_frames} of them from before" if result.resumed_frames else ""
        return f"{result.frames} frames{again}, {result.frames_with_faces} with faces, with {self.text}"
