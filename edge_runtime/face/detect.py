"""Where the faces are: a single-shot detector with anchors, on the whole image and on overlapping pieces of it.

Method: BlazeFace (Bazarevsky et al. 2019): boxes and key points are offsets from anchors, and overlapping answers are
averaged by their score, not thrown away, which halves their jitter. The detector sees a square of 128 pixels or so, in
which a face of a group photo has a few pixels left; so photos are also searched in pieces of a half and a quarter of
their longer side. A photo in which nothing certain is found upright is searched again turned by quarters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import Backend
from edge_runtime.face.geometry import FloatArray, Similarity
from edge_runtime.face.remap import sample, shrink
from edge_runtime.face_path_contract import DetectorSpec

Image = NDArray[np.uint8]

_LARGEST_SHARE = 0.9
"""A face in a piece is taken when its box lies within this middle share of the piece, or at the image's own border."""
_PIECE_SCORE = 0.2
"""How much more of the way to certainty a face must be that only a piece shows."""

_CERTAIN_SCORE = 0.8
"""From this score on a photo stands as it was taken: faces on their side score 0.5 to 0.75 now and then."""
_TURNED_LEVELS = 3
"""Whole photos that lie on their side are found by their larger faces; the finest search would cost seconds."""
_FINENESS = 2
"""A photo is shrunk before the search to this many times the pixels that the finest pieces are looked at with."""


@dataclass(frozen=True)
class Detection:
    """One face as the detector sees it."""

    score: float
    """0..1."""
    box: FloatArray
    """(4,) left, top, right, bottom."""
    points: FloatArray
    """(K, 2) key points; which is which says the detector's spec."""

    def mapped(self, transform: Similarity) -> Detection:
        """The same face in other coordinates; the box stays upright and keeps its size."""
        centre = transform.apply((self.box[:2] + self.box[2:]) / 2.0)
        half = (self.box[2:] - self.box[:2]) / 2.0 * np.float32(transform.scale)
        box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        return Detection(self.score, box, transform.apply(self.points))


@dataclass(frozen=True)
class Square:
    """A part of an image that the detector looks at, in the image's pixels; it may reach beyond the image."""

    left: float
    top: float
    side: float
    level: int
    """0 the whole, 1 a piece of half its longer side, 2 of a quarter."""


class Detector:
    """Finds faces; holds no state between images."""

    def __init__(self, spec: DetectorSpec, backend: Backend) -> None:
        self.spec = spec
        self._backend = backend
        self._input = spec.graph.inputs[0].name
        self._anchors = make_anchors(spec)

    def find(self, image: Image, *, levels: int = 1, turned: bool = False, piece: int | None = None) -> list[Detection]:
        """Faces of ``image`` (H, W, 3), the most certain first.

        ``levels`` 1 looks at the whole, 2 at halves too, 3 at quarters too. ``turned`` looks for faces on their side
        and upside down too, where none stands upright for certain; the turn with the most certain face wins. ``piece``
        looks at one of the pieces alone, counted round and round.
        """
        factor = max(image.shape[:2]) // (_FINENESS * self.spec.size_px * 2 ** (levels - 1))
        if factor > 1:  # once, and not for every piece
            back = Similarity(float(factor), 0.0, (factor - 1.0) / 2.0, (factor - 1.0) / 2.0)
            found = self.find(shrink(image, factor), levels=levels, turned=turned, piece=piece)
            return [face.mapped(back) for face in found]
        if piece is not None:
            pieces = self._squares(image.shape, levels)[1:]
            found = self._look(image, pieces[piece % len(pieces)]) if pieces else []
            return merge(found, self.spec.overlap_threshold)
        best: list[Detection] = []
        for quarter in range(4 if turned else 1):
            # np.rot90 turns the image counter-clockwise; `back` takes its coordinates to the image's
            view = np.ascontiguousarray(np.rot90(image, quarter)) if quarter else image
            found = self._find_upright(view, min(levels, _TURNED_LEVELS) if quarter else levels)
            if found and (not best or found[0].score > best[0].score):
                back = quarter_turn(quarter, image.shape)
                best = [face.mapped(back) for face in found]
            if best and best[0].score >= _CERTAIN_SCORE:
                break
        return best

    def _squares(self, shape: tuple[int, ...], levels: int) -> list[Square]:
        """What a search of an image of ``shape`` (H, W, ...) looks at: the whole, then pieces, the finest last."""
        height, width = shape[:2]
        long_side = max(height, width)
        found = [Square(-(long_side - width) / 2.0, -(long_side - height) / 2.0, long_side, 0)]
        for level in range(1, levels):
            side = long_side / 2**level
            if side < self.spec.size_px / 2:
                break
            corners = ((left, top) for top in _starts(height, side) for left in _starts(width, side))
            found += [Square(left, top, side, level) for left, top in corners]
        return found

    def _find_upright(self, image: Image, levels: int) -> list[Detection]:
        found: list[Detection] = []
        for _, squares in groupby(self._squares(image.shape, levels), lambda square: square.level):
            finer = [face for square in squares for face in self._look(image, square)]
            found += [face for face in finer if not any(covers(coarser.box, face.box) for coarser in found)]
        return merge(found, self.spec.overlap_threshold)

    def _look(self, image: Image, square: Square) -> list[Detection]:
        """Faces in the ``square``, in the image's coordinates; of a piece only certain ones that lie inside."""
        spec = self.spec
        scale = square.side / spec.size_px
        to_image = Similarity(scale, 0.0, square.left + (scale - 1.0) / 2.0, square.top + (scale - 1.0) / 2.0)
        crop = sample(image, to_image, (spec.size_px, spec.size_px), black_outside=True)
        outputs = self._backend.run({self._input: as_input(crop, spec.input_minimum, spec.input_maximum)})
        faces = [
            face.mapped(to_image) for face in decode(outputs[spec.boxes], outputs[spec.logits], self._anchors, spec)
        ]
        if square.level == 0:
            return faces
        certain = spec.score_threshold + _PIECE_SCORE * (1.0 - spec.score_threshold)
        return [face for face in faces if face.score >= certain and _lies_inside(face.box, square, image.shape)]


def as_input(crop: Image, minimum: float, maximum: float) -> FloatArray:
    """uint8 (S, S, 3) as float32 (1, S, S, 3) between ``minimum`` and ``maximum``."""
    scaled: FloatArray = crop.astype(np.float32)
    scaled *= np.float32((maximum - minimum) / 255.0)
    scaled += np.float32(minimum)
    return scaled[None]


def make_anchors(spec: DetectorSpec) -> FloatArray:
    """Centres (A, 2) of all anchors in input pixels, in the order of the graph's outputs."""
    layers = []
    for layer in spec.layers:
        cells = -(-spec.size_px // layer.stride_px)
        centre = (np.arange(cells, dtype=np.float32) + 0.5) * (spec.size_px / cells)
        x, y = np.meshgrid(centre, centre)
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), layer.per_cell, axis=0))
    return np.concatenate(layers).astype(np.float32)


def decode(boxes: FloatArray, logits: FloatArray, anchors: FloatArray, spec: DetectorSpec) -> list[Detection]:
    """Detections in input pixels from the graph's outputs (1, A, 4 + 2 K) and (1, A, 1)."""
    values = np.nan_to_num(logits[0, :, 0].astype(np.float32), nan=-100.0)
    scores = 1.0 / (1.0 + np.exp(-np.clip(values, -80.0, 80.0)))
    kept = np.flatnonzero((scores > spec.score_threshold) & np.isfinite(boxes[0]).all(axis=1))
    found = []
    for index in kept:
        row, anchor = boxes[0, index], anchors[index]
        centre, half = anchor + row[:2] - 0.5, np.abs(row[2:4]) / 2.0  # the graph counts from the pixels' edges
        if half.min() <= 0.5:
            continue
        points = anchor + row[4:].reshape(-1, 2) - 0.5
        box = np.concatenate([centre - half, centre + half])
        found.append(Detection(float(scores[index]), box.astype(np.float32), points.astype(np.float32)))
    return merge(found, spec.overlap_threshold)


def merge(found: list[Detection], overlap_threshold: float) -> list[Detection]:
    """One detection for each face: those that overlap are averaged by score; the most certain first."""
    waiting = sorted(found, key=lambda face: -face.score)
    merged = []
    while waiting:
        best = waiting[0]
        same = [face for face in waiting if face is best or overlap(face.box, best.box) > overlap_threshold]
        weights = np.array([face.score for face in same], np.float32)
        weights /= weights.sum()
        box = np.tensordot(weights, np.stack([face.box for face in same]), axes=1)
        points = np.tensordot(weights, np.stack([face.points for face in same]), axes=1)
        merged.append(Detection(best.score, box.astype(np.float32), points.astype(np.float32)))
        waiting = [face for face in waiting if not any(face is taken for taken in same)]
    return merged


def overlap(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    size = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    common = float(np.prod(np.maximum(size, 0.0)))
    total = float(np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2])) - common
    return common / total if total > 0.0 else 0.0


def quarter_turn(quarter: int, shape: tuple[int, ...]) -> Similarity:
    """From the coordinates of ``np.rot90(image, quarter)`` to those of the image of ``shape`` (H, W, ...)."""
    right, bottom = shape[1] - 1.0, shape[0] - 1.0
    return (
        Similarity(1.0, 0.0, 0.0, 0.0),
        Similarity(0.0, 1.0, right, 0.0),
        Similarity(-1.0, 0.0, right, bottom),
        Similarity(0.0, -1.0, 0.0, bottom),
    )[quarter % 4]


def covers(found: FloatArray, box: FloatArray) -> bool:
    """Whether the middle of ``box`` lies in ``found``: a part of a face that was found already."""
    middle = (box[:2] + box[2:]) / 2.0
    return bool((middle >= found[:2]).all() and (middle <= found[2:]).all())


def _starts(length: int, side: float) -> list[float]:
    """Where pieces of ``side`` begin that cover ``length`` and overlap by half."""
    if length <= side:
        return [(length - side) / 2.0]
    count = int(np.ceil((length - side) / (side / 2.0))) + 1
    return [float(start) for start in np.linspace(0.0, length - side, count)]


def _lies_inside(box: FloatArray, square: Square, shape: tuple[int, ...]) -> bool:
    left, top, side = square.left, square.top, square.side
    margin = side * (1.0 - _LARGEST_SHARE) / 2.0
    low = (max(left + margin, 0.0) if left > 0 else -side, max(top + margin, 0.0) if top > 0 else -side)
    right, bottom = left + side, top + side
    high = (
        right - margin if right < shape[1] else np.inf,
        bottom - margin if bottom < shape[0] else np.inf,
    )
    return bool(box[0] >= low[0] and box[1] >= low[1] and box[2] <= high[0] and box[3] <= high[1])
