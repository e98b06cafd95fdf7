"""The bars of a swap as data: what is measured, and its limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from train.evaluate.results import Bar


@dataclass(frozen=True)
class SwapBar:
    """One bar."""

    key: str
    """Of the measured values."""
    name: str
    limit: float
    at_least: bool


BARS: Final = (
    SwapBar("psnr_gain_db", "rendered: PSNR over doing nothing, dB more", 0.0, True),
    SwapBar("ssim_gain", "rendered: SSIM over doing nothing, more", 0.0, True),
    SwapBar("top1", "rendered: identity found first among all held-out ones", 0.9, True),
    SwapBar("closer", "rendered: closer to the target than to the source", 0.95, True),
    SwapBar("pose_deg", "rendered: pose error, degrees", 3.0, False),
    SwapBar("expression", "rendered: expression error, share of the eyes' distance", 0.04, False),
    SwapBar("mask_iou", "rendered: mask, intersection over union", 0.95, True),
    SwapBar("covered_iou", "rendered: the same with something before the face", 0.85, True),
    SwapBar("against_psnr", "finished pictures against the other file, dB", 32.0, True),
    SwapBar("real_closer", "footage: closer to the target than to the source", 0.95, True),
    SwapBar("real_expression", "footage: expression error, share of the eyes' distance", 0.04, False),
    SwapBar("real_jitter", "footage: jitter over the source video's", 1.2, False),
    SwapBar("gmac", "network, GMAC a face", 0.2, False),
    SwapBar("megabytes", "model file, MB", 3.0, False),
)
GALLERY: Final = 50
"""Fewest held-out identities that a retrieval counts among."""


def make_bars(values: Mapping[str, float | None]) -> tuple[Bar, ...]:
    """All bars with what was measured of them, by key."""
    return tuple(Bar(spec.name, values.get(spec.key), spec.limit, spec.at_least) for spec in BARS)
