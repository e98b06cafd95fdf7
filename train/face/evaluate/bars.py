"""The bars of a face model as data: what is measured, its limit, and in which form its numbers are read."""

from __future__ import annotations

from typing import Final

from train.evaluate import tables
from train.evaluate.results import Bar, BarSpec
from train.face.evaluate.movements import MOVEMENTS

REACHED: Final = 0.6
"""Share of what rendered heads move that a real face must move."""
RIGHT: Final = 0.9
"""Share of frames in which it must."""

BARS: Final = (
    BarSpec("changed_l1", "rendered: error of changed pixels over doing nothing", 0.45, False),
    BarSpec("flow", "rendered: flow error over no flow", 0.22, False),
    BarSpec("below_linear", "rendered: flow error below the linear basis", 0.30, True, True),
    BarSpec("still", "rendered: error of unchanged pixels over the warp's alone", 1.0, False),
    BarSpec("zero_psnr", "rendered: PSNR of nothing asked for, dB", 48.0, True),
    BarSpec("against_psnr", "rendered: finished pictures against the other file, dB", 32.0, True),
    *(BarSpec(f"reached {m.name}", f"video frames with {m.name} ≥ 60 % of rendered", RIGHT, True, True)
      for m in MOVEMENTS),
    BarSpec("aperture", "eyes' gap after a blink over before", 0.35, False, True),
    BarSpec("opened", "closed mouths that open", 0.9, True, True),
    BarSpec("darkness", "opened mouth: inside over lips, luminance", 0.7, False),
    BarSpec("smear", "opened mouth: inside neither dark nor teeth", 0.35, False, True),
    BarSpec("identity", "identity: dlib distance from the source, worst edit's mean", 0.3, False),
    BarSpec("outside", "pixels changed outside the region", 0.0, False),
    BarSpec("jitter", "jitter over the source video's, worst", 1.2, False),
    BarSpec("features rendered", "features that move what they say alone, rendered heads", 6.0, True),
    BarSpec("features real", "features that move what they say alone, real faces", 6.0, True),
    BarSpec("gmac", "generator, GMAC a frame", 0.15, False),
)  # fmt: skip


def bar_cells(bar: Bar) -> tuple[str, str, str, str]:
    """Name, value, limit, and yes, no or not measured."""
    if next((spec.percent for spec in BARS if spec.name == bar.name), False):
        return tables.bar_cells(bar, lambda share: f"{100.0 * share:.0f} %")
    return tables.bar_cells(bar)
