"""A painted face in the photo's colours: one curve per colour, from statistics of thumbnails under the mask.

``mean-std`` moves and stretches each colour so that mean and spread agree (Reinhard, Ashikhmin, Gooch & Shirley 2001,
here on RGB, where a camera's light and white balance act); ``histogram`` maps quantile to quantile (Gonzalez & Woods).
Both are a curve over 0..1 per colour, so that in a video it is the curve which is stilled, and never a picture.
"""

from __future__ import annotations

import numpy as np

from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.remap import shrink
from edge_runtime.swap_contract import ColourSpec

KNOTS = 33
"""Points of a curve."""
_LEVELS = np.linspace(0.0, 1.0, KNOTS, dtype=np.float32)
_QUANTILES = np.linspace(0.0, 1.0, 17)
_SMALLEST_SPREAD = 1.0 / 255.0


def colour_curves(match: str, painted: FloatArray, photo: FloatArray, mask: FloatArray, spec: ColourSpec) -> FloatArray:
    """(`KNOTS`, 3): what each level of each colour of ``painted`` becomes.

    ``painted`` and ``photo`` (S, S, 3) 0..1 are the same crop, ``mask`` (S, S, 1) 0..1 says where both show a face.
    Where too little of it does, or for "none", colours stay as they are.
    """
    same = np.repeat(_LEVELS[:, None], 3, axis=1)
    if match == "none":
        return same
    factor = painted.shape[0] // spec.thumbnail_px
    pixels, wanted, weight = (shrink(one, factor) for one in (painted, photo, mask))
    inside = weight[..., 0] > 0.5
    if inside.mean() < spec.minimum_share or not inside.any():
        return same
    ours, theirs = pixels[inside], wanted[inside]
    curves = _moved(ours, theirs, spec) if match == "mean-std" else _quantiles(ours, theirs)
    return np.clip(curves, 0.0, 1.0).astype(np.float32)


def apply_curves(painted: FloatArray, curves: FloatArray) -> FloatArray:
    """``painted`` (..., 3) 0..1 through ``curves`` (`KNOTS`, 3)."""
    colours = [np.interp(painted[..., i], _LEVELS, curves[:, i]) for i in range(3)]
    return np.stack(colours, axis=-1).astype(np.float32)


def _moved(ours: FloatArray, theirs: FloatArray, spec: ColourSpec) -> FloatArray:
    gain = np.maximum(theirs.std(axis=0), _SMALLEST_SPREAD) / np.maximum(ours.std(axis=0), _SMALLEST_SPREAD)
    gain = np.clip(gain, 1.0 / spec.gain_limit, spec.gain_limit)
    line = (_LEVELS[:, None] - ours.mean(axis=0)) * gain + theirs.mean(axis=0)
    # A dark face on a light one would have eyes that glow: nothing becomes brighter than all of the photo's face, or
    # darker, that was not so before.
    levels = _LEVELS[:, None]
    low, high = np.minimum(levels, theirs.min(axis=0)), np.maximum(levels, theirs.max(axis=0))
    return np.asarray(np.clip(line, low, high), np.float32)


def _quantiles(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """Straight between the quantiles; beyond the outer ones levels move as these do."""
    curves = np.empty((KNOTS, 3), np.float32)
    for colour in range(3):
        source = np.quantile(ours[:, colour], _QUANTILES)
        target = np.quantile(theirs[:, colour], _QUANTILES)
        source = np.maximum.accumulate(source + 1e-6 * np.arange(len(source)))
        ends = [source[0] - 1.0, *source, source[-1] + 1.0], [target[0] - 1.0, *target, target[-1] + 1.0]
        curves[:, colour] = np.interp(_LEVELS, *ends)
    return curves
