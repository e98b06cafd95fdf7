"""Three sizes of the expression network, and where in the aligned crop it may invent pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_runtime.errors import WorkstationError

NEARBY, ALL_AROUND = "nearby", "all around"
"""The photo blurred over a few pixels, or the mean of the patch."""


@dataclass(frozen=True)
class Patch:
    """A part of the aligned crop in which pixels may be invented; everything in multiples of 4 pixels."""

    name: str
    left_px: int
    top_px: int
    width_px: int
    height_px: int
    counts_from: str
    """Which colour of the photo invented ones are counted from: `NEARBY` or `ALL_AROUND`."""

    @property
    def rows(self) -> slice:
        """Of the crop."""
        return slice(self.top_px, self.top_px + self.height_px)

    @property
    def columns(self) -> slice:
        """Of the crop."""
        return slice(self.left_px, self.left_px + self.width_px)


# The five reference points of the crop (`train.face.parts.CROP`) put the eyes in row 49 and the mouth's corners in row
# 81; turned heads and open jaws reach as far as these. The two must not overlap: their pictures are added up.
# A lid has the tone of the skin beside it; for an opened mouth the skin about it tells the light, bared teeth do not.
MOUTH: Final = Patch("mouth", 28, 68, 72, 48, ALL_AROUND)
EYES: Final = Patch("eyes", 20, 32, 88, 32, NEARBY)
PATCHES: Final = (MOUTH, EYES)


@dataclass(frozen=True)
class FacePreset:
    """Size of the network: a small U with inverted residual blocks (Sandler et al. 2018), and a head per patch."""

    name: str
    widths: tuple[int, ...]
    """Channels at 1/2, 1/4, 1/8 and 1/16 of the crop, going down."""
    blocks: tuple[int, ...]
    """Inverted residual blocks at 1/4, 1/8 and 1/16, going down."""
    up_widths: tuple[int, ...]
    """Channels at 1/8 and 1/4, going up."""
    up_blocks: tuple[int, ...]
    """Blocks at 1/8 and 1/4, going up."""
    condition: int
    """Width of the vector that `delta` becomes before it scales and shifts channels."""
    head_width: int
    """Channels at half resolution in each patch."""
    head_blocks: int


PRESETS: Final = {
    "nano": FacePreset("nano", (12, 24, 40, 64), (1, 1, 1), (40, 32), (1, 1), 48, 24, 1),
    "small": FacePreset("small", (16, 32, 64, 96), (1, 2, 2), (64, 48), (1, 1), 64, 48, 2),
    "base": FacePreset("base", (16, 32, 64, 112), (1, 2, 3), (64, 48), (1, 1), 80, 52, 2),
}


def find_preset(name: str) -> FacePreset:
    """The preset of that name. Raises `WorkstationError`."""
    if name not in PRESETS:
        raise WorkstationError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
