"""Styles and emotions, measured on real speech: each goes where its description says, and all of them compose."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from edge_runtime.voice.emotions import EMOTIONS
from edge_runtime.voice.styles import STYLES
from tests.edge_runtime.voice.heard import Speaker
from tests.edge_runtime.voice.signals import RATE_HZ, random_cuts
from train.voice.presets import control_specs

Bounds = dict[str, tuple[float, float]]
"""Lower and upper bound of what a quantity moves by; see `heard.Moved`, and `formant` for the formants' ratio."""

ANY = float("inf")

HEARD: dict[str, Bounds] = {
    "robot": {"melody": (0.0, 0.15), "hnr_db": (1.0, ANY), "presence_db": (-1.5, ANY)},
    "whisper": {"voiced": (0.0, 0.15)},
    "monster": {"pitch_st": (-11.0, -6.0), "formant": (0.74, 0.83), "hnr_db": (-ANY, -3.0)},
    "giant": {"pitch_st": (-7.5, -4.5), "formant": (0.68, 0.76)},
    "chipmunk": {"pitch_st": (6.0, 10.5), "formant": (1.3, 1.45)},
    "child": {"pitch_st": (3.7, 6.0), "formant": (1.15, 1.25), "melody": (1.05, 2.0)},
    "old": {"hnr_db": (-ANY, -2.0), "presence_db": (1.5, ANY), "pitch_st": (-2.5, -0.5)},
    "radio": {"energy_db": (-5.0, 3.0), "pitch_st": (-1.5, 1.5)},
    "ghost": {"voiced": (0.0, 0.4), "dynamics_db": (-ANY, -2.0)},
    "alien": {"melody": (0.1, 0.75), "formant": (1.18, 1.32)},
    "announcer": {
        "pitch_st": (-3.2, -0.8),
        "dynamics_db": (0.5, ANY),
        "presence_db": (1.0, ANY),
        "melody": (1.05, 2.0),
    },
}

FELT: dict[str, Bounds] = {
    "happy": {"pitch_st": (1.0, 4.0), "melody": (1.15, 2.5), "energy_db": (1.0, 5.0), "tilt_db": (0.2, 3.0)},
    "sad": {"pitch_st": (-3.0, -0.3), "melody": (0.2, 0.75), "energy_db": (-8.0, -2.0), "tilt_db": (-3.0, -0.3)},
    "angry": {"pitch_st": (0.7, 4.0), "melody": (1.2, 2.5), "energy_db": (2.0, 8.0), "hnr_db": (-15.0, -2.0)},
    "afraid": {"pitch_st": (2.5, 5.5), "energy_db": (-5.0, -0.5), "tilt_db": (-3.0, -0.4), "melody": (0.5, 1.15)},
    "tender": {"pitch_st": (-3.0, -0.2), "melody": (0.3, 0.85), "energy_db": (-7.0, -1.5), "tilt_db": (-3.0, -0.2)},
    "surprised": {"pitch_st": (0.7, 4.5), "melody": (1.5, 3.0), "energy_db": (1.0, 6.0), "dynamics_db": (0.5, 8.0)},
    "bored": {"pitch_st": (-4.0, -0.5), "melody": (0.1, 0.62), "energy_db": (-6.0, -1.0)},
}


def check(speaker: Speaker, bounds: Bounds, **controls: Any) -> None:
    """The quantities moved by amounts within their bounds."""
    moved = dataclasses.asdict(speaker.moved(**controls))
    if "formant" in bounds:
        moved["formant"] = speaker.formants(**controls)
    for name, (low, high) in bounds.items():
        assert low <= moved[name] <= high, (name, moved[name])


def test_every_style_and_emotion_is_measured_here() -> None:
    assert set(HEARD) == set(STYLES)
    assert set(FELT) == set(EMOTIONS)


@pytest.mark.parametrize("name", sorted(HEARD))
def test_a_style_sounds_as_described(speaker: Speaker, name: str) -> None:
    check(speaker, HEARD[name], style=name)


@pytest.mark.parametrize("name", sorted(FELT))
def test_an_emotion_moves_as_the_literature_says(speaker: Speaker, name: str) -> None:
    check(speaker, FELT[name], emotion=name)


@pytest.mark.parametrize("name", sorted(EMOTIONS))
def test_an_emotion_of_no_intensity_changes_no_sample(speaker: Speaker, name: str) -> None:
    assert np.array_equal(speaker.say(emotion=f"{name}:0"), speaker.say())


def test_intensity_is_a_matter_of_degree(speaker: Speaker) -> None:
    energy = [speaker.moved(emotion=f"sad:{share}").energy_db for share in (0.33, 0.66, 1.0)]
    assert 0 > energy[0] > energy[1] > energy[2]


def test_an_echo_switched_off_and_on_repeats_nothing_old(speaker: Speaker) -> None:
    """Its memory is a delay line that stands still while it is off."""
    stream = speaker.converter.stream(speaker.converter.controls(echo=1.0))
    stream.process(speaker.speech[:RATE_HZ])
    stream.set_controls(speaker.converter.controls())
    stream.process(np.zeros(2 * RATE_HZ, np.float32))
    stream.set_controls(speaker.converter.controls(echo=1.0))
    assert np.abs(stream.process(np.zeros(RATE_HZ, np.float32))).max() < 1e-3


def test_controls_may_change_while_a_stream_runs(speaker: Speaker) -> None:
    """As a panel's sliders do: every control, from one chunk to the next, and the sound stays finite and in range."""
    stream, rng = speaker.converter.stream(), np.random.default_rng(0)
    specs = control_specs()
    for start in range(0, 2 * RATE_HZ, 960):
        values = {spec.name: float(rng.uniform(spec.minimum, spec.maximum)) for spec in specs if spec.name != "gain"}
        stream.set_controls(speaker.converter.controls(**values))
        out = stream.process(speaker.speech[start : start + 960])
        assert np.isfinite(out).all()
        assert np.abs(out).max(initial=0.0) <= 1.0


def test_a_sad_robot_is_a_robot_and_softer(speaker: Speaker) -> None:
    """Styles and emotions compose."""
    check(speaker, {"melody": (0.0, 0.2), "energy_db": (-9.0, -2.0)}, style="robot", emotion="sad")


@pytest.mark.parametrize(
    "controls", [{"style": name} for name in STYLES] + [{"emotion": name} for name in EMOTIONS], ids=str
)
def test_a_live_stream_sounds_the_same_however_it_is_cut(speaker: Speaker, controls: dict[str, Any]) -> None:
    samples = speaker.speech[:24_000]
    values = speaker.converter.controls(**controls, denoise=0.7)
    whole = speaker.converter.stream(values).process(samples)
    stream = speaker.converter.stream(values)
    pieces = [stream.process(samples[cut]) for cut in random_cuts(len(samples), np.random.default_rng(3))]
    assert np.abs(np.concatenate(pieces)[: len(whole)] - whole).max() < 2e-3
