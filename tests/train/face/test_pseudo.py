"""A network as its own teacher: what it is asked, what of its answers is believed, and where they lie in the photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from tests.train.face.photo_faces import NEUTRAL, record_of, write_photos
from tests.train.face.warped_faces import face, smile_flow, tiny_config
from train.face.batches import Sampler
from train.face.consistency import consistency
from train.face.looks import Frame, draw_looks, make_frame, see
from train.face.photos import load_photos, load_picture
from train.face.preprocess import FRAME_SCALE, load_shard, shard_paths
from train.face.pseudo import GENTLE, LOOKS, agreed, ask_teacher, edits_each, pseudo_pairs
from train.face.sampling import sample_change
from train.face.units import EXPRESSIONS, UNIT_INDEX, UNITS

CONFIG = tiny_config()
JAW_LEFT, SMILE = UNIT_INDEX["jaw_left"], UNIT_INDEX["smile"]
ACROSS_PX, DOWN_PX = 6.0, 4.0


def frame() -> Frame:
    picture = np.zeros((192, 192, 3), np.uint8)
    picture[:] = np.random.default_rng(0).integers(0, 256, 3)
    return make_frame(picture, record_of("photos/a.png"), CONFIG)


def slide(images: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """A teacher that is right: the jaw takes everything aside, a smile takes everything down."""
    flow = np.stack([ACROSS_PX * changes[:, JAW_LEFT], DOWN_PX * changes[:, SMILE]], axis=-1)
    return np.broadcast_to(flow[:, None, None], (len(images), 64, 64, 2)).astype(np.float32)


def test_answers_of_all_looks_come_back_to_the_same_place() -> None:
    """Mirrored and turned looks too: a sign that is wrong in the mirror would cancel every movement to a side."""
    pairs = pseudo_pairs(frame(), slide, CONFIG, 128)
    assert pairs is not None
    assert len(pairs) == 128
    change = pairs.units[:, 1] - pairs.units[:, 0]
    assert (np.abs(change[:, JAW_LEFT]) > 0.2).any()
    wanted = FRAME_SCALE * np.stack([ACROSS_PX * change[:, JAW_LEFT], DOWN_PX * change[:, SMILE]], axis=-1)
    middle = pairs.flows[:, 0, 20:64, 20:64].astype(np.float32)
    assert np.abs(middle - wanted[:, None, None]).max() < 0.35
    assert (pairs.known[:, 0, 20:64, 20:64] == 255).all()
    assert not pairs.known[:, 1].any(), "the way back is not known"
    assert not pairs.hidden.any()


def test_places_where_the_looks_disagree_teach_nothing() -> None:
    """The forehead, here; the rest of the face is still learnt."""
    rng = np.random.default_rng(1)

    def unsure(images: np.ndarray, changes: np.ndarray) -> np.ndarray:
        flow = slide(images, changes).copy()
        flow[:, :16] += rng.normal(0.0, 4.0, (len(images), 1, 1, 2))
        return flow

    pairs = pseudo_pairs(frame(), unsure, CONFIG, 12)
    assert pairs is not None
    known = pairs.known[:, 0]
    assert (known[:, 8:16, 20:64] == 0).mean() > 0.95
    assert (known[:, 32:64, 20:64] == 255).all()


def test_photos_on_which_the_looks_disagree_everywhere_are_dropped_and_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    photos = write_photos(tmp_path / "data", 3)
    picture = load_picture(tmp_path / "data", photos.faces[1])
    dark = make_frame(picture, photos.faces[1], CONFIG).image[84, 84].mean()

    def lost(images: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Sure of all photos but the second one, by the colour of its middle."""
        here = np.abs(255.0 * images[:, 62:66, 62:66].mean(axis=(1, 2, 3)) - dark) < 3.0
        return slide(images, changes) + 5.0 * here[:, None, None, None] * rng.normal(size=(len(images), 64, 64, 2))

    lesson = ask_teacher(tmp_path / "pseudo", tmp_path / "data", photos.faces, lost, CONFIG, 4)
    assert (lesson.photos, lesson.dropped_photos, lesson.edits, lesson.dropped_edits) == (2, 1, 8, 0)
    assert "1 photos altogether" in str(lesson)


def test_the_teacher_is_asked_once(tmp_path: Path) -> None:
    """A run that is resumed must learn what it learnt before; a photo that is gone must be forgotten."""
    photos = write_photos(tmp_path / "data", 3)
    asked: list[int] = []

    def counting(images: np.ndarray, changes: np.ndarray) -> np.ndarray:
        asked.append(len(images))
        return slide(images, changes)

    first = ask_teacher(tmp_path / "pseudo", tmp_path / "data", photos.faces, counting, CONFIG, 4)
    assert asked == [4 * LOOKS] * 3
    paths = shard_paths(tmp_path / "pseudo", "train")
    paths[0].write_bytes(b"cut off")
    assert ask_teacher(tmp_path / "pseudo", tmp_path / "data", photos.faces, counting, CONFIG, 4) == first
    assert len(asked) == 4
    ask_teacher(tmp_path / "pseudo", tmp_path / "data", photos.faces[:1], counting, CONFIG, 4)
    assert len(shard_paths(tmp_path / "pseudo", "train")) == 1


def test_photos_go_through_the_same_batches_as_pairs_and_never_backwards(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "data", 2)
    ask_teacher(tmp_path / "pseudo", tmp_path / "data", photos.faces, slide, CONFIG, 6)
    shards = [load_shard(path) for path in shard_paths(tmp_path / "pseudo", "train")]
    possible = {tuple(np.round(change, 4)) for s in shards if s for change in s.units[:, 1] - s.units[:, 0]}
    sampler = Sampler.of([tmp_path / "pseudo"], CONFIG, "train", both_ways=False, painted=False)
    batch = sampler.batch(24, np.random.default_rng(0))
    assert not batch["painted"].any()
    for delta in batch["delta"]:
        mirrored = delta.copy()
        mirrored[[UNIT_INDEX["blink_left"], UNIT_INDEX["blink_right"]]] = delta[
            [UNIT_INDEX["blink_right"], UNIT_INDEX["blink_left"]]
        ]
        mirrored[[JAW_LEFT, UNIT_INDEX["mouth_left"]]] *= -1.0
        assert possible & {tuple(np.round(delta, 4)), tuple(np.round(mirrored, 4))}


def test_a_face_is_asked_only_for_what_it_can_still_do() -> None:
    """One that smiles fully has no more smile to give, and none to lose that it does not show."""
    rng = np.random.default_rng(3)
    smiling = make_frame(np.zeros((192, 192, 3), np.uint8), record_of("a", NEUTRAL | {"corner_lift": 0.5}), CONFIG)
    assert smiling.present[SMILE] == 1.0
    assert not smiling.present[UNIT_INDEX["frown"]]
    changes = np.stack([sample_change(smiling.present, rng) for _ in range(800)])
    minimum = np.array([unit.minimum for unit in UNITS])
    after = changes + smiling.present
    assert (after <= 1.0 + 1e-6).all()
    assert (after >= minimum - 1e-6).all()
    assert (changes[:, SMILE] < -0.3).any()
    assert (np.abs(changes) > 0.3).any(axis=0).sum() == EXPRESSIONS


def test_agreement_is_counted_over_the_looks_that_reach() -> None:
    moved = np.zeros((4, 1, 1, 3, 2), np.float32)
    moved[:, 0, 0, 1, 0] = (9.0, -9.0, 9.0, -9.0)
    moved[3, 0, 0, 2] = 50.0
    reached = np.ones((4, 1, 3), np.bool_)
    reached[3, 0, 2] = False
    mean, sure = agreed(moved, reached)
    assert sure[0, 0].tolist() == [True, False, True]
    assert mean[0, 0, 2].tolist() == [0.0, 0.0]
    reached[1:, 0, 0] = False
    assert not agreed(moved, reached)[1][0, 0, 0], "one look of four is no agreement"


def test_looks_show_the_face_where_the_network_expects_it() -> None:
    image = face(np.random.default_rng(4))
    one = make_frame(np.zeros((192, 192, 3), np.uint8), record_of("a"), CONFIG)
    one = Frame("a", image, one.five, one.present)
    looks = draw_looks(one, CONFIG, GENTLE, 2, np.random.default_rng(5))
    plain, mirrored = (see(one, look, 128).astype(np.float32) for look in looks)
    assert [look.mirrored for look in looks] == [False, True]
    # made-up faces are nearly the same in a mirror
    assert np.abs(plain - mirrored)[20:108, 20:108].mean() < 14.0


def test_consistency_tells_a_steady_network_from_a_nervous_one() -> None:
    """And one that does nothing shows by its motion."""
    rng = np.random.default_rng(6)
    field = smile_flow(1.0)[20:-20:2, 20:-20:2][:64, :64]

    def steady(images: np.ndarray, changes: np.ndarray) -> np.ndarray:
        return np.stack([field * abs(change).sum() for change in changes]).astype(np.float32)

    def nervous(images: np.ndarray, changes: np.ndarray) -> np.ndarray:
        return steady(images, changes) * rng.uniform(0.2, 1.8, (len(images), 1, 1, 1)).astype(np.float32)

    frames = [frame()]
    calm, shaky = consistency(steady, frames, CONFIG), consistency(nervous, frames, CONFIG)
    assert shaky["photo_spread"] > 1.5 * calm["photo_spread"]
    assert calm["photo_motion_px"] > 0.5
    nothing = consistency(lambda images, changes: 0.0 * steady(images, changes), frames, CONFIG)
    assert nothing == {"photo_spread_px": 0.0, "photo_motion_px": 0.0, "photo_spread": 0.0}


def test_few_photos_are_asked_more(tmp_path: Path) -> None:
    assert [edits_each(count) for count in (1, 200, 10_000)] == [24, 10, 4]
    with pytest.raises(WorkstationError, match="collect PHOTOS"):
        load_photos(tmp_path)
