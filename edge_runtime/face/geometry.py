"""Similarity transforms of the plane, and the one that takes a face's five points into the aligned crop.

Points are (x, y) in pixels with pixel centres at whole numbers. In two dimensions and without reflection the least
squares solution of Umeyama (1991) is one complex division, and that is how it is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face_path_contract import CropSpec

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Similarity:
    """Rotation, scale and shift: x' = a x - b y + x0, y' = b x + a y + y0."""

    a: float
    b: float
    x0: float
    y0: float

    @property
    def scale(self) -> float:
        """Length of a mapped unit vector."""
        return float(np.hypot(self.a, self.b))

    def apply(self, points: NDArray[np.floating]) -> FloatArray:
        """Map points (..., 2)."""
        x, y = points[..., 0], points[..., 1]
        mapped = np.stack([self.a * x - self.b * y + self.x0, self.b * x + self.a * y + self.y0], axis=-1)
        return mapped.astype(np.float32)

    def turn(self, vectors: NDArray[np.floating]) -> FloatArray:
        """Rotate and scale displacements (..., 2), without the shift."""
        x, y = vectors[..., 0], vectors[..., 1]
        a, b = np.float32(self.a), np.float32(self.b)
        turned = np.empty(vectors.shape, np.float32)
        turned[..., 0] = a * x - b * y
        turned[..., 1] = b * x + a * y
        return turned

    def inverse(self) -> Similarity:
        """The transform that undoes this one. Raises `ZeroDivisionError` for a scale of 0."""
        square = self.a * self.a + self.b * self.b
        a, b = self.a / square, -self.b / square
        return Similarity(a, b, -(a * self.x0 - b * self.y0), -(b * self.x0 + a * self.y0))

    def after(self, first: Similarity) -> Similarity:
        """First ``first``, then this."""
        return Similarity(
            self.a * first.a - self.b * first.b,
            self.b * first.a + self.a * first.b,
            self.a * first.x0 - self.b * first.y0 + self.x0,
            self.b * first.x0 + self.a * first.y0 + self.y0,
        )

    def matrix(self) -> NDArray[np.float64]:
        """As 2 x 3 matrix."""
        return np.array([[self.a, -self.b, self.x0], [self.b, self.a, self.y0]])


@dataclass(frozen=True)
class Box:
    """Pixels from (left, top) up to and without (right, bottom)."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return self.right <= self.left or self.bottom <= self.top

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return max(0, self.bottom - self.top), max(0, self.right - self.left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing an image (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, shape: tuple[int, ...]) -> Box:
        """The part that lies in an image of that shape."""
        height, width = shape[:2]
        return Box(
            min(max(self.left, 0), width),
            min(max(self.top, 0), height),
            min(max(self.right, 0), width),
            min(max(self.bottom, 0), height),
        )


def fit_similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> Similarity:
    """The similarity that takes points ``source`` (N, 2) nearest to ``target`` (N, 2), N >= 2, in least squares.

    Raises `ValueError` when the source points coincide or are not finite.
    """
    from_ = source[:, 0].astype(np.float64) + 1j * source[:, 1].astype(np.float64)
    to = target[:, 0].astype(np.float64) + 1j * target[:, 1].astype(np.float64)
    centre, goal = from_.mean(), to.mean()
    spread = float((np.abs(from_ - centre) ** 2).sum())
    if not np.isfinite(spread) or spread <= 1e-9:
        raise ValueError("the points coincide or are not numbers")
    factor = complex(((from_ - centre).conj() * (to - goal)).sum() / spread)
    shift = complex(goal - factor * centre)
    return Similarity(factor.real, factor.imag, shift.real, shift.imag)


def square_transform(centre: NDArray[np.floating], side_px: float, angle: float, size_px: int) -> Similarity:
    """Takes the square of ``side_px`` about ``centre``, turned by ``angle`` (radians), to a crop of ``size_px``."""
    scale = size_px / side_px
    a, b = scale * float(np.cos(angle)), -scale * float(np.sin(angle))
    middle, x, y = 0.5 * (size_px - 1), float(centre[0]), float(centre[1])
    return Similarity(a, b, middle - (a * x - b * y), middle - (b * x + a * y))


def align(five: NDArray[np.floating], crop: CropSpec) -> Similarity:
    """From the photo to the aligned crop, by the face's five points (5, 2). Raises as `fit_similarity` does."""
    return fit_similarity(five, np.asarray(crop.reference, np.float64))


def crop_box(to_crop: Similarity, size_px: int) -> Box:
    """The upright box in the photo that holds the whole crop; it may reach beyond the photo."""
    edge = size_px - 0.5
    corners = np.array([[-0.5, -0.5], [edge, -0.5], [-0.5, edge], [edge, edge]])
    mapped = to_crop.inverse().apply(corners)
    low, high = np.floor(mapped.min(axis=0)), np.ceil(mapped.max(axis=0)) + 1
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
