"""The losses see the picture the device will make, and ask for what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import ops

from edge_runtime.face.compose import Composer
from edge_runtime.face.generator import Edit
from tests.train.face.warped_faces import tiny_config
from train.face.losses import LossWeights, flow_terms, head_terms, patch_mask, total, wanted_mask
from train.face.render_out import blend, gate, shaded, upsample_flow, upsample_shade, warp
from train.face.scoring import compose
from train.face.units import UNIT_INDEX, UNIT_NAMES

pytestmark = pytest.mark.tensorflow

CONFIG = tiny_config()


def smooth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Noise without fine detail, 0..1."""
    coarse = rng.random((shape[0], 9, 9, shape[-1]), np.float32)
    return np.asarray(ops.clip(ops.image.resize(coarse, shape[1:3]), 0.0, 1.0))


def batch(rng: np.random.Generator, flow: np.ndarray) -> dict[str, Any]:
    """One edit whose target is exactly the warped source."""
    source = smooth(rng, (1, 128, 128, 3))
    target = np.asarray(warp(source, upsample_flow(flow, 128)))
    return {
        "image": source,
        "source": source,
        "target": target,
        "delta": changing("smile"),
        "flow": flow,
        "weight": np.ones((1, 64, 64), np.float32),
        "hidden": np.zeros((1, 128, 128), np.float32),
        "painted": np.ones(1, np.float32),
    }


def changing(unit: str) -> np.ndarray:
    """(1, U)"""
    delta = np.zeros((1, len(UNIT_NAMES)), np.float32)
    delta[0, UNIT_INDEX[unit]] = 1.0
    return delta


def outputs(flow: np.ndarray, mask: float = 0.0, rgb: float = 0.5) -> dict[str, np.ndarray]:
    return {
        "flow": flow,
        "mask": np.full((1, 128, 128, 1), mask, np.float32) * patch_mask(CONFIG),
        "rgb": np.full((1, 128, 128, 3), rgb, np.float32),
        "shade": np.zeros((1, 64, 64, 3), np.float32),
    }


def lift(px: float) -> np.ndarray:
    flow = np.zeros((1, 64, 64, 2), np.float32)
    flow[:, 34:50, 20:44, 1] = px
    return flow


def test_the_loss_sees_the_picture_that_the_device_makes() -> None:
    """One formula in two places: what training optimises is what comes out."""
    rng = np.random.default_rng(0)
    image = np.rint(255 * smooth(rng, (1, 128, 128, 3))).astype(np.uint8)[0]
    flow = 6.0 * (smooth(rng, (1, 64, 64, 2)) - 0.5)
    mask, rgb = smooth(rng, (1, 128, 128, 1)), smooth(rng, (1, 128, 128, 3))
    shade = 2.0 * smooth(rng, (1, 64, 64, 3)) - 1.0
    warped = warp(image[None].astype(np.float32) / 255.0, upsample_flow(flow, 128))
    moved = shaded(warped, upsample_shade(shade, 128, CONFIG.mask))
    ours = np.asarray(blend(moved, gate(mask, CONFIG.mask), rgb))[0]
    theirs = compose(Composer(CONFIG.crop, CONFIG.mask), image, Edit(flow[0], mask[0], rgb[0], shade[0])) / 255.0
    edge = int(CONFIG.mask.feather_px) + 4  # towards its border the device lets the edit fade out
    assert np.abs(ours - theirs)[edge:-edge, edge:-edge].max() < 0.02


def test_the_right_flow_costs_nothing_and_a_small_movement_counts_too() -> None:
    rng = np.random.default_rng(1)
    right = flow_terms(CONFIG, batch(rng, lift(4.0)), lift(4.0))
    assert float(right["flow"]) < 1e-6
    assert float(right["epe_px"]) < 2e-3
    large = float(flow_terms(CONFIG, batch(rng, lift(4.0)), 0.0 * lift(1.0))["flow"])
    small = float(flow_terms(CONFIG, batch(rng, lift(1.5)), 0.0 * lift(1.0))["flow"])
    assert 0.3 < small / large < 1.0


def test_flow_that_nobody_knows_is_not_asked_for() -> None:
    known = batch(np.random.default_rng(2), lift(4.0))
    known["weight"] = np.zeros((1, 64, 64), np.float32)
    assert float(flow_terms(CONFIG, known, lift(-9.0))["flow"]) == 0.0


def test_gradients_reach_the_flow_through_the_warp() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    example = batch(np.random.default_rng(3), lift(3.0))
    flow = tensorflow.Variable(lift(1.0))
    with tensorflow.GradientTape() as tape:
        warped = warp(example["source"], upsample_flow(flow, 128))
        loss = ops.mean(ops.square(warped - example["target"]))
    gradient = np.asarray(tape.gradient(loss, flow))
    assert np.abs(gradient[:, 34:50, 20:44, 1]).max() > 0.0


def test_a_picture_worse_than_the_warp_is_punished_and_a_shut_mask_is_not() -> None:
    """The prototype's leaky mask made everything a little worse than warping alone."""
    example = batch(np.random.default_rng(4), lift(3.0))
    shut = head_terms(CONFIG, LossWeights(), example, outputs(lift(3.0), mask=0.05))
    leaky = head_terms(CONFIG, LossWeights(), example, outputs(lift(3.0), mask=0.3))
    assert float(shut["harm"]) == 0.0
    assert float(leaky["harm"]) > 0.01
    assert float(leaky["mask"]) > float(shut["mask"])
    assert float(total(LossWeights(), leaky)) > float(total(LossWeights(), shut))


def test_shades_are_asked_for_where_the_warp_knows_what_it_shows() -> None:
    """And an eye or a mouth that must be invented does not bend them."""
    example = batch(np.random.default_rng(6), lift(3.0))
    example["target"] = example["target"] * 0.8
    none, darker = outputs(lift(3.0)), outputs(lift(3.0))
    darker["shade"] = darker["shade"] - 0.4
    before, after = (head_terms(CONFIG, LossWeights(), example, answer) for answer in (none, darker))
    assert float(after["shade"]) < 0.7 * float(before["shade"])
    assert float(total(LossWeights(), after)) < float(total(LossWeights(), before))
    example["hidden"][:] = 1.0
    assert float(head_terms(CONFIG, LossWeights(), example, none)["shade"]) == 0.0


def test_what_a_feature_changes_in_colour_is_not_invented() -> None:
    """A mask that opens for a darker skin shows the edge of its patch in a forehead."""
    example = batch(np.random.default_rng(7), lift(3.0))
    example["target"] = example["target"] * 0.6
    right = warp(example["source"], upsample_flow(lift(3.0), 128))
    assert np.asarray(wanted_mask(CONFIG, example, right)).max() > 0.3, "an expression that throws a shadow"
    example["delta"] = changing("skin_tone")
    assert np.asarray(wanted_mask(CONFIG, example, right)).max() == 0.0
    terms = head_terms(CONFIG, LossWeights(), example, outputs(lift(3.0), mask=0.6))
    assert float(terms["mask"]) == float(terms["picture"]) == 0.0
    assert float(terms["shade"]) > 0.0


def test_what_is_hidden_must_be_invented_and_what_a_true_warp_explains_must_not() -> None:
    example = batch(np.random.default_rng(5), lift(3.0))
    right = warp(example["source"], upsample_flow(lift(3.0), 128))
    assert np.asarray(wanted_mask(CONFIG, example, right)).max() < 0.01
    example["hidden"][:, 80:90, 50:70] = 1.0
    wanted = np.asarray(wanted_mask(CONFIG, example, right))[0, ..., 0]
    assert (wanted[80:90, 50:70] == 1.0).all()
    assert wanted[:60].max() < 0.01
    good = outputs(lift(3.0)) | {"mask": example["hidden"][..., None], "rgb": example["target"]}
    bad = outputs(lift(3.0)) | {"rgb": 1.0 - example["target"]}
    terms = [head_terms(CONFIG, LossWeights(), example, answer) for answer in (good, bad)]
    assert float(terms[0]["mask"]) < 0.1 * float(terms[1]["mask"])
    assert float(terms[0]["colour"]) < 0.01 < float(terms[1]["colour"])
