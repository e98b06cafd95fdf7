"""People's own pictures: faces found in photos or a video, aligned, judged, and kept with the reasons for what is not.

::

    DATA/photos.json        `PhotoSet`: what was kept, and what was left out and why
    DATA/photos/*.png       aligned faces, `SIZE_PX` square, the eyes where rendered pairs have them
    DATA/found/*.json       `Found`: what each photo and each minute of a video gave, so that it is not searched twice
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face.geometry import fit_similarity
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face
from edge_runtime.face.remap import sample
from edge_runtime.files import make_folder, shown, write_atomic
from train.face.pictures import Piece, find_files, find_pieces
from train.progress import Progress
from train.records import load_json, save_json

Image = NDArray[np.uint8]
FindFaces = Callable[[Image], Sequence[Face]]
"""All faces of a picture (H, W, 3)."""

SIZE_PX: Final = 192
PHOTOS_FILE: Final = "photos.json"
PHOTOS_FOLDER: Final = "photos"
FOUND_FOLDER: Final = "found"
MINIMUM_EYE_DISTANCE_PX: Final = 24.0
MINIMUM_SHARPNESS: Final = 0.0006
"""A face 192 pixels wide, blurred by about two pixels and a half."""
MAXIMUM_TURN_DEG: Final = 45.0
_RECIPE: Final = "1"
"""Changed with anything that decides what is kept, and how."""
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
    measures: dict[str, float]
    """What the face shows (`edge_runtime.face.measures`)."""


@dataclass(frozen=True)
class LeftOut:
    """A picture, or a face in one, that was not kept."""

    source: str
    reason: str


@dataclass(frozen=True)
class Found:
    """What was found in one piece of what was given."""

    faces: tuple[PhotoRecord, ...]
    left_out: tuple[LeftOut, ...]
    broken: bool = False
    """Whether it, and so what follows it, cannot be read."""


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

    What was found in a photo or a minute of a video is put down at once, so a run that was stopped goes on there.
    ``find_faces`` is by default what the device's detector and landmark model find. Raises `InputError` when there are
    no pictures or no usable face in them, `OutputError`, and what `train.face.parts.load_parts` raises.
    """
    files = find_files(sources)
    finder = find_faces or default_finder()
    for folder in (PHOTOS_FOLDER, FOUND_FOLDER):
        make_folder(out / folder)
        for leftover in (out / folder).glob(".changeling-*.part"):
            leftover.unlink(missing_ok=True)  # of a run that was killed while it wrote
    found: list[Found] = []
    with Progress(len(files), "find faces") as progress:
        for number, path in enumerate(files):
            for done, piece_found in _search(path, out, finder):
                found.append(piece_found)
                progress.update(number + done, f"{sum(len(one.faces) for one in found)} faces")
    photos = _merge(found)
    if not photos.faces:
        why = _reasons(photos.left_out)
        raise InputError(f"no usable face is in the pictures ({why}); give sharper or larger ones")
    save_json(out / PHOTOS_FILE, photos)
    return photos


def load_photos(out: Path) -> PhotoSet:
    """What `collect_photos` put into ``out``. Raises `WorkstationError` when there is nothing, or it is damaged."""
    if not (out / PHOTOS_FILE).is_file():
        raise WorkstationError(f"{out} holds no {PHOTOS_FILE}; make it with: changeling train face collect PHOTOS")
    photos: PhotoSet = load_json(out / PHOTOS_FILE, PhotoSet)
    for face in photos.faces:
        if PurePosixPath(face.file).parent.as_posix() != PHOTOS_FOLDER or len(face.five) != 5:
            raise WorkstationError(f"{out / PHOTOS_FILE} is damaged; collect the photos again")
    return photos


def load_picture(out: Path, record: PhotoRecord) -> Image:
    """The aligned picture (`SIZE_PX`, `SIZE_PX`, 3) of a face. Raises `WorkstationError`."""
    try:
        image = cv2.imdecode(np.frombuffer((out / record.file).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        image = None
    if image is None or image.shape != (SIZE_PX, SIZE_PX, 3):
        raise WorkstationError(f"{out / record.file} cannot be read; delete it and collect the photos again")
    return np.ascontiguousarray(image[..., ::-1])


def default_finder() -> FindFaces:
    """The device's detector and landmark model. Raises what `train.face.parts.load_parts` raises."""
    from train.face.parts import load_parts

    return load_parts().finder().find


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


def _search(path: Path, out: Path, finder: FindFaces) -> Iterator[tuple[float, Found]]:
    """What is in a file, piece by piece, each with the share of the file that is done."""
    try:
        pieces = find_pieces(path)
    except InputError as error:
        yield 1.0, Found((), (LeftOut(shown(path.name), f"unreadable: {error}"),))
        return
    for piece in pieces:
        memory = out / FOUND_FOLDER / f"{piece.fingerprint(_RECIPE)}.json"
        found = _remembered(memory, out)
        if found is None:
            found = _look(piece, out, finder)
            save_json(memory, found)
        yield (piece.number + 1) / piece.of, found
        if found.broken:
            return


def _remembered(memory: Path, out: Path) -> Found | None:
    """What was found before, if it is still there."""
    if not memory.is_file():
        return None
    try:
        found: Found = load_json(memory, Found)
    except WorkstationError:
        return None
    return found if all((out / face.file).is_file() for face in found.faces) else None


def _look(piece: Piece, out: Path, finder: FindFaces) -> Found:
    faces: list[PhotoRecord] = []
    left_out: list[LeftOut] = []
    without, broken = 0, False
    try:
        for name, pixels in piece.pictures():
            seen = finder(pixels)
            without += not seen
            for face in seen:
                kept = _kept(name, pixels, face, out)
                faces.append(kept) if isinstance(kept, PhotoRecord) else left_out.append(kept)
    except InputError as error:
        left_out.append(LeftOut(piece.name, f"unreadable: {error}"))
        broken = True
    if without:
        # a line for a film and not for each of its frames
        reason = f"no face found: in {without} of its pictures" if piece.is_video else "no face found"
        left_out.append(LeftOut(piece.name, reason))
    return Found(tuple(faces), tuple(left_out), broken)


def _kept(name: str, pixels: Image, face: Face, out: Path) -> PhotoRecord | LeftOut:
    """The face, its picture written; or why not."""
    to_picture = fit_similarity(face.five, _REFERENCE)
    picture = sample(pixels, to_picture.inverse(), (SIZE_PX, SIZE_PX))
    if reason := judge(face, picture):
        return LeftOut(name, reason)
    digest = hashlib.sha256(picture.tobytes()).hexdigest()
    file = f"{PHOTOS_FOLDER}/{digest[:16]}.png"
    _write_png(out / file, picture)
    return PhotoRecord(
        file, name, "heldout" if int(digest[:2], 16) < _HELDOUT_BYTE else "train",
        tuple(tuple(float(value) for value in point) for point in to_picture.apply(face.five)),
        sharpness(picture), *pose_deg(face), face.eye_distance_px, measure_face(face),
    )  # fmt: skip


def _merge(found: Sequence[Found]) -> PhotoSet:
    """All together, each picture once."""
    faces: dict[str, PhotoRecord] = {}
    left_out: list[LeftOut] = []
    for one in found:
        left_out += one.left_out
        for face in one.faces:
            if face.file in faces:
                left_out.append(LeftOut(face.source, "the same picture again"))
            else:
                faces[face.file] = face
    return PhotoSet(tuple(faces.values()), tuple(left_out))


def _write_png(path: Path, picture: Image) -> None:
    done, data = cv2.imencode(".png", picture[..., ::-1])
    if not done:
        raise WorkstationError(f"{path.name} cannot be made; report this fault")
    write_atomic(path, (data.tobytes(),))


def _reasons(left_out: Sequence[LeftOut]) -> str:
    if len(left_out) == 1:
        return left_out[0].reason.split(";")[0]
    counts = Counter(entry.reason.split(":")[0] for entry in left_out)
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
