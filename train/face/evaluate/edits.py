"""What is asked of real faces: single units whose result is measured, and named expressions to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from edge_runtime.face.controls import FaceControls, accepted_names
from edge_runtime.face.converter import FaceConverter
from train.face.evaluate.movements import MOVEMENTS, Movement

CLIP_EDITS: Final = ("smile", "jaw_open", "surprised")
"""Edits of consecutive frames: for jitter, and to look at as a video."""


@dataclass(frozen=True)
class Wish:
    """One edit."""

    name: str
    controls: FaceControls
    movement: Movement | None
    """None for an expression."""


def wishes(converter: FaceConverter) -> tuple[Wish, ...]:
    """Everything that the model can be asked for, as a user would: capped by what the face shows already."""
    known = set(accepted_names(converter.manifest))
    units = [Wish(one.name, _controls(converter, **one.units), one) for one in MOVEMENTS if known.issuperset(one.units)]
    named = [
        Wish(spec.name, _controls(converter, expression=spec.name), None) for spec in converter.manifest.expressions
    ]
    return (*units, *named)


def _controls(converter: FaceConverter, **wanted: Any) -> FaceControls:
    return converter.controls(faces="largest", **wanted)
