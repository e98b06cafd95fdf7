"""People's own pictures: faces found in photos or a video, aligned, judged, and kept with the reasons for what is not.

::

    DATA/photos.json        `PhotoSet`: what was kept, and what was left out and why
    DATA/photos/*.png       aligned faces, `SIZE_PX` square, the eyes where rendered pairs have them
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face.geometry import fit_similarity
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample
from edge_runtime.files import write_atomic
from edge_runtime.media import image as photo_files
from edge_runtime.media import video as video_files
from train.progress import Progress
from train.records import make_folder, save_json

Image = NDArray[np.uint8]
FindFaces = Callable[[Image], Sequence[Face]]
"""All faces of a picture (H, W, 3)."""

SIZE_PX: Final = 192
PHOTOS_FILE: Final = "photos.json"
PHOTOS_FOLDER: Final = "photos"
MINIMUM_EYE_DISTANCE_PX: Final = 24.0
MINIMUM_SHARPNESS: Final = 0.0006
"""A face 192 pixels wide, blurred by about two pixels and a half."""
MAXIMUM_TURN_DEG: Final = 45.0
FRAMES_EVERY_S: Final = 0.5
"""Of a video; its neighbours in time show nothing new."""
_HELDOUT_BYTE: Final = 13
"""Pictures whose hash begins with a byte below this are held out: 5 in 100."""
_REFERENCE: Final = np.array(((0.378, 0.42), (0.622, 0.42), (0.5, 0.565), (0.40, 0.675), (0.60, 0.675))) * SIZE_PX
"""Where the five points of a face come to lie: eyes as far apart as in rendered pairs."""
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER, _FOREHEAD, _CHIN = 33, 263, 10, 152


@dataclass(frozen=True)
class PhotoRecord:
    """One face that was kept."""

    file: str
    """Path relative to the folder, with forward slashes."""
    source: str
    """Name of the photo, or of the video and the second in it."""
    split: str
    """"train" or "heldout"."""
    five: tuple[tuple[float, ...], ...]
    """The five points in the aligned picture, as `edge_runtime.face.landmarks.Face.five`."""
    sharpness: float
    """See `sharpness`."""
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    """In the photo, before it was aligned."""
    eye_distance_px: float
    """In the photo."""


@dataclass(frozen=True)
class LeftOut:
    """A picture, or a face in one, that was not kept."""

    source: str
    reason: str


@dataclass(frozen=True)
class PhotoSet:
    """What came of people's own pictures."""

    faces: tuple[PhotoRecord, ...]
    left_out: tuple[LeftOut, ...]

    def __str__(self) -> str:
        reasons = Counter(entry.reason.split(":")[0] for entry in self.left_out)
        why = "".join(f"\n  {count} left out: {reason}" for reason, count in reasons.most_common())
        heldout = sum(face.split == "heldout" for face in self.faces)
        return f"{len(self.faces)} faces kept, {heldout} of them held out{why}"


def collect_photos(sources: Sequence[Path], out: Path, find_faces: FindFaces | None = None) -> PhotoSet:
    """Keep the faces of ``sources`` (photos, videos, and folders of them) in ``out``.

    ``find_faces`` is by default what the face model that comes with changeling finds. Raises `InputError` when there
    are no pictures or no usable face in them, `ModelFileError` without a face model, and `OutputError`.
    """
    files = find_files(sources)
    finder = find_faces or default_finder()
    make_folder(out / PHOTOS_FOLDER)
    kept: list[PhotoRecord] = []
    left_out: list[LeftOut] = []
    with Progress(len(files), "find faces") as progress:
        for number, path in enumerate(files, 1):
            try:
                for name, pixels in read_pictures(path):
                    _keep_faces(name, pixels, finder, out, kept, left_out)
            except InputError as error:
                left_out.append(LeftOut(path.name, f"unreadable: {error}"))
            progress.update(number, f"{len(kept)} faces")
    photos = PhotoSet(tuple(kept), tuple(left_out))
    if not kept:
        raise InputError(f"no usable face is in the pictures ({_reasons(left_out)}); give sharper or larger ones")
    save_json(out / PHOTOS_FILE, photos)
    return photos


def default_finder() -> FindFaces:
    """The detector and landmarks of the face model that comes with changeling. Raises `ModelFileError` without one."""
    import edge_runtime

    return edge_runtime.load(kind="face").find_faces


def find_files(sources: Sequence[Path]) -> list[Path]:
    """Photos and videos in ``sources``, folders with all below them, sorted. Raises `InputError` for none."""
    suffixes = photo_files.READ_SUFFIXES | video_files.READ_SUFFIXES
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            files += sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
        elif source.exists():
            files.append(source)
        else:
            raise InputError(f"{source} does not exist; check the path")
    if not files:
        raise InputError("there is no photo and no video there; give JPEG, PNG or MP4 files, or folders of them")
    return list(dict.fromkeys(files))


def read_pictures(path: Path) -> Iterator[tuple[str, Image]]:
    """The photo in a file, or a video's frames every `FRAMES_EVERY_S`, with names. Raises `InputError`."""
    if path.suffix.lower() not in video_files.READ_SUFFIXES:
        yield path.name, photo_files.read_photo(path).pixels
        return
    with video_files.VideoReader(path) as video:
        next_s = 0.0
        for frame in video.frames():
            second = float(frame.tick * video.facts.time_base)
            if second >= next_s:
                yield f"{path.name}@{second:.2f}s", frame.pixels
                next_s = second + FRAMES_EVERY_S


def judge(face: Face, picture: Image) -> str | None:
    """Why a face with the aligned ``picture`` is not used, or None when it is."""
    yaw, pitch, _ = pose_deg(face)
    if face.eye_distance_px < MINIMUM_EYE_DISTANCE_PX:
        return (
            f"too small: {face.eye_distance_px:.0f} px between the eyes, at least {MINIMUM_EYE_DISTANCE_PX:.0f} wanted"
        )
    if max(abs(yaw), abs(pitch)) > MAXIMUM_TURN_DEG:
        return f"turned away: {yaw:.0f} degrees to a side, {pitch:.0f} up or down"
    if (value := sharpness(picture)) < MINIMUM_SHARPNESS:
        return f"blurred: sharpness {value:.4f}, at least {MINIMUM_SHARPNESS} wanted"
    return None


def sharpness(picture: Image) -> float:
    """Variance of the Laplacian of the brightness over the variance of the brightness.

    After J. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000); smoothed by 1.5 pixels first,
    so that the noise of a camera is not taken for sharpness, and as a ratio, so that contrast does not count.
    """
    grey = cv2.GaussianBlur(picture.astype(np.float32).mean(axis=2), (0, 0), 1.5)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def pose_deg(face: Face) -> tuple[float, float, float]:
    """(yaw, pitch, roll) degrees, from the depth of the mesh between the eyes' corners and from forehead to chin."""
    across = face.points[_LEFT_EYE_OUTER] - face.points[_RIGHT_EYE_OUTER]
    down = face.points[_CHIN] - face.points[_FOREHEAD]
    yaw = np.degrees(np.arctan2(across[2], np.hypot(across[0], across[1])))
    pitch = np.degrees(np.arctan2(down[2], np.hypot(down[0], down[1])))
    return float(yaw), float(pitch), float(np.degrees(np.arctan2(across[1], across[0])))


def _keep_faces(
    name: str, pixels: Image, finder: FindFaces, out: Path, kept: list[PhotoRecord], left_out: list[LeftOut]
) -> None:
    faces = finder(pixels)
    if not faces:
        left_out.append(LeftOut(name, "no face found"))
    for face in faces:
        to_picture = fit_similarity(face.five, _REFERENCE)
        picture = sample(pixels, to_picture.inverse(), (SIZE_PX, SIZE_PX))
        if reason := judge(face, picture):
            left_out.append(LeftOut(name, reason))
            continue
        digest = hashlib.sha256(picture.tobytes()).hexdigest()
        file = f"{PHOTOS_FOLDER}/{digest[:16]}.png"
        if any(record.file == file for record in kept):
            left_out.append(LeftOut(name, "the same picture again"))
            continue
        _write_png(out / file, picture)
        yaw, pitch, roll = pose_deg(face)
        five = tuple(tuple(float(value) for value in point) for point in to_picture.apply(face.five))
        split = "heldout" if int(digest[:2], 16) < _HELDOUT_BYTE else "train"
        kept.append(PhotoRecord(file, name, split, five, sharpness(picture), yaw, pitch, roll, face.eye_distance_px))


def _write_png(path: Path, picture: Image) -> None:
    done, data = cv2.imencode(".png", picture[..., ::-1])
    if not done:
        raise WorkstationError(f"{path.name} cannot be made; report this fault")
    write_atomic(path, (data.tobytes(),))


def _reasons(left_out: Iterable[LeftOut]) -> str:
    counts = Counter(entry.reason.split(":")[0] for entry in left_out)
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
