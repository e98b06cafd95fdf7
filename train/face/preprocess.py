"""Step 2: rendered pairs into aligned frames, by the detector, landmarks and transform of the device.

A frame is the aligned crop with a margin, a little finer than the crop itself, so that batches can shift, turn and
scale the five points, as a landmark model errs, and cut the crop out once more without losing sharpness. Both pictures
of a pair lie in the frame of A; the flows between them are carried along exactly.

    DATA/aligned/<fingerprint>/<split>-NNNNN.npz     SHARD_PAIRS pairs each, uncompressed
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cli.arguments import Parser
from edge_runtime.errors import WorkstationError
from edge_runtime.face.finder import FaceFinder
from edge_runtime.face.geometry import FloatArray, Similarity, align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.remap import sample
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION
from edge_runtime.face_path_contract import CropSpec
from edge_runtime.files import make_folder, write_atomic
from edge_runtime.strict_json import canonical
from train.face.dataset import EDITS, FaceDataset, PairRecord, StoredFlow, StoredPair, load_dataset, load_pair
from train.face.parts import CROP, DETECTOR, LANDMARKS, FaceParts, load_parts
from train.pool import check_workers, run_all
from train.progress import Progress

FRAME_SCALE: Final = 1.2
"""Frame pixels in a crop pixel."""
FRAME_MARGIN_PX: Final = 6
"""Crop pixels around the crop."""
SHARD_PAIRS: Final = 256

Tell = Callable[[int, int], None]
"""Takes how many pairs of a shard are done, and how many of those are without a face."""

MakeShard = Callable[["Tell | None", "Shard"], tuple[int, int]]
"""Makes the file of a shard; gives how many pairs it is about, and in how many of them no face was found."""
AlignedT = TypeVar("AlignedT")

DAMAGE: Final = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""What reading an .npz that is cut short or missing raises."""

_RECIPE_VERSION: Final = 2
"""Bumped on any change of what the files hold."""
_FARTHEST_FIVE: Final = 0.25
"""Mean distance in inter-ocular distances beyond which the landmark model has found something else than the face."""
_TRUE_FIVE: Final = (
    ("right_eye_outer", "right_eye_inner"),
    ("left_eye_outer", "left_eye_inner"),
    ("nose_tip",),
    ("mouth_right",),
    ("mouth_left",),
)


@dataclass(frozen=True, eq=False)
class Aligned:
    """Pairs in their frames of F pixels; index 0 of the second axis is A or "of B from A", index 1 the other way."""

    images: NDArray[np.uint8]
    """(N, 2, F, F, 3): A and B."""
    flows: NDArray[np.float16]
    """(N, 2, F/2, F/2, 2) backward, in frame pixels: where B's pixels were in A, and where A's are in B."""
    known: NDArray[np.uint8]
    """(N, 2, F/2, F/2) 0..255: share of a cell whose point shows in the other picture."""
    hidden: NDArray[np.uint8]
    """(N, 2, F, F) 0..255: share of a pixel that must be invented."""
    units: FloatArray
    """(N, 2, U) of A and of B."""
    five: FloatArray
    """(N, 2, 5, 2) the device's five points in A and in B, in frame pixels."""

    def __len__(self) -> int:
        return len(self.images)


def frame_size_px(crop: CropSpec) -> int:
    """Width and height of a frame; even."""
    return round((crop.size_px + 2 * FRAME_MARGIN_PX) * FRAME_SCALE / 2) * 2


def crop_to_frame() -> Similarity:
    """From the unjittered crop's pixels to the frame's."""
    shift = FRAME_SCALE * (FRAME_MARGIN_PX + 0.5) - 0.5
    return Similarity(FRAME_SCALE, 0.0, shift, shift)


def aligned_folder(dataset: FaceDataset) -> Path:
    """Where the frames of a dataset lie; another geometry of the device has another folder."""
    parts = [dataclasses.asdict(part) for part in (CROP, DETECTOR, LANDMARKS)]
    recipe = [FACE_FRONT_END_VERSION, parts, FRAME_SCALE, FRAME_MARGIN_PX, SHARD_PAIRS, _RECIPE_VERSION]
    return dataset.root / "aligned" / hashlib.sha256(canonical(recipe).encode()).hexdigest()[:16]


def find_five(finder: FaceFinder, image: NDArray[np.uint8]) -> FloatArray | None:
    """The five points (5, 2) of the largest face in (H, W, 3) as the device finds them, or None."""
    face = find_largest(finder, image)
    return None if face is None else face.five


def find_largest(finder: FaceFinder, image: NDArray[np.uint8]) -> Face | None:
    """The largest face in (H, W, 3) as the device finds it, or None."""
    return max(finder.find(image), key=lambda face: face.eye_distance_px, default=None)


def align_pair(pair: StoredPair, five: tuple[FloatArray, FloatArray], crop: CropSpec = CROP) -> Aligned:
    """One pair in the frame that the five points of A and B (5, 2) give; N is 1."""
    if pair.flow_a is None or pair.flow_b is None:
        raise ValueError("a pair of two identities has no flow")
    to_frame = crop_to_frame().after(align(five[0], crop))
    back = to_frame.inverse()
    size = frame_size_px(crop)
    flows = [_align_flow(flow, to_frame, size // 2) for flow in (pair.flow_b, pair.flow_a)]
    hidden = [
        _bytes(sample(_to_invent(flow)[..., None], back, (size, size), black_outside=True)[..., 0])
        for flow in (pair.flow_b, pair.flow_a)
    ]
    return Aligned(
        np.stack([sample(image, back, (size, size)) for image in (pair.image_a, pair.image_b)])[None],
        np.stack([flow for flow, _ in flows])[None],
        np.stack([known for _, known in flows])[None],
        np.stack(hidden)[None],
        np.stack([pair.units_a, pair.units_b])[None].astype(np.float32),
        np.stack([to_frame.apply(points) for points in five])[None],
    )


def _to_invent(flow: StoredFlow) -> FloatArray:
    """(S, S) 0..1: what is hidden in mouth and eyes, and all skin that unfolds, such as that of a closing lid.

    What appears without having moved is background beside a jaw, which nobody can know.
    """
    unfolds = (1.0 - flow.known) * _moves(flow)
    return np.maximum(flow.hidden, unfolds).astype(np.float32)


def _moves(flow: StoredFlow) -> FloatArray:
    """(S, S) 1 where a surface has moved."""
    return (np.abs(flow.backward_px).sum(axis=-1) > 0.0).astype(np.float32)


def _align_flow(flow: StoredFlow, to_frame: Similarity, cells: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Flow (cells, cells, 2) in frame pixels and its known share, at every second pixel's middle of the frame."""
    to_cells = Similarity(0.5, 0.0, -0.25, -0.25).after(to_frame)
    # Background that a moving jaw uncovers has no movement of its own and must not slow down the edge beside it.
    counted = np.maximum(np.maximum(flow.known, flow.hidden), _moves(flow))[..., None]
    stacked = np.concatenate([flow.backward_px * counted, counted, flow.known[..., None]], axis=-1)
    found = sample(stacked.astype(np.float32), to_cells.inverse(), (cells, cells), black_outside=True)
    moved = to_frame.turn(found[..., :2] / np.maximum(found[..., 2:3], 1e-3))
    return moved.astype(np.float16), _bytes(found[..., 3])


def preprocess(dataset: FaceDataset, parts: FaceParts | None = None, *, workers: int = 1) -> Path:
    """Align all pairs of one person that are not aligned yet; returns their folder. Safe to interrupt and repeat.

    On several processes a shard is one process's work, and each finds faces with parts of its own (``parts`` must then
    be picklable). Raises `WorkstationError` when no face at all is found, `InputError` for an impossible number of
    processes, and what `load_parts` raises.
    """
    check_workers(workers)
    folder = aligned_folder(dataset)
    make_folder(folder)
    waiting = waiting_shards(dataset, folder, *EDITS)
    make_shards(waiting, partial(_align_shard, dataset.root, dataset.landmarks, parts), parts, dataset.root, workers)
    return folder


def waiting_shards(dataset: FaceDataset, folder: Path, *kinds: str) -> list[Shard]:
    """The files of the pairs of these kinds that are not made yet."""
    return [
        Shard(path, tuple(records))
        for split in ("train", "heldout")
        for path, records in _shards(dataset, folder, split, kinds)
        if stored_names(path) != [record.file for record in records]
    ]


def make_shards(waiting: Sequence[Shard], make: MakeShard, parts: FaceParts | None, root: Path, workers: int) -> None:
    """Make every file of ``waiting`` with progress: a file is one process's work.

    Raises `WorkstationError` when no face at all is found in the pairs of ``root``.
    """
    if not waiting:
        return
    if parts is None:
        load_parts()  # fetched once, here, and not by every process
    total, done, lost = sum(len(shard.records) for shard in waiting), 0, 0
    with Progress(total, "preprocess") as progress:

        def tell(here: int, here_lost: int) -> None:
            note = f"{done + here} of {total} pairs, {lost + here_lost} without a face that the device finds"
            progress.update(done + here, note)

        # only here, and not from another process, is every pair told of
        for seen, not_found in run_all(partial(make, tell if workers == 1 else None), waiting, workers):
            done, lost = done + seen, lost + not_found
            tell(0, 0)
    if lost == total:
        raise WorkstationError(f"the device finds no face in any of the {total} pairs of {root}")


@dataclass(frozen=True)
class Shard:
    """A file to make."""

    path: Path
    records: tuple[PairRecord, ...]


def _align_shard(
    root: Path, landmarks: Sequence[str], parts: FaceParts | None, tell: Tell | None, shard: Shard
) -> tuple[int, int]:
    """See `fill_shard`."""
    finder = own_finder() if parts is None else parts.finder()
    return fill_shard(shard, lambda record: _aligned_record(root / record.file, landmarks, finder), Aligned, tell)


def fill_shard(
    shard: Shard, align_one: Callable[[PairRecord], AlignedT | None], cls: type[AlignedT], tell: Tell | None
) -> tuple[int, int]:
    """Make the file; gives how many pairs it is about, and in how many of them no face was found."""
    found = []
    for number, record in enumerate(shard.records, 1):
        one = align_one(record)
        found += [] if one is None else [one]
        if tell is not None:
            tell(number, number - len(found))
    save_shard(shard.path, found, [record.file for record in shard.records], cls)
    return len(shard.records), len(shard.records) - len(found)


@cache
def own_finder() -> FaceFinder:
    """One for each process."""
    return load_parts().finder()


def shard_paths(folder: Path, split: str) -> list[Path]:
    """Files of one split, "train" or "heldout"."""
    return sorted(folder.glob(f"{split}-*.npz"))


def load_shard(path: Path) -> Aligned | None:
    """Read one shard; None when it holds no pair. Raises `WorkstationError`."""
    return load_shard_of(path, Aligned)


def load_shard_of(path: Path, cls: type[AlignedT]) -> AlignedT | None:
    """The same for any dataclass of arrays whose first axis counts the pairs."""
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if not len(arrays[names[0]]):
                return None
            return cls(**{name: arrays[name] for name in names})
    except DAMAGE as error:
        raise WorkstationError(f"{path} cannot be read; delete it and run preprocess again") from error


def _shards(
    dataset: FaceDataset, folder: Path, split: str, kinds: Sequence[str]
) -> Iterator[tuple[Path, Sequence[PairRecord]]]:
    records = dataset.split(split, *kinds)
    for number, start in enumerate(range(0, len(records), SHARD_PAIRS)):
        yield folder / f"{split}-{number:05d}.npz", records[start : start + SHARD_PAIRS]


def stored_names(path: Path) -> list[str]:
    """What a shard was made of; empty when it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [str(name) for name in arrays["names"]]
    except DAMAGE:
        return []


def find_pair(path: Path, names: Sequence[str], finder: FaceFinder) -> tuple[StoredPair, Face, Face] | None:
    """A pair with its face in A and in B as the device finds it, or None when it finds none or something else.

    ``names`` are those of the pair's landmarks.
    """
    pair = load_pair(path)
    faces = []
    for image, landmarks in ((pair.image_a, pair.landmarks_a), (pair.image_b, pair.landmarks_b)):
        face = find_largest(finder, image)
        if face is None or _distance(face.five, true_five(landmarks, names)) > _FARTHEST_FIVE:
            return None
        faces.append(face)
    return pair, faces[0], faces[1]


def _aligned_record(path: Path, names: Sequence[str], finder: FaceFinder) -> Aligned | None:
    """The pair in its frame, or None when the device does not find its face."""
    found = find_pair(path, names, finder)
    return None if found is None else align_pair(found[0], (found[1].five, found[2].five))


def true_five(landmarks: FloatArray, names: Sequence[str]) -> FloatArray:
    """The five points (5, 2) from the renderer's own landmarks (L, 2)."""
    index = {name: i for i, name in enumerate(names)}
    return np.stack([landmarks[[index[name] for name in group]].mean(axis=0) for group in _TRUE_FIVE])


def _distance(found: FloatArray, true: FloatArray) -> float:
    eyes = float(np.hypot(*(true[1] - true[0])))
    return float(np.linalg.norm(found - true, axis=-1).mean()) / max(eyes, 1.0)


def save_shard(path: Path, found: Sequence[Any], names: Sequence[str], cls: type[Any] = Aligned) -> None:
    """Write pairs, each a ``cls`` of one pair, atomically; ``names`` are the files it was made of, also of those that
    gave no pair."""
    arrays: dict[str, NDArray] = {"names": np.array(names)}
    for field in dataclasses.fields(cls):
        parts = [getattr(one, field.name) for one in found]
        arrays[field.name] = np.concatenate(parts) if parts else np.zeros((0,), np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomic(path, (buffer.getbuffer(),))


def _bytes(share: FloatArray) -> NDArray[np.uint8]:
    return np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)


def main(argv: Sequence[str]) -> int:
    """``changeling train face preprocess --data DATA [--workers W]``."""
    parser = Parser("changeling train face preprocess", "Align the faces of a data set as the device will.")
    parser.add_argument("--data", required=True, metavar="DATA", help="folder made by collect")
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes (1)")
    options = parser.parse_args(list(argv))
    dataset = load_dataset(Path(options.data))
    folder = preprocess(dataset, workers=options.workers)
    counts = {split: sum(len(load_shard(path) or ()) for path in shard_paths(folder, split))
              for split in ("train", "heldout")}  # fmt: skip
    print(f"{folder}: {counts['train']} pairs to train on, {counts['heldout']} held out")
    return 0
