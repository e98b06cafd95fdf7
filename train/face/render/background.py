"""What is behind a head: plain and graded walls, textures, and clutter as a lens out of focus would show it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.face.render.noise import noise

Picture = NDArray[np.floating]


def sample_background(rng: np.random.Generator, size_px: int) -> Picture:
    """(size, size, 3) float32, display values 0..1."""
    kind = rng.choice(("gradient", "texture", "clutter", "clutter", "rooms"))
    picture = _gradient(rng, size_px)
    if kind == "texture":
        picture *= _texture(rng, size_px)
    elif kind == "clutter":
        picture = _clutter(rng, picture)
    elif kind == "rooms":
        picture = _room(rng, picture)
    if kind != "gradient" and rng.random() < 0.75:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1.0, 0.04 * size_px))), np.float32)
    return np.clip(picture * rng.uniform(0.5, 1.1), 0.0, 1.0).astype(np.float32)


def _colour(rng: np.random.Generator) -> Picture:
    """A colour as rooms and streets have it: mostly dull."""
    grey = rng.uniform(0.08, 0.95)
    tint = (
        rng.normal(0.0, 1.0, 3) * (0.13 if rng.random() < 0.15 else 0.045) + np.array((0.03, 0.0, -0.03)) * rng.normal()
    )
    return np.clip(grey + tint, 0.0, 1.0).astype(np.float32)


def _gradient(rng: np.random.Generator, size_px: int) -> Picture:
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px - 0.5
    angle = rng.uniform(0.0, 2.0 * np.pi)
    share = np.clip(0.5 + 0.8 * (rows * np.sin(angle) + columns * np.cos(angle)), 0.0, 1.0)[..., None]
    return (_colour(rng) * share + _colour(rng) * (1.0 - share)).astype(np.float32)


def _texture(rng: np.random.Generator, size_px: int) -> Picture:
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px
    points = (
        np.stack([columns, rows, np.full_like(rows, rng.uniform(0, 50))], axis=-1).reshape(-1, 3).astype(np.float32)
    )
    points += rng.uniform(0, 50, 3).astype(np.float32)
    stretch = float(rng.choice((1.0, 1.0, 6.0)))
    total = np.zeros(len(points), np.float32)
    for octave in range(4):
        scale = float(rng.uniform(3.0, 7.0)) * 2.0**octave
        total += noise(points, (scale, scale / stretch, 1.0)) / 2.0**octave
    depth = rng.uniform(0.15, 0.6)
    return (1.0 + depth * (total / 1.875 - 0.5)).reshape(size_px, size_px, 1)


def _clutter(rng: np.random.Generator, picture: Picture) -> Picture:
    """Boxes, discs, lines and leaves, the nearer ones over the farther."""
    size_px = len(picture)
    for _ in range(int(rng.integers(8, 45))):
        colour = tuple(float(value) for value in _colour(rng) * rng.uniform(0.5, 1.3))
        x, y = (int(value) for value in rng.integers(0, size_px, 2))
        width, height = (int(value) for value in rng.uniform(0.03, 0.35, 2) * size_px)
        kind = rng.integers(4)
        if kind == 0:
            box = cv2.boxPoints(((x, y), (width, height), float(rng.choice((0.0, 0.0, rng.uniform(0, 90))))))
            cv2.fillPoly(picture, [box.astype(np.int32)], colour)
        elif kind == 1:
            cv2.ellipse(
                picture, (x, y), (width // 2 + 1, height // 2 + 1), float(rng.uniform(0, 180)), 0, 360, colour, -1
            )
        elif kind == 2:
            cv2.line(picture, (x, y), (x + width * 2 - height, y + height * 2), colour, int(rng.integers(1, 9)))
        else:
            leaves = rng.normal((x, y), size_px * 0.06, (12, 2)).astype(np.int32)
            cv2.fillPoly(picture, [leaves[:4], leaves[4:8], leaves[8:]], colour)
    return picture


def _room(rng: np.random.Generator, picture: Picture) -> Picture:
    """A wall with a window, shelves or a door frame: long straight edges."""
    size_px = len(picture)
    horizon = int(rng.uniform(0.55, 0.95) * size_px)
    picture[horizon:] = _colour(rng)
    for _ in range(int(rng.integers(1, 4))):
        x, y = int(rng.uniform(-0.1, 0.8) * size_px), int(rng.uniform(-0.1, 0.5) * size_px)
        width, height = int(rng.uniform(0.15, 0.5) * size_px), int(rng.uniform(0.2, 0.7) * size_px)
        frame, inside = _colour(rng), np.clip(_colour(rng) * rng.uniform(0.4, 1.8), 0.0, 1.0)
        cv2.rectangle(picture, (x, y), (x + width, y + height), tuple(map(float, inside)), -1)
        cv2.rectangle(picture, (x, y), (x + width, y + height), tuple(map(float, frame)), int(rng.integers(2, 12)))
        for line in range(int(rng.integers(0, 5))):
            level = y + height * (line + 1) // 5
            cv2.line(picture, (x, level), (x + width, level), tuple(map(float, frame)), int(rng.integers(1, 6)))
    return picture
