"""The contact sheet: what a person looks at must show what the data hold."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.train.face.face_pairs import SIZE_PX, make_pair
from train.face.contact_sheet import contact_sheet, flow_colours, moved


def test_moved_takes_pixels_from_where_the_flow_says() -> None:
    """The convention that everything here shares: out[y, x] = image[y + flow_y, x + flow_x]."""
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    flow = np.zeros((20, 30, 2), np.float32)
    flow[..., 0], flow[..., 1] = 3.0, -2.0
    out = moved(image, flow)
    assert np.array_equal(out[5:, :20], image[3:18, 3:23])


def test_no_motion_is_white_and_directions_differ() -> None:
    """Or a still face would look busy."""
    flow = np.zeros((2, 2, 2), np.float32)
    flow[0, 1], flow[1, 0] = (10.0, 0.0), (0.0, 10.0)
    colours = flow_colours(flow)
    assert (colours[0, 0] == 255).all()
    assert not np.array_equal(colours[0, 1], colours[1, 0])
    assert colours[0, 1].min() < 50


def test_sheet_holds_all_pairs_and_shows_what_is_hidden() -> None:
    """An odd number leaves a blank; a pair of identities has no flow to show."""
    pairs = [make_pair(seed) for seed in range(2)]
    pairs.append(dataclasses.replace(make_pair(7), flow_a=None, flow_b=None))
    sheet = contact_sheet(pairs, columns=2)
    assert sheet.shape == (2 * SIZE_PX, 10 * SIZE_PX + 6, 3)
    assert np.array_equal(sheet[:SIZE_PX, :SIZE_PX], pairs[0].image_a)
    assert np.array_equal(sheet[:SIZE_PX, SIZE_PX : 2 * SIZE_PX], pairs[0].image_b)
    flow = pairs[0].flow_b
    assert flow is not None
    assert np.array_equal(sheet[:SIZE_PX, 4 * SIZE_PX : 5 * SIZE_PX, 0] == 255, flow.hidden == 1.0)
    assert (sheet[SIZE_PX:, 2 * SIZE_PX : 5 * SIZE_PX] == 40).all()
