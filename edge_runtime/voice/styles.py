"""Named ways to sound: ``--style monster`` is a set of control values, and these are all of them, as data.

A style sets the controls it names and leaves the others at the model's defaults; a value the user gives besides wins.
Units and ranges are those of the controls (``changeling info``). What each style does to pitch, formants and sound is
measured in the README and held by the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge_runtime.errors import ControlError


@dataclass(frozen=True)
class Style:
    """A named set of control values."""

    name: str
    description: str
    """One line for the listing."""
    values: Mapping[str, float]
    """Control name to value, in the control's own unit."""


def _style(name: str, description: str, **values: float) -> Style:
    return Style(name, description, MappingProxyType(values))


_ALL = (
    _style("robot", "one constant pitch, hard and bright", robot=1.0, emphasis=-0.5, presence=3.0, breath=-6.0),
    _style("whisper", "no voicing at all, close to the microphone", whisper=1.0, presence=2.0, emphasis=-0.3),
    _style("monster", "deep, rough and large", pitch=-8.0, formant=0.78, roughness=0.8, gain=2.0),
    _style("giant", "deep, slow to change and very large", pitch=-6.0, formant=0.72, intonation=0.7, tilt=-1.0),
    _style("chipmunk", "a small animal of a cartoon", pitch=9.0, formant=1.38, intonation=1.2),
    _style("child", "smaller, higher and livelier", pitch=5.0, formant=1.2, intonation=1.2),
    _style(
        "old",
        "thinner, breathy, with a tremble",
        pitch=-1.5,
        tremor=0.6,
        roughness=0.35,
        breath=5.0,
        emphasis=-0.2,
    ),
    _style("radio", "a narrow, slightly driven speaker", radio=1.0),
    _style("ghost", "half whispered, wavering, in a large empty room", whisper=0.7, vibrato=0.5, echo=0.8, tilt=-1.0),
    _style("alien", "small head, pitch that wavers and never speaks a melody", robot=0.8, vibrato=1.0, formant=1.25),
    _style("announcer", "lower, clear, with every stress driven home", pitch=-2.0, emphasis=0.6, presence=4.0),
)

STYLES: Mapping[str, Style] = MappingProxyType({style.name: style for style in _ALL})


def find_style(name: str) -> Style:
    """The style of that name. Raises `ControlError`."""
    if name not in STYLES:
        raise ControlError(f"there is no style {name[:40]!r}; choose one of {', '.join(STYLES)}")
    return STYLES[name]
