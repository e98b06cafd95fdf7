"""Emotions as prosody: ``--emotion happy:0.7`` is a vector of changes times an intensity, and these are all of them.

The directions are those on which the literature agrees; where it does not, the line below the emotion says so. The
amounts are ours: about half of what is reported for acted or synthesised full-blown emotion, so that intensity 1 is
plain to hear and still a person. Speaking rate, which all of these papers report too, cannot change in a live stream.

Sources
    BS96   Banse & Scherer (1996), Acoustic profiles in vocal emotion expression, J. Pers. Soc. Psychol. 70.
    BuS00  Burkhardt & Sendlmeier (2000), Verification of acoustical correlates of emotional speech using
           formant-synthesis, ISCA Workshop on Speech and Emotion.
    JL03   Juslin & Laukka (2003), Communication of emotions in vocal expression and music performance,
           Psychol. Bull. 129: the summary of cues per emotion.
    MA93   Murray & Arnott (1993), Toward the simulation of emotion in synthetic speech, J. Acoust. Soc. Am. 93.
    Sch01  Schröder (2001), Emotional speech synthesis: a review, Eurospeech: rules of earlier systems side by side.
    Sch03  Scherer (2003), Vocal communication of emotion, Speech Communication 40.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from edge_runtime.errors import ControlError


@dataclass(frozen=True)
class Emotion:
    """Changes at intensity 1, on top of whatever the controls say; neutral where nothing is given."""

    name: str
    description: str
    """One line for the listing."""
    source: str
    """Which of the papers above say so."""
    pitch: float = 0.0
    """Semitones added."""
    intonation: float = 1.0
    """Factor on the range of F0."""
    gain: float = 0.0
    """dB added."""
    emphasis: float = 0.0
    """Added; above 0 the loudness varies more."""
    tilt: float = 0.0
    """dB per octave added; below 0 there is less energy at high frequencies."""
    breath: float = 0.0
    """dB added to the noise part."""
    formant: float = 1.0
    """Factor on the formants."""
    tremor: float = 0.0
    """Added."""
    roughness: float = 0.0
    """Added."""

    def changes(self, intensity: float) -> dict[str, tuple[float, float]]:
        """Factor and offset by control name at ``intensity`` 0..1; controls that stay are left out."""
        found: dict[str, tuple[float, float]] = {}
        for name in EMOTION_CONTROLS:
            value = float(getattr(self, name))
            if name in _FACTORS and value != 1.0:
                found[name] = (value**intensity, 0.0)
            elif name not in _FACTORS and value != 0.0:
                found[name] = (1.0, value * intensity)
        return found


_FACTORS = ("intonation", "formant")
EMOTION_CONTROLS: tuple[str, ...] = tuple(f.name for f in fields(Emotion) if f.type == "float")
"""Every control an emotion may move."""

_ALL = (
    # F0 mean, range and intensity up (all). High-frequency energy is medium in JL03, above that of calm speech; the
    # first two formants rise by a tenth with spread lips in BuS00, of which a whole envelope can follow only a part.
    Emotion(
        "happy",
        "higher, livelier, brighter, a little louder",
        "JL03, MA93, BuS00, Sch03",
        pitch=3.0,
        intonation=1.5,
        gain=2.0,
        emphasis=0.3,
        tilt=1.5,
        formant=1.04,
    ),
    # Everything down (JL03, Sch03; MA93: slightly lower and narrower). Breathiness: Cahn's rules in Sch01.
    Emotion(
        "sad",
        "lower, flatter, softer, darker",
        "JL03, MA93, BS96, Sch01, Sch03",
        pitch=-2.0,
        intonation=0.5,
        gain=-5.0,
        emphasis=-0.5,
        tilt=-2.0,
        breath=3.0,
        tremor=0.1,
    ),
    # F0, its range, intensity, its variability and high-frequency energy up; irregular from period to period (JL03).
    Emotion(
        "angry",
        "higher, wider, louder, harsher",
        "JL03, BS96, MA93, Sch03",
        pitch=2.5,
        intonation=1.4,
        gain=4.0,
        emphasis=0.6,
        tilt=3.0,
        breath=-3.0,
        roughness=0.3,
    ),
    # F0 up (all), little high-frequency energy, intensity low but variable, irregular (JL03). The range of F0 is small
    # in JL03 and wide in MA93; this is the fear that trembles, not panic, so it is made smaller.
    Emotion(
        "afraid",
        "higher, thin, trembling, unsteady in loudness",
        "JL03, BuS00, MA93 (irregular voicing)",
        pitch=4.0,
        intonation=0.75,
        gain=-4.0,
        emphasis=0.3,
        tilt=-1.0,
        breath=3.0,
        tremor=0.6,
    ),
    # Low F0 and intensity, little variability of both, little high-frequency energy, regular (JL03).
    Emotion(
        "tender",
        "low, even, soft and warm",
        "JL03",
        pitch=-2.0,
        intonation=0.7,
        gain=-4.0,
        emphasis=-0.3,
        tilt=-2.0,
        breath=4.0,
    ),
    # Range far wider and louder (Cahn's rules in Sch01). There the mean stays; it is raised here because contours that
    # rise steeply, which a converter cannot draw, raise it in speech.
    Emotion(
        "surprised",
        "much livelier, higher, louder",
        "Sch01",
        pitch=3.0,
        intonation=1.8,
        gain=2.0,
        emphasis=0.5,
    ),
    # F0 low with little range (BuS00, BS96, Sch03), low energy (BS96).
    Emotion(
        "bored",
        "low, nearly flat, a little soft",
        "BuS00, BS96, Sch03",
        pitch=-2.5,
        intonation=0.35,
        gain=-2.5,
        emphasis=-0.6,
        tilt=-0.5,
    ),
)

EMOTIONS: Mapping[str, Emotion] = MappingProxyType({emotion.name: emotion for emotion in _ALL})


def parse_emotion(text: str) -> tuple[Emotion, float]:
    """``NAME`` or ``NAME:INTENSITY`` (0..1; 1 when not given) as emotion and intensity. Raises `ControlError`."""
    name, colon, amount = text.partition(":")
    if name not in EMOTIONS:
        raise ControlError(f"there is no emotion {name[:40]!r}; choose one of {', '.join(EMOTIONS)}")
    try:
        intensity = float(amount) if colon else 1.0
    except ValueError:
        intensity = -1.0
    if not 0.0 <= intensity <= 1.0:
        raise ControlError(f"the intensity of an emotion is between 0 and 1, for instance {name}:0.7")
    return EMOTIONS[name], intensity
