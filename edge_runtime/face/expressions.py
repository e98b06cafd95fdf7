"""Named expressions: ``happy:0.6`` is a vector of units times an intensity. What is written into face models is here.

The combinations are those of EMFACS, the emotion table of the Facial Action Coding System: which muscles' action units
go together in a display of the emotion. The amounts are ours: strong enough to be read at a glance, and still a person.

Sources
    EF78   Ekman & Friesen (1978), Facial Action Coding System: the action units (AU), and its Investigator's Guide,
           table of prototypes and major variants of emotion.
    EF83   Friesen & Ekman (1983), EMFACS-7: Emotional Facial Action Coding System, unpublished manual.
    EF82   Ekman & Friesen (1982), Felt, false and miserable smiles, J. Nonverbal Behav. 6: AU 6 marks the felt smile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_runtime.errors import ControlError
from edge_runtime.face_contract import ExpressionSpec

_MAXIMUM_TEXT = 40

STANDARD_EXPRESSIONS: tuple[ExpressionSpec, ...] = (
    ExpressionSpec(
        "happy",
        "a felt smile: corners of the mouth up, cheeks raised, lips a little apart",
        "EF83, EF82: AU 6 + 12 (25)",
        {"smile": 0.9, "cheek_raise": 0.6, "squint": 0.15, "jaw_open": 0.12},
        0.0,
    ),
    ExpressionSpec(
        "sad",
        "inner brows up, corners of the mouth down",
        "EF83: AU 1 + 4 + 15 (17)",
        {"brow_inner": 0.8, "brow_lower": 0.2, "frown": 0.8, "squint": 0.2},
        0.0,
    ),
    ExpressionSpec(
        "angry",
        "brows down and together, eyes hard, lips pressed",
        "EF83: AU 4 + 5 + 7 + 23/24",
        {"brow_lower": 0.9, "eye_wide": 0.2, "squint": 0.4, "press": 0.5, "sneer": 0.2},
        0.0,
    ),
    ExpressionSpec(
        "surprised",
        "brows and lids up, jaw dropped",
        "EF83: AU 1 + 2 + 5 + 26",
        {"brow_raise": 0.9, "brow_inner": 0.5, "eye_wide": 0.6, "jaw_open": 0.55},
        0.0,
    ),
    ExpressionSpec(
        "afraid",
        "brows up and together, eyes wide, mouth stretched",
        "EF83: AU 1 + 2 + 4 + 5 + 20 + 26",
        {"brow_raise": 0.5, "brow_inner": 0.7, "brow_lower": 0.3, "eye_wide": 0.7, "stretch": 0.7, "jaw_open": 0.2},
        0.0,
    ),
    ExpressionSpec(
        "disgusted",
        "nose wrinkled, upper lip raised",
        "EF83: AU 9/10 + 15 (16)",
        {"sneer": 0.68, "upper_lip": 0.36, "brow_lower": 0.32, "frown": 0.18, "squint": 0.22},
        0.0,
    ),
    ExpressionSpec("neutral", "takes away what is on the face already", "EF78: no action unit", {}, 1.0),
)


def parse_expressions(text: str, known: Sequence[ExpressionSpec]) -> Iterator[tuple[ExpressionSpec, float]]:
    """``NAME``, ``NAME:INTENSITY`` (0..1) or several with commas, as expressions with intensity.

    Raises `ControlError`.
    """
    by_name = {expression.name: expression for expression in known}
    for part in text.split(","):
        name, colon, amount = part.strip().partition(":")
        if name not in by_name:
            names = ", ".join(by_name) or "none"
            raise ControlError(f"this model has no expression {name[:_MAXIMUM_TEXT]!r}; it has: {names}")
        try:
            intensity = float(amount) if colon else 1.0
        except ValueError:
            intensity = -1.0
        if not 0.0 <= intensity <= 1.0:
            raise ControlError(f"the intensity of an expression is between 0 and 1, for instance {name}:0.6")
        yield by_name[name], intensity
