"""Sizes of the swap network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_runtime.errors import WorkstationError


@dataclass(frozen=True)
class SwapPreset:
    """A shared encoder, a dense bottleneck, a decoder that an identity steers, and a mask with skips of its own."""

    name: str
    widths: tuple[int, ...]
    """Channels of the encoder at 1/2, 1/4, 1/8 and 1/16 of the crop."""
    blocks: tuple[int, ...]
    """Inverted residual blocks at 1/4, 1/8 and 1/16."""
    squeeze: int
    """Channels that the deepest features are squeezed to before they are flattened."""
    code: int
    """Length of the code that all the decoder knows of the photo."""
    spread: int
    """Channels that the code is spread to at 1/16."""
    up_widths: tuple[int, ...]
    """Channels of the decoder at 1/16, 1/8, 1/4 and 1/2."""
    up_blocks: tuple[int, ...]
    """Blocks at 1/8, 1/4 and 1/2."""
    mask_width: int
    identity: int
    """Length of the vector of an identity."""


PRESETS: Final = {
    "nano": SwapPreset("nano", (12, 24, 48, 96), (1, 1, 1), 16, 128, 24, (96, 64, 48, 24), (1, 1, 1), 12, 64),
    "small": SwapPreset("small", (16, 32, 64, 128), (1, 1, 2), 24, 192, 32, (128, 96, 64, 40), (1, 2, 1), 16, 64),
}


def find_preset(name: str) -> SwapPreset:
    """The preset of that name. Raises `WorkstationError`."""
    if name not in PRESETS:
        raise WorkstationError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
