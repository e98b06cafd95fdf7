"""The numbers of the device's path that a swap model file carries beside those of all faces (`train.face.parts`)."""

from __future__ import annotations

from typing import Final

from edge_runtime.face_path_contract import MaskSpec
from edge_runtime.swap_contract import ColourSpec, LikenessSpec, LostSpec, MouthSpec

MASK: Final = MaskSpec(gate_low=0.25, gate_high=0.75, feather_px=6.0)
"""A narrow gate: a face that is half of one person and half of another is neither."""
MOUTH: Final = MouthSpec(points=(61, 291, 0, 17), margin_px=3.0, feather_px=5.0)
"""Corners of the lips, and the middles of their outer edges."""
COLOUR: Final = ColourSpec(default="mean-std", thumbnail_px=32, minimum_share=0.08, gain_limit=2.0, cutoff_hz=1.0)
LOST: Final = LostSpec(growth_per_s=0.5, cells=6)
LIKENESS: Final = LikenessSpec(thumbnail_px=16, minimum=0.3)
