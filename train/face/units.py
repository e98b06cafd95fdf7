"""The units a face is edited by: names people understand. An expression is a fixed mix of the 52 ARKit face shapes; a
feature belongs to the person, and `train.face.heads.features` says what it does to one.

Left and right are the person's own. Where the meaning of a shape is told, it is that of Apple's ARKit
(`ARFaceAnchor.BlendShapeLocation`), which follows FACS (Ekman & Friesen 1978).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

UnitValues = NDArray[np.float32]
"""(U,) in the order of `UNITS`."""


@dataclass(frozen=True)
class Unit:
    """One thing a face can do, from not at all (0) to fully (1)."""

    name: str
    shapes: Mapping[str, float]
    """Weight of each ARKit shape at value 1."""
    opposite: Mapping[str, float] = field(default_factory=dict)
    """Weight of each ARKit shape at value -1; empty where the unit has no other side."""
    feature: bool = False
    """Whether it is a feature of the person, which no shape shows."""

    @property
    def minimum(self) -> float:
        """-1 where the unit has another side, as every feature has, else 0."""
        return -1.0 if self.opposite or self.feature else 0.0


def _both(shape: str, weight: float = 1.0) -> dict[str, float]:
    return {f"{shape}Left": weight, f"{shape}Right": weight}


UNITS: Final = (
    Unit("smile", _both("mouthSmile")),
    Unit("frown", _both("mouthFrown")),
    Unit("brow_raise", {**_both("browOuterUp"), "browInnerUp": 0.7}),
    Unit("brow_inner", {"browInnerUp": 1.0}),
    Unit("brow_lower", _both("browDown", 1.2)),
    Unit("eye_wide", _both("eyeWide")),
    Unit("squint", _both("eyeSquint")),
    Unit("cheek_raise", _both("cheekSquint")),
    # The eyelids of this mesh meet for few eye shapes; `train.face.heads.lids` makes shapes that close for each head.
    Unit("blink_left", {"eyeBlinkLeft": 1.0}),
    Unit("blink_right", {"eyeBlinkRight": 1.0}),
    # Weak shapes of this mesh: a full sneer or a bared upper row of teeth needs more than their weight 1.
    Unit("sneer", _both("noseSneer", 1.5)),
    Unit("upper_lip", _both("mouthUpperUp", 1.35)),
    Unit("lower_lip", _both("mouthLowerDown", 1.3)),
    Unit("jaw_open", {"jawOpen": 1.0}),
    Unit("jaw_left", {"jawLeft": 1.0}, {"jawRight": 1.0}),
    Unit("mouth_left", {"mouthLeft": 1.0}, {"mouthRight": 1.0}),
    Unit("pucker", {"mouthPucker": 1.0}),
    Unit("funnel", {"mouthFunnel": 1.0}),
    Unit("stretch", _both("mouthStretch")),
    # This mesh's mouthPress alone pulls the corners like a smile; rolled lips are what a press looks like.
    Unit("press", {"mouthRollUpper": 0.6, "mouthRollLower": 0.6, **_both("mouthPress", 0.25)}),
    Unit("cheek_puff", {"cheekPuff": 1.0}),
    Unit("age", {}, feature=True),
    Unit("fullness", {}, feature=True),
    Unit("nose", {}, feature=True),
    Unit("lips", {}, feature=True),
    Unit("jaw", {}, feature=True),
    Unit("chin", {}, feature=True),
    Unit("eyes", {}, feature=True),
    Unit("brows", {}, feature=True),
    Unit("beard", {}, feature=True),
    Unit("skin_tone", {}, feature=True),
)
"""Expressions first, then features."""

EXPRESSIONS: Final = sum(not unit.feature for unit in UNITS)
"""How many of them are expressions."""
UNIT_NAMES: Final = tuple(unit.name for unit in UNITS)
FEATURE_NAMES: Final = UNIT_NAMES[EXPRESSIONS:]
UNIT_INDEX: Final[Mapping[str, int]] = {name: index for index, name in enumerate(UNIT_NAMES)}


def neutral() -> UnitValues:
    """The face at rest, as it is: zeros (U,)."""
    return np.zeros(len(UNITS), np.float32)


def shape_weights(values: UnitValues) -> dict[str, float]:
    """Weight of every ARKit shape that takes part in ``values`` (U,)."""
    weights: dict[str, float] = {}
    for unit, value in zip(UNITS, values.tolist(), strict=True):
        for shape, weight in (unit.shapes if value > 0 else unit.opposite).items():
            weights[shape] = weights.get(shape, 0.0) + weight * abs(value)
    return {shape: weight for shape, weight in weights.items() if weight}
