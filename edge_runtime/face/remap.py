"""Sampling images between their pixels: bilinear, the border repeated (or black), shrunk first where it must be.

Two ways to the same numbers: OpenCV where it is installed, NumPy where it is not. OpenCV before version 5 rounds
positions to 1/32 pixel, so its values may differ from NumPy's by 1/32 of the difference between neighbouring pixels,
plus one level of rounding in uint8; `tests/edge_runtime/face/test_remap.py` holds both to that.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.geometry import Box, FloatArray, Similarity

Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])

MAXIMUM_SIDE = 32_000
"""Longest side in pixels of what OpenCV samples from or to; larger pieces go through NumPy."""
_KEPT_PIXELS, _KEPT_STEP = 1 << 19, 64
"""Up to this many positions are kept, for sizes in steps of so many: a box about a face changes from frame to frame."""


@functools.cache
def opencv() -> ModuleType | None:
    """OpenCV, or None where it is not installed."""
    try:
        import cv2
    except (ImportError, OSError):  # OSError: the package is there and a system library it wants is not
        return None
    module: ModuleType = cv2
    return module


def remap(image: Pixels, x: FloatArray, y: FloatArray | None = None) -> Pixels:
    """``image`` (H, W, C) at the finite positions x and y (h, w), the border repeated; gives (h, w, C).

    Without ``y``, ``x`` (h, w, 2) holds both side by side.
    """
    height, width = x.shape[:2]
    library = opencv()
    if library is None or max(*image.shape[:2], height, width) > MAXIMUM_SIDE:
        return _gather(image, x[..., 0], x[..., 1]) if y is None else _gather(image, x, y)
    sampled = library.remap(image, x, y, interpolation=library.INTER_LINEAR, borderMode=library.BORDER_REPLICATE)
    return np.asarray(sampled, image.dtype).reshape(height, width, image.shape[2])  # cv2 drops a single channel


def positions(height: int, width: int) -> FloatArray:
    """(height, width, 2): x and y of every pixel, to read only. Those of a face's size are kept for the next frame."""
    if height * width > _KEPT_PIXELS:
        return _make_positions(height, width)
    rounded = (-(-size // _KEPT_STEP) * _KEPT_STEP for size in (height, width))
    return _kept_positions(*rounded)[:height, :width]


@functools.lru_cache(maxsize=4)
def _kept_positions(height: int, width: int) -> FloatArray:
    return _make_positions(height, width)


def _make_positions(height: int, width: int) -> FloatArray:
    made = np.empty((height, width, 2), np.float32)
    made[..., 0] = np.arange(width, dtype=np.float32)
    made[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    made.setflags(write=False)
    return made


def sample(image: Pixels, transform: Similarity, shape: tuple[int, int], *, black_outside: bool = False) -> Pixels:
    """A picture (h, w, C) of ``image`` (H, W, C): its pixel (x, y) is the image at ``transform`` of (x, y).

    The image is shrunk first where the picture is less than half as fine, so that nothing aliases.
    """
    piece, transform = _piece(image, transform, shape)
    factor = int(transform.scale)
    if factor >= 2:
        piece = shrink(piece, factor)
        transform = Similarity(1.0 / factor, 0.0, (1.0 / factor - 1.0) / 2.0, (1.0 / factor - 1.0) / 2.0).after(
            transform
        )
    library = opencv()
    if library is None or max(*piece.shape[:2], *shape) > MAXIMUM_SIDE:
        x, y = grid(transform, shape)
        return _gather(piece, x, y, black_outside)
    border = library.BORDER_CONSTANT if black_outside else library.BORDER_REPLICATE
    flags = library.INTER_LINEAR | library.WARP_INVERSE_MAP
    sampled = library.warpAffine(piece, transform.matrix(), shape[::-1], flags=flags, borderMode=border)
    return np.asarray(sampled, image.dtype).reshape(*shape, image.shape[2])


def grid(transform: Similarity, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """``transform`` of every pixel of a picture (h, w): x (h, w) and y (h, w)."""
    column = np.arange(shape[1], dtype=np.float64)
    row = np.arange(shape[0], dtype=np.float64)[:, None]
    x = transform.a * column - transform.b * row + transform.x0
    y = transform.b * column + transform.a * row + transform.y0
    return x.astype(np.float32), y.astype(np.float32)


def shrink(image: Pixels, factor: int) -> Pixels:
    """Means of ``factor`` x ``factor`` pixels; what is left over at the right and at the bottom is left out."""
    height, width = (max(1, size // factor) for size in image.shape[:2])
    rows, columns = min(factor, image.shape[0]), min(factor, image.shape[1])
    whole = image[: height * rows, : width * columns]
    library = opencv()
    if library is not None and max(whole.shape[:2]) <= MAXIMUM_SIDE:
        small = library.resize(whole, (width, height), interpolation=library.INTER_AREA)
        return np.asarray(small, image.dtype).reshape(height, width, image.shape[2])
    # rows first: sums along whole rows run at the speed of memory
    kind = np.uint32 if image.dtype == np.uint8 else np.float32
    channels = image.shape[2]
    summed = whole.reshape(height, rows, -1).sum(axis=1, dtype=kind).reshape(height, width, columns, channels)
    means = summed.sum(axis=2, dtype=kind).astype(np.float32) * np.float32(1.0 / (rows * columns))
    return _as_dtype(means, image)


def _piece(image: Pixels, transform: Similarity, shape: tuple[int, int]) -> tuple[Pixels, Similarity]:
    """The part of the image that the picture can touch, and the transform into it."""
    corners = np.array([[0, 0], [shape[1] - 1, 0], [0, shape[0] - 1], [shape[1] - 1, shape[0] - 1]], np.float64)
    mapped = transform.apply(corners)
    room = 2.0 + transform.scale
    low, high = np.floor(mapped.min(axis=0) - room), np.ceil(mapped.max(axis=0) + room)
    height, width = image.shape[:2]
    left, top = (int(min(max(low[i], 0), size - 1)) for i, size in ((0, width), (1, height)))
    right, bottom = (int(min(max(high[i], 1), size)) for i, size in ((0, width), (1, height)))
    box = Box(left, top, max(right, left + 1), max(bottom, top + 1))
    moved = Similarity(transform.a, transform.b, transform.x0 - left, transform.y0 - top)
    return image[box.slices], moved


def _gather(image: Pixels, x: FloatArray, y: FloatArray, black_outside: bool = False) -> Pixels:
    height, width, channels = image.shape
    if black_outside:
        image = np.pad(image, ((1, 1), (1, 1), (0, 0)))
        height, width, x, y = height + 2, width + 2, x + np.float32(1), y + np.float32(1)
    x = np.clip(x, np.float32(0), np.float32(width - 1))
    y = np.clip(y, np.float32(0), np.float32(height - 1))
    left, top = x.astype(np.intp), y.astype(np.intp)
    share_x, share_y = (x - left)[..., None].astype(np.float32), (y - top)[..., None].astype(np.float32)
    right = np.minimum(left + 1, width - 1)
    upper, lower = top * width, np.minimum(top + 1, height - 1) * width
    flat = image.reshape(height * width, channels)
    above = _between(flat[upper + left], flat[upper + right], share_x)
    below = _between(flat[lower + left], flat[lower + right], share_x)
    return _as_dtype(_between(above, below, share_y), image)


def _between(first: NDArray[np.generic], second: NDArray[np.generic], share: FloatArray) -> FloatArray:
    start = first.astype(np.float32, copy=False)
    return start + share * (second.astype(np.float32, copy=False) - start)


def _as_dtype(values: FloatArray, like: Pixels) -> Pixels:
    if like.dtype == np.uint8:
        return np.rint(values).astype(np.uint8)
    return values.astype(like.dtype, copy=False)
