"""The folder of rendered pairs that `collect` makes and every later step reads.

::

    DATA/collected.json     what is in it: the dataclasses below, loaded strictly
    DATA/pairs/NNNNN.npz    one pair each; see `StoredPair`
    DATA/sheet.png          some of them to look at
    DATA/LICENCE.txt        under which terms the pictures may be used
"""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import from_dict
from edge_runtime.errors import ModelFileError, WorkstationError
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.files import write_atomic
from train.records import write_json

DATASET_FILE: Final = "collected.json"
PAIRS_FOLDER: Final = "pairs"
DATASET_VERSION: Final = 1
SPLITS: Final = ("train", "heldout")
KINDS: Final = ("expression", "feature", "identity")
EDITS: Final = ("expression", "feature")
"""Kinds that show one person before and after an edit, with the flow between them."""
FLOW_STEPS_PER_PX: Final = 64
"""Flow is stored in steps of 1/64 pixel, well below what its use can tell apart."""
_MAXIMUM_SIZE_PX: Final = 1024


@dataclass(frozen=True)
class PairRecord:
    """One pair of pictures and what differs between them."""

    file: str
    """Path relative to the dataset folder, with forward slashes."""
    kind: str
    """"expression": one head, two expressions; "feature": one person with other features, and sometimes another
    expression too; "identity": two heads, one expression. Light, pose, camera and background are the same in both
    pictures."""
    split: str
    """"train", or "heldout": identities that are never trained on."""
    identities: tuple[str, ...]
    """Name of the head in A and in B."""
    changed: tuple[str, ...]
    """Units that differ."""


@dataclass(frozen=True)
class FaceDataset:
    """Everything `collect` rendered into one folder."""

    root: Path
    size_px: int
    """Width and height of every picture."""
    units: tuple[str, ...]
    """Names of the values of an expression, in order."""
    landmarks: tuple[str, ...]
    """Names of the points of a face, in order; left and right are the person's own."""
    pairs: tuple[PairRecord, ...]
    sources: tuple[FaceDataSource, ...]

    def split(self, name: str, *kinds: str) -> tuple[PairRecord, ...]:
        """The pairs of one split, "train" or "heldout", and of these kinds; of expressions when none is named."""
        wanted = kinds or ("expression",)
        return tuple(pair for pair in self.pairs if pair.split == name and pair.kind in wanted)

    @property
    def identities(self) -> tuple[str, ...]:
        """Names of all heads, in order of appearance."""
        return tuple(dict.fromkeys(name for pair in self.pairs for name in pair.identities))


@dataclass(frozen=True, eq=False)
class StoredFlow:
    """For each pixel of a picture, where what it shows was in the other picture of the pair."""

    backward_px: NDArray[np.float32]
    """(S, S, 2): other[y + flow[..., 1], x + flow[..., 0]] shows the same point. It is the motion of the surface,
    also where the other picture hides the point; 0 for the background."""
    known: NDArray[np.float32]
    """(S, S) 0..1: share of the pixel that shows in the other picture."""
    hidden: NDArray[np.float32]
    """(S, S) 0..1: share that belongs to mouth or eyes and does not show there: it must be invented. What appears
    elsewhere (a strip of background beside a jaw) is neither known nor hidden."""


@dataclass(frozen=True, eq=False)
class StoredPair:
    """One pair, decoded."""

    image_a: NDArray[np.uint8]
    """(S, S, 3) RGB."""
    image_b: NDArray[np.uint8]
    units_a: NDArray[np.float32]
    """(U,)"""
    units_b: NDArray[np.float32]
    landmarks_a: NDArray[np.float32]
    """(L, 2) x, y in pixels."""
    landmarks_b: NDArray[np.float32]
    regions_a: NDArray[np.uint8]
    """(S, S) bits: 1 mouth (lips and inside), 2 eyes (lids and eyeballs), 4 face."""
    regions_b: NDArray[np.uint8]
    flow_b: StoredFlow | None
    """Where B's pixels were in A; None for a pair of two identities."""
    flow_a: StoredFlow | None
    """Where A's pixels are in B."""

    def reversed(self) -> StoredPair:
        """The same pair with A and B exchanged: every change also the other way round."""
        return StoredPair(
            self.image_b, self.image_a, self.units_b, self.units_a, self.landmarks_b, self.landmarks_a,
            self.regions_b, self.regions_a, self.flow_a, self.flow_b,
        )  # fmt: skip


@dataclass(frozen=True)
class _Stored:
    """`FaceDataset` as it lies on disk, without its own place."""

    version: int
    size_px: int
    units: tuple[str, ...]
    landmarks: tuple[str, ...]
    pairs: tuple[PairRecord, ...]
    sources: tuple[FaceDataSource, ...]


def load_dataset(path: Path | str) -> FaceDataset:
    """Load the dataset in folder ``path``.

    Raises `WorkstationError` when there is none, or it is damaged, of another version, or names files outside itself.
    """
    root = Path(path)
    file = root / DATASET_FILE
    if not file.is_file():
        raise WorkstationError(f"{root} holds no {DATASET_FILE}; make a dataset with: changeling train face collect")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(data, dict) and data.get("version") != DATASET_VERSION:
            raise WorkstationError(f"{file} has version {data.get('version')!r}, not {DATASET_VERSION}; collect again")
        stored = from_dict(_Stored, data)
    except (OSError, ValueError, RecursionError, ModelFileError) as error:
        what = str(error).split(";")[0].replace("_Stored", "it")
        raise WorkstationError(f"{file} is damaged ({what}); run collect again") from error
    for pair in stored.pairs:
        _check_record(pair, file)
    return FaceDataset(root, stored.size_px, stored.units, stored.landmarks, stored.pairs, stored.sources)


def save_dataset(dataset: FaceDataset) -> Path:
    """Write ``collected.json`` of the dataset, atomically, and return its path."""
    fields = {field.name: getattr(dataset, field.name) for field in dataclasses.fields(dataset) if field.name != "root"}
    stored = _Stored(version=DATASET_VERSION, **fields)
    path = dataset.root / DATASET_FILE
    write_json(path, dataclasses.asdict(stored))
    return path


def save_pair(path: Path, pair: StoredPair) -> int:
    """Write one pair, atomically, and return its size in bytes; the same pair gives the same bytes."""
    arrays: dict[str, NDArray[Any]] = {
        "image_a": _png(pair.image_a),
        "image_b": _png(pair.image_b),
        "units_a": pair.units_a,
        "units_b": pair.units_b,
        "landmarks_a": pair.landmarks_a,
        "landmarks_b": pair.landmarks_b,
        "regions": np.stack([pair.regions_a, pair.regions_b]),
    }
    for name, flow in (("a", pair.flow_a), ("b", pair.flow_b)):
        if flow is not None:
            steps = np.clip(np.rint(flow.backward_px * FLOW_STEPS_PER_PX), -32767, 32767).astype(np.int16)
            # neighbours move alike: differences along a row deflate to a third
            arrays[f"flow_{name}"] = np.diff(steps, axis=1, prepend=np.int16(0)).transpose(2, 0, 1)
            arrays[f"known_{name}"] = _bytes(flow.known)
            arrays[f"hidden_{name}"] = _bytes(flow.hidden)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomic(path, (buffer.getvalue(),))
    return buffer.tell()


def load_pair(path: Path) -> StoredPair:
    """Read one pair. Raises `WorkstationError` when it is missing or damaged."""
    try:
        # opened here, because NumPy leaves a file open that is no archive
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
        regions = content["regions"]
        return StoredPair(
            _from_png(content["image_a"]), _from_png(content["image_b"]), content["units_a"], content["units_b"],
            content["landmarks_a"], content["landmarks_b"], regions[0], regions[1],
            _flow(content, "b"), _flow(content, "a"),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, IndexError, cv2.error) as error:
        raise WorkstationError(f"{path} cannot be read; delete it and run collect again") from error
    except Exception as error:  # zipfile's and zlib's own errors have no common base
        raise WorkstationError(f"{path} is damaged; delete it and run collect again") from error


def _flow(content: dict[str, NDArray[Any]], name: str) -> StoredFlow | None:
    if f"flow_{name}" not in content:
        return None
    steps = np.cumsum(content[f"flow_{name}"].transpose(1, 2, 0), axis=1, dtype=np.int16)
    known, hidden = (np.divide(content[f"{what}_{name}"], 255.0, dtype=np.float32) for what in ("known", "hidden"))
    return StoredFlow(np.divide(steps, FLOW_STEPS_PER_PX, dtype=np.float32), known, hidden)


def _bytes(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)


def _png(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    done, data = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise WorkstationError(f"a picture of shape {image.shape} cannot be written as PNG; report this fault")
    return data.ravel()


def _from_png(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if image is None or max(image.shape) > _MAXIMUM_SIZE_PX:
        raise ValueError("not a picture of a pair")
    return np.ascontiguousarray(image[..., ::-1])


def _check_record(pair: PairRecord, file: Path) -> None:
    path = PurePosixPath(pair.file)
    if path.is_absolute() or ".." in path.parts:
        raise WorkstationError(f"{file} names a file outside its folder ({pair.file!r}); run collect again")
    if pair.split not in SPLITS or pair.kind not in KINDS:
        raise WorkstationError(f"{file} has a pair of an unknown kind or split; run collect again")
