"""How styles, emotions, flags and a model's own ranges become checked controls."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from edge_runtime.contract import ControlSpec, VoiceManifest
from edge_runtime.errors import ChangelingError, ControlError, ModelFileError
from edge_runtime.voice.controls import CONTROL_NAMES, Controls, make_controls
from edge_runtime.voice.emotions import EMOTION_CONTROLS, EMOTIONS, parse_emotion
from edge_runtime.voice.styles import STYLES
from tests.edge_runtime.manifest_factory import make_manifest
from train.voice.presets import control_specs

MANIFEST = make_manifest(b"", controls=control_specs())
FIRST_CONTROLS = 10
"""How many controls the first models had."""
OLD = make_manifest(b"", controls=control_specs()[:FIRST_CONTROLS])


def controls(manifest: VoiceManifest = MANIFEST, **values: Any) -> Controls:
    return make_controls(manifest, **values)


def test_presets_offer_exactly_what_the_runtime_knows() -> None:
    assert sorted(spec.name for spec in control_specs()) == sorted(CONTROL_NAMES)


def test_neutral_values_of_presets_and_runtime_agree() -> None:
    """A model that lacks a younger control must sound as one that has it and leaves it alone.

    Clarity is the one control that models come with turned on.
    """
    assert dataclasses.replace(controls(), clarity=0.0) == controls(OLD)


def test_there_are_enough_styles_and_emotions() -> None:
    assert len(STYLES) >= 8
    assert len(EMOTIONS) >= 5
    assert all(emotion.source for emotion in EMOTIONS.values())


@pytest.mark.parametrize("name", sorted(STYLES))
def test_a_style_names_controls_within_their_ranges(name: str) -> None:
    """A value outside would be cut off silently."""
    ranges = {spec.name: (spec.minimum, spec.maximum) for spec in control_specs()}
    for control, value in STYLES[name].values.items():
        assert ranges[control][0] <= value <= ranges[control][1]
        assert getattr(controls(style=name), control) == value


def test_emotions_move_controls_that_exist() -> None:
    assert set(EMOTION_CONTROLS) <= set(CONTROL_NAMES)


def test_what_the_user_says_wins_over_the_style() -> None:
    chosen = controls(style="monster", pitch=3.0)
    assert chosen.pitch == 3.0
    assert chosen.formant == STYLES["monster"].values["formant"]


def test_an_emotion_is_added_to_style_and_flags() -> None:
    happy = EMOTIONS["happy"]
    assert controls(pitch=2.0, emotion="happy:0.5").pitch == 2.0 + 0.5 * happy.pitch
    both = controls(style="child", emotion="happy")
    assert both.pitch == STYLES["child"].values["pitch"] + happy.pitch
    assert both.intonation == pytest.approx(STYLES["child"].values["intonation"] * happy.intonation)


def test_factors_grow_with_intensity_by_ratio() -> None:
    half, full = (controls(emotion=f"sad:{share}").intonation for share in (0.5, 1.0))
    assert half == pytest.approx(full**0.5)


def test_the_result_stays_within_the_models_ranges() -> None:
    """Emotions add up with flags; what would leave the range stops at its end."""
    assert controls(pitch=24.0, emotion="happy").pitch == 24.0
    narrow = tuple(
        dataclasses.replace(spec, minimum=-3.0, maximum=3.0) if spec.name == "pitch" else spec
        for spec in control_specs()
    )
    assert controls(dataclasses.replace(MANIFEST, controls=narrow), style="chipmunk").pitch == 3.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"style": "opera"}, "no style 'opera'; choose one of robot, "),
        ({"emotion": "hungry"}, "no emotion 'hungry'; choose one of happy, "),
        ({"emotion": "happy:2"}, "between 0 and 1, for instance happy:0.7"),
        ({"emotion": "happy:"}, "between 0 and 1"),
        ({"emotion": "happy:nan"}, "between 0 and 1"),
        ({"emotion": ""}, "no emotion ''"),
        ({"sparkle": 1.0}, "unknown control 'sparkle'"),
        *(({spec.name: spec.maximum + 0.1}, f"{spec.name} must be between") for spec in control_specs()),
        *(({spec.name: float("nan")}, f"{spec.name} must be between") for spec in control_specs()),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_is_right(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ControlError, match=message) as error:
        controls(**values)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"presence": 3.0}, "older than the control 'presence'; export it again"),
        ({"style": "radio"}, "the style radio needs the control 'radio'"),
        ({"emotion": "happy"}, "the emotion happy needs the control 'emphasis'"),
    ],
)
def test_an_older_model_says_what_it_lacks(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ControlError, match=message):
        controls(OLD, **values)


def test_styles_of_older_controls_work_with_older_models() -> None:
    assert controls(OLD, style="chipmunk") == controls(style="chipmunk", clarity=0.0)


def test_a_model_may_bring_a_control_this_runtime_does_not_know() -> None:
    """It opens and converts; only setting that control is refused."""
    newer = dataclasses.replace(
        MANIFEST, controls=(*control_specs(), ControlSpec("sparkle", 0.0, 0.0, 1.0, "", "from the future"))
    )
    assert controls(newer) == controls()
    with pytest.raises(ControlError, match="unknown control 'sparkle'"):
        controls(newer, sparkle=1.0)


def test_a_model_without_the_first_controls_is_refused_in_one_line() -> None:
    with pytest.raises(ModelFileError, match="lacks the control auto_pitch"):
        controls(dataclasses.replace(MANIFEST, controls=control_specs()[:1]))


def test_an_intensity_is_a_number_of_the_text() -> None:
    emotion, intensity = parse_emotion("angry:0.25")
    assert (emotion.name, intensity) == ("angry", 0.25)
    assert parse_emotion("angry")[1] == 1.0
    with pytest.raises(ChangelingError):
        parse_emotion("angry:much")
