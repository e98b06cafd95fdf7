"""What a user can ask of a face, checked against the model, and what of it a face that already smiles still takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge_runtime.errors import ControlError
from edge_runtime.face.expressions import parse_expressions
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face.measures import unit_values
from edge_runtime.face_contract import FaceManifest

WHICH = ("all", "largest", "left", "right")
"""Faces that can be asked for by a word, beside a number that counts from the left of the picture, from 1."""

_SUGAR: Mapping[str, tuple[str, ...]] = {
    "blink": ("blink_left", "blink_right"),
    "wink": ("blink_left",),
    "wink_left": ("blink_left",),
    "wink_right": ("blink_right",),
}
"""Names for units that are asked for together or under another word; left and right are the person's own."""


@dataclass(frozen=True)
class FaceControls:
    """Checked wishes; make them with `FaceConverter.controls`."""

    changes: tuple[float, ...]
    """Wanted change of each unit, in the manifest's order."""
    relax: float
    """Share of what is measured on the face that is taken away first, 0..1."""
    faces: str | int
    """One of `WHICH`, or the face's number from the left, from 1."""
    capped: bool
    """Whether a unit is driven no further than its full value, counting what the face shows already."""

    @property
    def neutral(self) -> bool:
        """Whether nothing is asked for."""
        return self.relax == 0.0 and not any(self.changes)


def make_face_controls(
    manifest: FaceManifest,
    *,
    expression: str | None = None,
    faces: str | int = "all",
    capped: bool = True,
    **values: float,
) -> FaceControls:
    """Check what is asked for against the model's units and expressions. Raises `ControlError`.

    ``expression`` (``NAME``, ``NAME:0..1``, several with commas) and ``values`` (unit by name; also ``blink`` for both
    eyes and ``wink`` for one) add up, within the units' ranges.
    """
    changes = dict.fromkeys((unit.name for unit in manifest.units), 0.0)
    relax = 0.0
    if expression is not None:
        for spec, intensity in parse_expressions(expression, manifest.expressions):
            relax = max(relax, spec.relax * intensity)
            for name, value in spec.values.items():
                changes[name] += intensity * value
    for name, value in values.items():
        for unit in _units_of(manifest, name):
            changes[unit] += _in_range(manifest, name, unit, value)
    limited = tuple(min(max(changes[unit.name], unit.minimum), unit.maximum) for unit in manifest.units)
    return FaceControls(limited, relax, check_faces(faces), capped)


def check_faces(faces: str | int) -> str | int:
    """A word of `WHICH` or a number from 1, also as text. Raises `ControlError`."""
    if isinstance(faces, str) and faces.isascii() and faces.isdigit():
        faces = int(faces[:6])
    if faces in WHICH or (isinstance(faces, int) and not isinstance(faces, bool) and faces >= 1):
        return faces
    raise ControlError(f"faces must be {', '.join(WHICH)} or a number from 1, counted from the left")


def wanted_delta(controls: FaceControls, measures: Mapping[str, float], manifest: FaceManifest) -> FloatArray:
    """What the graph gets for a face with ``measures``: the wanted change (1, U) with each unit's gain."""
    gains = np.array([unit.gain for unit in manifest.units], np.float32)
    return wanted_change(controls, measures, manifest) * gains


def wanted_change(controls: FaceControls, measures: Mapping[str, float], manifest: FaceManifest) -> FloatArray:
    """The change (1, U) that a face with ``measures`` still takes: what is wished, capped by what is there already.

    A smile of 0.8 on a face that already smiles by half becomes 0.5, so that no mouth is driven past its range. Units
    that landmarks cannot tell take the wish as it is.
    """
    delta = np.array(controls.changes, np.float32)
    current = unit_values(measures, manifest.units)
    known = np.isfinite(current)
    present = np.where(known, current, np.float32(0.0))
    delta -= np.float32(controls.relax) * present
    if controls.capped:
        delta = np.where(known, np.minimum(delta, 1.0 - present), delta)
    low = np.array([unit.minimum for unit in manifest.units], np.float32)
    high = np.array([unit.maximum for unit in manifest.units], np.float32)
    return np.clip(delta, low, high)[None].astype(np.float32)


def accepted_names(manifest: FaceManifest) -> tuple[str, ...]:
    """Everything that may be asked for by name: the units, and the words that stand for several."""
    units = {unit.name for unit in manifest.units}
    return (*(unit.name for unit in manifest.units), *(name for name in _SUGAR if units.issuperset(_SUGAR[name])))


def _units_of(manifest: FaceManifest, name: str) -> tuple[str, ...]:
    known = accepted_names(manifest)
    if name not in known:
        raise ControlError(f"this model has no unit {name[:40]!r}; it has: {', '.join(known)}")
    units = {unit.name for unit in manifest.units}
    return (name,) if name in units else _SUGAR[name]


def _in_range(manifest: FaceManifest, name: str, unit: str, value: float) -> float:
    spec = next(spec for spec in manifest.units if spec.name == unit)
    number = float(value)
    if not math.isfinite(number) or not spec.minimum <= number <= spec.maximum:
        raise ControlError(f"{name} must be between {spec.minimum:g} and {spec.maximum:g}")
    return number
