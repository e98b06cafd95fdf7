"""What the network is shown: flow that belongs to its pictures, whatever was done to them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from edge_runtime.face.remap import remap
from tests.train.face.warped_faces import tiny_config, write_aligned
from train.face.augment import Augmentation, jitter_five, mirror_five, mirror_of
from train.face.batches import Example, Sampler, flow_weight
from train.face.units import UNIT_INDEX, UNIT_NAMES

GEOMETRY_ONLY = Augmentation(
    gamma=(1.0, 1.0), white_balance=0.0, brightness=0.0, contrast=0.0, saturation_share=0.0, blur_share=0.0,
    noise_share=0.0, jpeg_share=0.0, occluder_share=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned(tmp_path_factory.mktemp("aligned"))


def warped(example: Example) -> np.ndarray:
    """The source moved by the example's own flow, as the device would."""
    size = len(example.source)
    flow = cv2.resize(example.flow, (size, size), interpolation=cv2.INTER_LINEAR)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    return remap(example.source, columns + flow[..., 0], rows + flow[..., 1])


def off(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a[8:-8, 8:-8].astype(np.float32) - b[8:-8, 8:-8]).mean())


def test_flow_leads_from_source_to_target_after_any_turn_or_mirroring(folder: Path) -> None:
    """The heart of training: jitter, direction and mirroring move pictures and flow alike."""
    sampler = Sampler.of([folder], tiny_config(), "train", GEOMETRY_ONLY)
    rng = np.random.default_rng(0)
    examples = [sampler.draw(rng) for _ in range(24)]
    before = sum(off(e.source, e.target) for e in examples)
    after = sum(off(warped(e), e.target) for e in examples)
    assert after < 0.35 * before
    signs = {np.sign(e.delta[UNIT_INDEX["smile"]]) for e in examples}
    assert signs == {-1.0, 1.0}, "both directions of a pair are edits"


def test_light_and_colour_change_both_pictures_alike(folder: Path) -> None:
    how = dataclasses.replace(Augmentation(), occluder_share=0.0, saturation_share=1.0)
    sampler = Sampler.of([folder], tiny_config(), "train", how)
    rng = np.random.default_rng(3)
    examples = [sampler.draw(rng) for _ in range(12)]
    before = sum(off(e.source, e.target) for e in examples)
    after = sum(off(warped(e), e.target) for e in examples)
    assert after < 0.5 * before
    assert any(not np.array_equal(e.image, e.source) for e in examples), "noise is for the network's view alone"


def test_what_covers_a_face_stands_still(folder: Path) -> None:
    how = dataclasses.replace(GEOMETRY_ONLY, occluder_share=1.0)
    plain, covered = (Sampler.of([folder], tiny_config(), "train", h) for h in (GEOMETRY_ONLY, how))
    for seed in range(6):
        bare = plain.draw(np.random.default_rng(seed))
        example = covered.draw(np.random.default_rng(seed))
        drawn = (bare.source != example.source).any(axis=-1)
        cells = drawn.reshape(64, 2, 64, 2).all(axis=(1, 3))
        assert cells.any()
        assert not example.flow[cells].any()
        assert (example.known[cells] == 1.0).all()


def test_a_batch_depends_on_seed_and_step_alone(folder: Path) -> None:
    samplers = [Sampler.of([folder], tiny_config(), "train") for _ in range(2)]
    samplers[0].batch(3, np.random.default_rng([1, 0]))
    first, second = (sampler.batch(3, np.random.default_rng([1, 7])) for sampler in samplers)
    for name in first:
        assert np.array_equal(first[name], second[name]), name
    assert first["image"].dtype == np.float32
    assert 0.0 <= first["image"].min() <= first["image"].max() <= 1.0


def test_a_mirrored_face_has_mirrored_units() -> None:
    values = np.arange(1, len(UNIT_NAMES) + 1, dtype=np.float32)
    mirror = mirror_of(UNIT_NAMES)
    mirrored = mirror.apply(values)
    assert mirrored[UNIT_INDEX["blink_left"]] == values[UNIT_INDEX["blink_right"]]
    assert mirrored[UNIT_INDEX["jaw_left"]] == -values[UNIT_INDEX["jaw_left"]]
    assert mirrored[UNIT_INDEX["smile"]] == values[UNIT_INDEX["smile"]]
    assert np.array_equal(mirror.apply(mirrored), values)


def test_the_person_s_left_stays_left_in_a_mirror() -> None:
    five = np.array([(10, 5), (30, 6), (20, 15), (12, 25), (28, 26)], np.float32)
    mirrored = mirror_five(five, 41)
    assert mirrored[0, 0] < mirrored[1, 0]
    assert mirrored[3, 0] < mirrored[4, 0]
    assert np.array_equal(mirror_five(mirrored, 41), five)
    assert np.abs(jitter_five(five, 1.0, Augmentation(), np.random.default_rng(0)) - five).max() < 12.0


def test_unknown_flow_weighs_nothing_and_hidden_flow_a_little() -> None:
    known, hidden = np.zeros((4, 4), np.float32), np.zeros((8, 8), np.float32)
    known[0, 0], hidden[2:4, 2:4] = 1.0, 1.0
    weight = flow_weight(known, hidden)
    assert weight[0, 0] == 1.0
    assert 0.0 < weight[1, 1] < 0.5
    assert weight[3, 3] == 0.0


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorkstationError, match="collect more"):
        Sampler.of([tmp_path], tiny_config(), "train")


def test_pairs_are_chosen_by_what_grows_in_them(folder: Path) -> None:
    """In either direction, and the other one not: eyes that open are no eyes that close."""
    sampler = Sampler.of([folder], tiny_config(), "train")
    chosen = sampler.growing(("jaw_open", "smile"), 0.3)
    assert 0 < len(chosen) < len(sampler)
    for number, reverse in chosen:
        assert sampler.plain(number, reverse).delta[UNIT_INDEX["smile"]] >= 0.3
        assert (number, not reverse) not in chosen
