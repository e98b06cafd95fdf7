"""People's own photos as `train.face.photos` keeps them, of made-up faces."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from tests.train.face.warped_faces import face, tiny_config
from train.face.photos import PHOTOS_FILE, PHOTOS_FOLDER, SIZE_PX, PhotoRecord, PhotoSet
from train.face.preprocess import crop_to_frame, frame_size_px
from train.records import save_json

NEUTRAL = {
    "corner_lift": -0.05, "lip_gap": 0.02, "mouth_width": 0.8, "eye_closed_left": -0.27, "eye_closed_right": -0.27,
    "eye_open": 0.29, "brow_height": 0.33, "brow_gap": 0.4,
}  # fmt: skip


def record_of(file: str, measures: dict[str, float] | None = None) -> PhotoRecord:
    """A face whose points lie where the aligned frame has them."""
    scale = SIZE_PX / frame_size_px(tiny_config().crop)
    five = (crop_to_frame().apply(np.array(tiny_config().crop.reference)) + 0.5) * scale - 0.5
    points = tuple(tuple(float(value) for value in point) for point in five)
    return PhotoRecord(file, file, "train", points, 0.01, 0.0, 0.0, 0.0, 60.0, measures or NEUTRAL)


def write_photos(out: Path, count: int, seed: int = 7) -> PhotoSet:
    """A folder as `collect_photos` leaves it."""
    (out / PHOTOS_FOLDER).mkdir(parents=True)
    rng = np.random.default_rng(seed)
    records = []
    for _ in range(count):
        picture = cv2.resize(face(rng), (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
        file = f"{PHOTOS_FOLDER}/{hashlib.sha256(picture.tobytes()).hexdigest()[:16]}.png"
        cv2.imwrite(str(out / file), picture[..., ::-1])
        records.append(record_of(file))
    photos = PhotoSet(tuple(records), ())
    save_json(out / PHOTOS_FILE, photos)
    return photos
