"""The bars of a swap as data: what is measured, and its limit."""

from __future__ import annotations

from typing import Final

from train.evaluate.results import BarSpec

BARS: Final = (
    BarSpec("psnr_gain_db", "rendered: PSNR over doing nothing, dB more", 0.0, True),
    BarSpec("ssim_gain", "rendered: SSIM over doing nothing, more", 0.0, True),
    BarSpec("top1", "rendered: identity found first among all held-out ones", 0.9, True),
    BarSpec("closer", "rendered: closer to the target than to the source", 0.95, True),
    BarSpec("pose_deg", "rendered: pose error, degrees", 3.0, False),
    BarSpec("expression", "rendered: expression error, share of the eyes' distance", 0.04, False),
    BarSpec("mask_iou", "rendered: mask, intersection over union", 0.95, True),
    BarSpec("covered_iou", "rendered: the same with something before the face", 0.85, True),
    BarSpec("against_psnr", "finished pictures against the other file, dB", 32.0, True),
    BarSpec("real_closer", "footage: closer to the target than to the source", 0.95, True),
    BarSpec("real_expression", "videos: expression's error as it changes, share of the eyes' distance", 0.04, False),
    BarSpec("real_carried", "videos: share of the expression's movement that is carried over", 0.5, True),
    BarSpec("real_jitter", "footage: jitter over the source video's", 1.2, False),
    BarSpec("gmac", "network, GMAC a face", 0.2, False),
    BarSpec("megabytes", "model file, MB", 3.0, False),
)
GALLERY: Final = 50
"""Fewest held-out identities that a retrieval counts among."""
