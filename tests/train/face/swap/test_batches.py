"""Batches of swaps: the same for the same seed, covered faces out of the mask, and frames cut where the face is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.train.face.swap.made_up import NAMES, aligned
from train.face.parts import CROP
from train.face.swap import batches
from train.face.swap.batches import AUGMENTATION, SwapSampler, augmented, cut, warped
from train.face.swap.looks import RenderedLooks, features_about
from train.face.swap.occluders import cover


def _sampler() -> SwapSampler:
    return SwapSampler(RenderedLooks([aligned(NAMES, 6, 1)], NAMES), CROP)


def test_a_batch_is_the_same_for_the_same_seed_and_has_the_right_shapes() -> None:
    first, second = (_sampler().batch(5, np.random.default_rng(3)) for _ in range(2))
    assert {name: value.shape for name, value in first.items()} == {
        "image": (5, 128, 128, 3), "target": (5, 128, 128, 3), "face": (5, 128, 128, 1), "shown": (5, 128, 128, 1),
        "features": (5, 128, 128, 1), "identity": (5,),
    }  # fmt: skip
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
        assert value.min() >= 0.0
    assert first["image"].max() <= 1.0
    assert (_sampler().batch(5, np.random.default_rng(4))["image"] != first["image"]).any()


def test_what_covers_the_face_is_out_of_the_mask_and_of_the_input_alone() -> None:
    """Never of the target: the face beneath is what must be painted."""
    always = dataclasses.replace(AUGMENTATION, occluder_share=1.0)
    example = _sampler().plain(0)
    covered = 0
    for seed in range(12):
        found = augmented(example, False, always, np.random.default_rng(seed))
        np.testing.assert_array_equal(found.face, example.face)
        assert (found.shown <= example.shown).all()
        covered += bool((found.shown < example.shown).any())
    assert covered > 6


def test_light_and_shadow_fall_on_both_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is painted must be lit as what is seen."""
    for name in ("_WARP_SHARE", "_GRAIN_SHARE", "_SHARPEN_SHARE"):
        monkeypatch.setattr(batches, name, 0.0)
    clean = dataclasses.replace(
        AUGMENTATION, occluder_share=0.0, blur_share=0.0, coarse_share=0.0, noise_share=0.0, jpeg_share=0.0
    )
    example = _sampler().plain(1)
    for seed in range(8):
        found = augmented(example, True, clean, np.random.default_rng(seed))
        np.testing.assert_array_equal(found.image, found.target)
        assert (found.image != example.image).any()


def test_covering_says_where() -> None:
    for seed in range(20):
        image = np.full((128, 128, 3), 7, np.uint8)
        where = cover(image, np.random.default_rng(seed))
        untouched = (image == 7).all(axis=-1)
        assert untouched[~where].mean() > 0.9
        assert not untouched[where].all() or not where.any()


def test_a_mirrored_cut_is_the_mirror_of_the_cut() -> None:
    look = RenderedLooks([aligned(NAMES, 2, 1)], NAMES).look(0)
    plain, mirrored = (cut(look, look.five, CROP, flip=flip) for flip in (False, True))
    off = np.abs(mirrored.image[:, ::-1].astype(int) - plain.image)
    assert np.mean(off > 40) < 0.02
    assert np.abs(mirrored.shown[:, ::-1] - plain.shown).mean() < 0.02


def test_a_warp_moves_a_little_and_keeps_the_picture() -> None:
    image = _sampler().plain(0).image
    bent = warped(image, np.random.default_rng(1))
    assert 0.2 < np.abs(bent.astype(int) - image).mean() < 25.0


def test_features_lie_about_eyes_and_mouth() -> None:
    five = np.array(CROP.reference, np.float32)
    plane = features_about(five, (128, 128))
    for x, y in ((47, 49), (81, 49), (64, 81)):
        assert plane[y, x] == 255
    assert plane[20, 64] == plane[110, 64] == 0
