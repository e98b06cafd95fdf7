"""``changeling extract IN -o DIR``: the faces of photos and videos as aligned crops and as numbers.

DIR gets ``crops/`` (aligned PNG pictures), ``faces.csv`` (a row for each face: where, when, the five points, measures
and units) and ``faces.npz`` (the same rows: ``landmarks`` (R, N, 3), ``five`` (R, 5, 2), ``units`` (R, U), ``features``
(R, 3 N), measures, sources, and the names of columns).
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments, folders
from edge_runtime.cli.media_kind import PHOTO, SOUND, kind_of
from edge_runtime.cli.progress import ProgressLine
from edge_runtime.errors import InputError
from edge_runtime.files import make_folder, write_atomic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_runtime.face.converter import FaceConverter
    from edge_runtime.face.describe import FaceDescription
    from edge_runtime.face.landmarks import Face

_FIVE = ("right_eye", "left_eye", "nose", "right_corner", "left_corner")


@dataclass(frozen=True)
class _Row:
    """One face of one picture."""

    file: str
    time_s: float
    number: int
    """In a photo from the left, from 1; in a video the face's own, from 1."""
    crop: str
    description: FaceDescription


def run(argv: list[str]) -> int:
    """Extract; 0 when a face was found everywhere, else the first failure's code."""
    import edge_runtime

    options = _parser().parse_args(argv)
    source, folder = Path(options.input), Path(options.output)
    if not source.exists():
        raise InputError(f"{source} does not exist")
    files = _files(source)
    converter = edge_runtime.load(
        arguments.model_path(options.model), kind="face", backend=options.backend, threads=options.threads
    )
    neutral = _neutral(converter, options.neutral)
    make_folder(folder / "crops")
    folders.check_writable(folder)
    rows: list[_Row] = []
    failures: list[InputError] = []
    for index, path in enumerate(files):
        prefix = f"{index:04d}-" if len(files) > 1 else ""
        try:
            rows += _extract(converter, path, prefix, folder, neutral, options.every)
        except InputError as error:
            failures.append(error)
            print(f"changeling: {' '.join(str(error).split())}", file=sys.stderr)
    if rows:
        _write_tables(folder, rows, converter)
    print(f"{len(rows)} face(s) in {len(files) - len(failures)} of {len(files)} file(s) -> {folder}", file=sys.stderr)
    return failures[0].exit_code if failures else 0


def _parser() -> arguments.Parser:
    parser = arguments.Parser("changeling extract", "Aligned crops, landmarks, expression and features of faces.")
    parser.add_argument("input", metavar="IN", help="a photo, a video, or a folder of them")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="where to put them")
    parser.add_argument("--neutral", metavar="PHOTO", help="the person at rest, from whom expressions are counted")
    parser.add_argument("--every", type=_count, default=1, metavar="N", help="of a video, every N-th frame (1)")
    arguments.add_model(parser)
    return parser


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 1000000")
    return value


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        if kind_of(source) == SOUND:
            raise InputError(f"{source} is neither photo nor video")
        return [source]
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and kind_of(path) != SOUND]
    if not files:
        raise InputError(f"{source} holds no photo or video")
    return files


def _neutral(converter: FaceConverter, path: str | None) -> Mapping[str, float] | None:
    from edge_runtime.face.choice import choose
    from edge_runtime.face.measures import measure_face
    from edge_runtime.media.image import read_photo

    if path is None:
        return None
    faces = choose(converter.find_faces(read_photo(path).pixels), "largest")
    if not faces:
        raise InputError(f"{path} shows no face that can be found; give another --neutral")
    return measure_face(faces[0])


@dataclass(frozen=True)
class _Picture:
    """One picture with its faces, numbered."""

    pixels: NDArray[np.uint8]
    time_s: float
    frame: int | None
    """Number in the video from 0; None for a photo."""
    faces: list[tuple[int, Face]]


def _extract(
    converter: FaceConverter, path: Path, prefix: str, folder: Path, neutral: Mapping[str, float] | None, every: int
) -> Iterator[_Row]:
    """Write the crops of one file and give its rows. Raises `InputError`, also when it shows no face."""
    from edge_runtime.face.describe import describe_face
    from edge_runtime.media.image import Photo, write_photo

    found = False
    for picture in _photo(converter, path) if kind_of(path) == PHOTO else _video(converter, path, every):
        for number, face in picture.faces:
            found = True
            frame = "" if picture.frame is None else f"-{picture.frame:06d}"
            crop = f"crops/{prefix}{path.stem}{frame}-{number}.png"
            write_photo(folder / crop, Photo(converter.crop(picture.pixels, face), None, b"", b""), comment=None)
            description = describe_face(face, converter.manifest, neutral)
            yield _Row(str(path), picture.time_s, number, crop, description)
    if not found:
        raise InputError(f"{path} shows no face that can be found")


def _photo(converter: FaceConverter, path: Path) -> Iterator[_Picture]:
    from edge_runtime.media.image import read_photo

    pixels = read_photo(path).pixels
    yield _Picture(pixels, 0.0, None, list(enumerate(converter.find_faces(pixels), start=1)))


def _video(converter: FaceConverter, path: Path, every: int) -> Iterator[_Picture]:
    from edge_runtime.media.video import VideoReader

    stream = converter.stream()
    progress = ProgressLine(path.name)
    with VideoReader(path) as reader:
        facts = reader.facts
        for index, frame in enumerate(reader.frames()):
            time_s = float(frame.tick * facts.time_base)
            stream.look(frame.pixels, time_s)
            if facts.frames:
                progress(min((index + 1) / facts.frames, 1.0))
            if index % every == 0:
                seen = [(tracked.number + 1, tracked.face) for tracked in stream.faces if tracked.opacity == 1.0]
                yield _Picture(frame.pixels, time_s, index, seen)
    progress.close()


def _write_tables(folder: Path, rows: list[_Row], converter: FaceConverter) -> None:
    """``faces.csv`` and ``faces.npz``. Raises `OutputError`."""
    import numpy as np

    units = [unit.name for unit in converter.manifest.units]
    measures = list(rows[0].description.measures)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    places = [f"{point}_{axis}" for point in _FIVE for axis in "xy"]
    table.writerow(
        ["file", "time_s", "face", "crop", "left", "top", "right", "bottom", "presence", *places, *measures, *units]
    )
    for row in rows:
        about = row.description
        numbers = [*about.face.box, about.face.presence, *about.face.five.ravel(), *about.measures.values()]
        shown = ["" if np.isnan(value) else f"{value:.4f}" for value in about.units]
        where = [row.file, f"{row.time_s:.4f}", row.number, row.crop]
        table.writerow([*where, *(f"{value:.4f}" for value in numbers), *shown])
    write_atomic(folder / "faces.csv", [text.getvalue().encode()])
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        source=np.array([row.file for row in rows]),
        time_s=np.array([row.time_s for row in rows], np.float32),
        face=np.array([row.number for row in rows], np.int32),
        crop=np.array([row.crop for row in rows]),
        landmarks=np.stack([row.description.face.points for row in rows]),
        five=np.stack([row.description.face.five for row in rows]),
        unit_names=np.array(units),
        units=np.stack([row.description.units for row in rows]),
        measure_names=np.array(measures),
        measures=np.array([list(row.description.measures.values()) for row in rows], np.float32),
        features=np.stack([row.description.features for row in rows]),
    )
    write_atomic(folder / "faces.npz", [stream.getvalue()])
