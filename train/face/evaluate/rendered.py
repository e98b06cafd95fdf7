"""Rendered heads that were never trained on, edited by the exported file and held against the exact truth.

Pairs are aligned here and not read from the training cache: the judge needs the heads' own landmarks, and DATA is only
read. Crops, flows and masks are those of training (`train.face.preprocess`, `train.face.batches`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, MissingDependencyError
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face
from edge_runtime.face.remap import remap
from edge_runtime.face_contract import FaceManifest
from train.face.basis import apply_basis
from train.face.batches import Example, Sampler
from train.face.config import FaceConfig, make_config
from train.face.dataset import FaceDataset, PairRecord, StoredPair
from train.face.evaluate.eyes import Eyes
from train.face.evaluate.mouth import CLOSED_GAP_IOD, interior
from train.face.evaluate.movements import MOVEMENTS, Look, moved_iod
from train.face.evaluate.results import FILE, LINEAR, NOTHING, TRUE_FLOW, WARP
from train.face.parts import CROP
from train.face.preprocess import align_pair, find_pair
from train.face.scoring import (
    basis_reach,
    changed_and_still,
    compose,
    flow_alone,
    flow_error_px,
    main_unit,
    moving,
    picture_error,
    touched_square_error,
    warp_alone,
)
from train.face.units import UNIT_NAMES

Image = NDArray[np.uint8]
Sums = dict[str, tuple[float, float]]

_MOVED_PX: Final = 1.0
_STILL_PX: Final = 0.35
"""Crop pixels; the eyes are 34 apart."""
_OPEN_GAP_IOD: Final = 0.15
_SSIM_WINDOW: Final = 7


@dataclass(frozen=True)
class HeadScore:
    """One edit of one rendered head, as sums, so that many can be pooled."""

    file: str
    """Of the pair."""
    head: str
    unit: str
    """The unit that most of it is, or empty."""
    delta: tuple[float, ...]
    sums: dict[str, tuple[float, float]]
    """By ``measure/system``: what is above and below the line."""
    moved: dict[str, float]
    """By movement: what the mesh sees move in the true pictures, in IOD."""
    zero_square: float
    """Mean squared error in grey levels of what comes out when nothing is asked for."""
    against: tuple[float, float]
    """Squared differences from the other file's finished picture, and how many values."""
    mouth: tuple[float, float] | None
    """Darkness and smear of the true picture, where a closed mouth opens."""


def evaluation_config(manifest: FaceManifest) -> FaceConfig:
    """The geometry of the file as training knows it. Raises `InputError` for a file of another version's."""
    units = tuple(unit.name for unit in manifest.units)
    if units != UNIT_NAMES or manifest.crop != CROP:
        raise InputError("the model has other units or another crop than rendered data of this version; leave --data")
    flow = next(spec for spec in manifest.outputs if spec.name == "flow")
    # The preset is of the network's inside, which an exported file does not show and nothing here asks for.
    base = make_config(manifest.name, "small")
    return dataclasses.replace(base, mask=manifest.mask, flow_cells=int(flow.shape[1]))


class HeadJudge:
    """Scores edits of rendered heads by one file."""

    def __init__(
        self,
        converter: FaceConverter,
        basis: FloatArray | None,
        eyes: Eyes,
        other: FaceConverter | None = None,
        ssim: Callable[[Image, Image], FloatArray] | None = None,
    ) -> None:
        """``basis`` (U, G, G, 2) is the linear tier's; ``other`` is another file that ours is compared with."""
        self._converter = converter
        self._basis = basis
        self._eyes = eyes
        self._other = other
        self._ssim = ssim
        self._config = evaluation_config(converter.manifest)
        self._reach = np.ones(len(UNIT_NAMES), np.float32) if basis is None else basis_reach(basis)

    def score(self, dataset: FaceDataset, record: PairRecord, *, reverse: bool) -> HeadScore | None:
        """Both systems and truth on one pair; None where the file's own detector does not find the face."""
        found = find_pair(dataset.root / record.file, dataset.landmarks, self._converter.finder)
        if found is None:
            return None
        pair, *faces = found
        pair = pair.reversed() if reverse else pair
        first, second = faces[::-1] if reverse else faces
        example = self.example(found, reverse=reverse)
        to_crop = align(first.five, self._config.crop)
        points = to_crop.apply(pair.landmarks_a), to_crop.apply(pair.landmarks_b)
        edit = self._converter.generator.run(example.source, example.delta[None])
        mouth = None
        if measure_face(first)["lip_gap"] < CLOSED_GAP_IOD and measure_face(second)["lip_gap"] > _OPEN_GAP_IOD:
            inside = interior(pair.image_b, second)
            mouth = None if inside is None else (inside.darkness, inside.smear)
        after = self._converter.finder.landmarker.follow(pair.image_b, first)
        return HeadScore(
            file=record.file,
            head=record.identities[0],
            unit=main_unit(example.delta, self._reach, UNIT_NAMES) or "",
            delta=tuple(round(float(value), 5) for value in example.delta),
            sums=self._sums(example, edit, points),
            moved=self._moved(pair, first, after),
            zero_square=self._zero_square(example),
            against=self._against(example, edit),
            mouth=mouth,
        )

    def _moved(self, pair: StoredPair, before: Face, after: Face | None) -> dict[str, float]:
        if after is None:
            return {}
        looks = [
            Look(face, self._eyes.gap_iod(image, before))
            for face, image in ((before, pair.image_a), (after, pair.image_b))
        ]
        return {movement.name: round(moved_iod(looks[0], looks[1], movement), 6) for movement in MOVEMENTS}

    def example(self, found: Any, *, reverse: bool) -> Example:
        """What `find_pair` found as the edit that training would judge on."""
        pair, first, second = found
        aligned = align_pair(pair, (first.five, second.five), self._config.crop)
        return Sampler([aligned], self._config).plain(0, reverse)

    def strip(self, dataset: FaceDataset, record: PairRecord, *, reverse: bool) -> Image | None:
        """(S, 5 S, 3): before, truth, result, warp alone, and three times the error."""
        found = find_pair(dataset.root / record.file, dataset.landmarks, self._converter.finder)
        if found is None:
            return None
        example = self.example(found, reverse=reverse)
        edit = self._converter.generator.run(example.source, example.delta[None])
        finished, warped = (self._finished(example, one) for one in (edit, warp_alone(edit)))
        error = np.clip(3.0 * np.abs(finished.astype(np.float32) - example.target), 0.0, 255.0).astype(np.uint8)
        return np.concatenate([example.source, example.target, finished, warped, error], axis=1)

    def _systems(self, example: Example, edit: Edit) -> dict[str, Edit]:
        size = example.source.shape[0]
        systems = {
            NOTHING: flow_alone(np.zeros_like(example.flow), size),
            WARP: warp_alone(edit),
            FILE: edit,
            TRUE_FLOW: flow_alone(example.flow, size),
        }
        if self._basis is not None:
            systems[LINEAR] = flow_alone(apply_basis(self._basis, example.delta[None])[0], size)
        return systems

    def _sums(self, example: Example, edit: Edit, points: tuple[FloatArray, FloatArray]) -> Sums:
        changed, still, copied = changed_and_still(example)
        where, length = moving(example)
        sums: Sums = {}
        for name, one in self._systems(example, edit).items():
            finished = self._finished(example, one)
            error = picture_error(finished, example.target)
            flow_error = float(flow_error_px(one.flow, example)[where].sum())
            sums[f"changed_l1/{name}"] = _pair(error[changed].sum(), copied[changed].sum())
            sums[f"still_levels/{name}"] = _pair(255.0 * error[still].sum(), still.sum())
            sums[f"flow/{name}"] = _pair(flow_error, length[where].sum())
            sums[f"flow_px/{name}"] = _pair(flow_error, where.sum())
            if self._ssim is not None:
                sums[f"ssim/{name}"] = _pair(self._ssim(finished, example.target)[changed].sum(), changed.sum())
            sums |= {f"{measure}/{name}": value for measure, value in landmark_sums(one.flow, *points).items()}
        return sums

    def _finished(self, example: Example, edit: Edit) -> Image:
        return compose(self._converter.composer, example.source, edit)

    def _zero_square(self, example: Example) -> float:
        edit = self._converter.generator.run(example.source, np.zeros_like(example.delta)[None])
        finished = self._finished(example, edit)
        return float(np.square(finished.astype(np.float32) - example.source).mean())

    def _against(self, example: Example, edit: Edit) -> tuple[float, float]:
        if self._other is None:
            return 0.0, 0.0
        theirs = self._other.generator.run(example.source, example.delta[None])
        return touched_square_error(
            example.source, self._finished(example, edit), compose(self._other.composer, example.source, theirs)
        )


def landmark_sums(flow: FloatArray, before: FloatArray, after: FloatArray) -> dict[str, tuple[float, float]]:
    """Gain and leak of a flow (G, G, 2) on landmarks (L, 2) in the crop, as sums above and below the line."""
    # Backward flow at the place where a landmark truly is afterwards says where it came from. To follow the flow from
    # the place before would need its inverse, and at lips and lids it has none.
    shift = -flow_at(flow, after).astype(np.float64)
    true = (after - before).astype(np.float64)
    length = np.linalg.norm(true, axis=1)
    moved, still = length > _MOVED_PX, length < _STILL_PX
    if not moved.any():
        return {}
    sums = {"gain": _pair((shift[moved] * true[moved]).sum(), np.square(true[moved]).sum())}
    if still.any():
        sums["leak"] = _pair(np.linalg.norm(shift[still], axis=1).mean(), length[moved].mean())
    return sums


def flow_at(flow: FloatArray, points: FloatArray) -> FloatArray:
    """(L, 2) a flow (G, G, 2) at points (L, 2) of the crop."""
    cells = ((points + 0.5) / 2.0 - 0.5).astype(np.float32)
    return remap(flow, cells[None, :, 0].copy(), cells[None, :, 1].copy())[0]


def ssim_map(first: Image, second: Image) -> FloatArray:
    """Structural similarity (Wang et al. 2004) of every pixel (S, S), by scikit-image.

    Raises `MissingDependencyError`.
    """
    try:
        from skimage.metrics import structural_similarity
    except ImportError:
        raise MissingDependencyError(
            "structural similarity needs the package scikit-image; run `make evaluate` in the checkout, or leave it "
            "out with --skip ssim"
        ) from None
    options: Mapping[str, Any] = {"channel_axis": 2, "data_range": 255, "win_size": _SSIM_WINDOW, "full": True}
    _, found = structural_similarity(first, second, **options)
    return np.asarray(found.mean(axis=2), np.float32)


def _pair(above: Any, below: Any) -> tuple[float, float]:
    return round(float(above), 6), round(float(below), 6)
