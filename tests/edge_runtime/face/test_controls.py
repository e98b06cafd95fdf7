"""What may be asked of a face, and what of it a face that already does it still takes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge_runtime.errors import ControlError
from edge_runtime.face.controls import accepted_names, make_face_controls, wanted_change, wanted_delta
from edge_runtime.face.expressions import STANDARD_EXPRESSIONS
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face, unit_values
from edge_runtime.face_contract import MEASURES
from tests.edge_runtime.face.tiny_face import UNITS, disc_mesh, make_face_manifest
from train.face.units import UNIT_NAMES

MANIFEST = make_face_manifest()
AT_REST = {"corner_lift": 0.0, "lip_gap": 0.04, "eye_closed_left": -0.26, "eye_closed_right": -0.26}


def _changes(**wishes: object) -> dict[str, float]:
    controls = make_face_controls(MANIFEST, **wishes)  # type: ignore[arg-type]
    return {name: value for name, value in zip(UNITS, controls.changes, strict=True) if value}


def _delta(measures: dict[str, float], **wishes: object) -> dict[str, float]:
    controls = make_face_controls(MANIFEST, **wishes)  # type: ignore[arg-type]
    delta = wanted_delta(controls, AT_REST | measures, MANIFEST)
    assert delta.shape == (1, len(UNITS))
    return dict(zip(UNITS, delta[0].round(4).tolist(), strict=True))


def test_units_expressions_and_sugar_add_up() -> None:
    assert _changes(smile=0.3, expression="happy:0.6") == {"smile": pytest.approx(0.6)}
    assert _changes(blink=0.5) == {"blink_left": 0.5, "blink_right": 0.5}
    assert _changes(wink=1) == {"blink_left": 1.0}
    assert _changes(wink_right=1) == {"blink_right": 1.0}
    assert _changes(expression="happy:0.5,surprised:0.5") == {"smile": 0.25, "jaw_open": 0.5, "brow_raise": 0.5}


def test_a_gain_is_of_the_graph_and_not_of_the_wish() -> None:
    """A wish of 1 is the full slider, whatever the graph must be told for it; the cap knows the slider alone."""
    pressed = dataclasses.replace(MANIFEST.units[0], gain=1.5)
    manifest = dataclasses.replace(MANIFEST, units=(pressed, *MANIFEST.units[1:]))
    controls = make_face_controls(manifest, smile=0.8, jaw_open=0.4)
    half = AT_REST | {"corner_lift": 0.05}
    assert wanted_change(controls, half, manifest)[0, :2].tolist() == pytest.approx([0.5, 0.4])
    assert wanted_delta(controls, half, manifest)[0, :2].tolist() == pytest.approx([0.75, 0.4])
    with pytest.raises(ControlError, match="between -1 and 1"):
        make_face_controls(manifest, smile=1.2)


def test_a_sum_stays_in_the_units_range() -> None:
    assert _changes(jaw_open=1.0, expression="surprised")["jaw_open"] == 1.0


@pytest.mark.parametrize(
    ("wishes", "text"),
    [
        ({"grin": 1.0}, "no unit 'grin'; it has: smile"),
        ({"smile": 1.5}, "smile must be between -1 and 1"),
        ({"smile": float("nan")}, "between"),
        ({"blink": 2}, "blink must be between"),
        ({"expression": "bored"}, "no expression 'bored'; it has: happy"),
        ({"expression": "happy:2"}, "between 0 and 1"),
        ({"expression": "happy:x"}, "between 0 and 1"),
        ({"faces": "middle"}, "faces must be all, largest"),
        ({"faces": 0}, "from 1"),
        ({"faces": "0"}, "from 1"),
        ({"faces": True}, "from 1"),
    ],
)
def test_wrong_wishes_are_one_line(wishes: dict[str, object], text: str) -> None:
    with pytest.raises(ControlError, match=text) as caught:
        make_face_controls(MANIFEST, **wishes)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_number_may_come_as_text() -> None:
    assert make_face_controls(MANIFEST, faces="2").faces == 2


def test_sugar_is_offered_only_where_its_units_are() -> None:
    assert {"blink", "wink"} <= set(accepted_names(MANIFEST))
    without = dataclasses.replace(MANIFEST, units=MANIFEST.units[:2])
    assert accepted_names(without) == ("smile", "jaw_open")


def test_a_smile_is_driven_no_further_than_full() -> None:
    """Half a smile is there: 0.8 becomes 0.5; what is closed already does not close through itself."""
    assert _delta({"corner_lift": 0.05}, smile=0.8)["smile"] == 0.5
    assert _delta({"corner_lift": 0.3}, smile=0.8)["smile"] == 0.0
    assert _delta({}, smile=0.8)["smile"] == pytest.approx(0.8)
    assert _delta({"corner_lift": 0.05}, smile=0.8, capped=False)["smile"] == pytest.approx(0.8)
    assert _delta({"corner_lift": 0.05}, smile=-0.7)["smile"] == pytest.approx(-0.7)
    assert _delta({"eye_closed_left": -0.05}, blink=1)["blink_left"] == 0.0


def test_what_landmarks_cannot_tell_is_not_capped() -> None:
    assert _delta({}, brow_raise=1.0)["brow_raise"] == 1.0


def test_neutral_takes_away_what_is_measured() -> None:
    delta = _delta({"corner_lift": 0.08, "lip_gap": 0.24}, expression="neutral:0.5")
    assert delta["smile"] == pytest.approx(-0.4)
    assert delta["jaw_open"] == pytest.approx(-0.25)
    assert delta["brow_raise"] == 0.0


def test_nothing_asked_is_neutral() -> None:
    assert make_face_controls(MANIFEST).neutral
    assert not make_face_controls(MANIFEST, smile=0.1).neutral
    assert not make_face_controls(MANIFEST, expression="neutral").neutral


def _face(change: dict[int, tuple[float, float]] | None = None, yaw: float = 0.0, scale: float = 100.0) -> Face:
    """The disc's mesh as a face, points moved, turned about the vertical."""
    points = disc_mesh() / 16.0
    for index, move in (change or {}).items():
        points[index, :2] += move
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    points = (points @ turn.T * scale + [300.0, 200.0, 0.0]).astype(np.float32)
    return Face(points, points[[33, 263, 1, 61, 291], :2], 1.0)


def test_measures_are_the_distances_they_say() -> None:
    """Eyes 1 apart, lips 0.04 apart, lids 0.08 of 0.3, mouth 0.7 wide, brows 0.3 up."""
    found = measure_face(_face())
    assert set(found) == set(MEASURES) - {""}
    expected = {"lip_gap": 0.04, "mouth_width": 0.7, "eye_closed_left": -0.08 / 0.3, "eye_open": 0.08 / 0.3}
    expected |= {"corner_lift": 0.0, "brow_height": 0.3, "brow_gap": 0.3, "eye_closed_right": -0.08 / 0.3}
    assert found == pytest.approx(expected, abs=1e-3)
    lifted = measure_face(_face({61: (0.0, -0.1), 291: (0.0, -0.1)}))
    assert lifted["corner_lift"] == pytest.approx(0.1, abs=1e-3)


def test_measures_hold_for_any_size_and_a_turned_head() -> None:
    assert measure_face(_face(scale=9.0)) == pytest.approx(measure_face(_face()), abs=1e-3)
    assert measure_face(_face(yaw=0.5)) == pytest.approx(measure_face(_face()), abs=1e-3)


def test_unit_values_count_from_the_persons_own_rest() -> None:
    measures = AT_REST | {"corner_lift": 0.06}
    assert unit_values(measures, MANIFEST.units)[0] == pytest.approx(0.6)
    assert np.isnan(unit_values(measures, MANIFEST.units)[4])
    assert unit_values(measures, MANIFEST.units, AT_REST | {"corner_lift": 0.03})[0] == pytest.approx(0.3)


def test_standard_expressions_are_made_of_the_trained_units() -> None:
    """The seven that the project promises; each amount within a unit's range, each with its source."""
    names = [expression.name for expression in STANDARD_EXPRESSIONS]
    assert names == ["happy", "sad", "angry", "surprised", "afraid", "disgusted", "neutral"]
    for expression in STANDARD_EXPRESSIONS:
        assert set(expression.values) <= set(UNIT_NAMES)
        assert all(0.0 < value <= 1.0 for value in expression.values.values())
        assert expression.source
