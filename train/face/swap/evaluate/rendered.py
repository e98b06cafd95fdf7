"""Rendered heads: the very picture that a swap should give is known, and so are its mask, pose and expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.landmarks import Face
from edge_runtime.face.swap_converter import SwapConverter
from train.face.evaluate.identity import Recogniser
from train.face.preprocess import find_largest
from train.face.scoring import psnr_db
from train.face.swap.batches import cut
from train.face.swap.evaluate.measures import expression_error, mean_of_known, pose_error_deg
from train.face.swap.looks import Look
from train.face.swap.monitor import overlap
from train.face.swap.occluders import cover

Image = NDArray[np.uint8]
Vector = NDArray[np.float64]
Ssim = Callable[[Image, Image], FloatArray]


@dataclass(frozen=True)
class RenderedScore:
    """One swapped head; what could not be measured is None."""

    psnr_db: float
    """Where the face shows."""
    nothing_psnr_db: float
    """The same of the untouched picture."""
    ssim: float | None
    nothing_ssim: float | None
    mask_iou: float
    covered_iou: float
    pose_deg: float | None
    expression: float | None
    """Mean distance of the expressive points from the truth's, in distances between the eyes."""
    source_distance: float | None
    target_distance: float | None
    """Of the recogniser, from the source and from the target's other pictures."""
    first: bool | None
    """Whether the target is the nearest of all identities."""


class Gallery:
    """What the held-out identities look like to a recogniser."""

    def __init__(self, recogniser: Recogniser, target: Sequence[Vector], others: Sequence[Vector]) -> None:
        """``target``: several pictures of the target, none of them judged; ``others``: one of each other identity."""
        self.recogniser = recogniser
        self._target, self._others = np.mean(target, axis=0), np.stack(list(others))

    def __len__(self) -> int:
        return 1 + len(self._others)

    def distance(self, vector: Vector) -> float:
        """From the target."""
        return float(np.linalg.norm(vector - self._target))

    def is_first(self, vector: Vector) -> bool:
        """Whether no other identity is nearer than the target."""
        return self.distance(vector) < float(np.linalg.norm(self._others - vector, axis=1).min())


class RenderedJudge:
    """Swaps frames of rendered heads with a model file and scores them; colours are left as the network paints them."""

    def __init__(
        self, converter: SwapConverter, gallery: Gallery | None, ssim: Ssim | None, follow: float | None = None
    ) -> None:
        """``follow`` as in `SwapConverter.controls`."""
        self._converter, self._gallery, self._ssim = converter, gallery, ssim
        self._controls = converter.controls(colour_match="none", follow=follow)

    def swapped(self, image: Image) -> tuple[Image, Face] | None:
        """A frame with its largest face swapped, and that face; None when none is found."""
        face = find_largest(self._converter.finder, image)
        if face is None:
            return None
        out = image.copy()
        self._converter.swap_face(out, face, self._controls)
        return out, face

    def score(self, look: Look, number: int) -> RenderedScore | None:
        """One look; ``number`` seeds what is drawn over the face. None when the device finds no face in it."""
        found = self.swapped(look.image)
        if found is None:
            return None
        out, face = found
        inside = look.shown > 127
        example = cut(look, face.five, self._converter.manifest.crop, flip=False)
        covered = example.image.copy()
        free = np.where(cover(covered, np.random.default_rng(number)), np.float32(0.0), example.shown)
        run = self._converter.swapper.run
        finder = self._converter.finder
        after, true = find_largest(finder, out), find_largest(finder, look.target)
        both = after is not None and true is not None
        source_distance, target_distance, first = self._identity(look.image, face, out, after)
        return RenderedScore(
            _psnr_db(out, look.target, inside),
            _psnr_db(look.image, look.target, inside),
            self._structure(out, look.target, inside),
            self._structure(look.image, look.target, inside),
            overlap(run(example.image).mask, example.shown),
            overlap(run(covered).mask, free),
            pose_error_deg(after, true) if both and after and true else None,
            expression_error(after, true) if both and after and true else None,
            source_distance,
            target_distance,
            first,
        )

    def _structure(self, image: Image, target: Image, inside: NDArray[np.bool_]) -> float | None:
        return None if self._ssim is None else float(self._ssim(image, target)[inside].mean())

    def _identity(
        self, image: Image, face: Face, out: Image, after: Face | None
    ) -> tuple[float | None, float | None, bool | None]:
        if self._gallery is None or after is None:
            return None, None, None
        look = self._gallery.recogniser
        before, now = (look.describe(look.chip(one, where)) for one, where in ((image, face), (out, after)))
        return float(np.linalg.norm(now - before)), self._gallery.distance(now), self._gallery.is_first(now)


def summary(scores: Sequence[RenderedScore]) -> dict[str, float | None]:
    """Means over all heads, by the keys of `train.face.swap.evaluate.bars`."""
    nearer = [_difference(s.target_distance, s.source_distance) for s in scores]
    return {
        "psnr_db": mean_of_known([s.psnr_db for s in scores]),
        "psnr_gain_db": mean_of_known([s.psnr_db - s.nothing_psnr_db for s in scores]),
        "ssim": mean_of_known([s.ssim for s in scores]),
        "ssim_gain": mean_of_known(
            [s.ssim - s.nothing_ssim for s in scores if s.ssim is not None and s.nothing_ssim is not None]
        ),
        "mask_iou": mean_of_known([s.mask_iou for s in scores]),
        "covered_iou": mean_of_known([s.covered_iou for s in scores]),
        "pose_deg": mean_of_known([s.pose_deg for s in scores]),
        "expression": mean_of_known([s.expression for s in scores]),
        "closer": mean_of_known([None if far is None else float(far < 0.0) for far in nearer]),
        "top1": mean_of_known([None if s.first is None else float(s.first) for s in scores]),
    }


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _psnr_db(image: Image, target: Image, inside: NDArray[np.bool_]) -> float:
    return psnr_db(float(np.square(image[inside].astype(np.float32) - target[inside]).mean())) if inside.any() else 0.0
