"""The judge of mouths on mouths that are painted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.train.face.evaluate.judges_for_tests import upright_face
from train.face.evaluate.mouth import INNER_LIPS, OUTER_LIPS, interior

SKIN, LIPS, DARK, TEETH = (205, 160, 140), (170, 80, 85), (40, 15, 18), (235, 230, 220)


def _painted(inside: tuple[int, int, int], upper: tuple[int, int, int] | None = None) -> NDArray[np.uint8]:
    face = upright_face(mouth=(12.0, 20.0))
    image = np.full((180, 180, 3), SKIN, np.uint8)
    rims = [np.rint(face.points[list(rim), :2]).astype(np.int32) for rim in (OUTER_LIPS, INNER_LIPS)]
    cv2.fillPoly(image, [rims[0]], LIPS)
    cv2.fillPoly(image, [rims[1]], inside)
    if upper is not None:
        area = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(area, [rims[1]], 1)
        area[int(rims[1][:, 1].mean()) :] = 0
        image[area > 0] = upper
    return image


@pytest.mark.parametrize(
    ("inside", "upper", "smear", "darkness"),
    [
        (DARK, None, 0.0, 0.21),
        (DARK, TEETH, 0.0, None),
        (LIPS, None, 1.0, 1.0),  # lips drawn over the gap
        (SKIN, None, 1.0, None),  # skin drawn over it
        (DARK, SKIN, 0.5, None),
    ],
)
def test_smear_is_what_is_neither_dark_nor_teeth(
    inside: tuple[int, int, int], upper: tuple[int, int, int] | None, smear: float, darkness: float | None
) -> None:
    """The inside may be a cave with teeth in it, and nothing else."""
    found = interior(_painted(inside, upper), upright_face(mouth=(12.0, 20.0)))
    assert found is not None
    assert found.smear == pytest.approx(smear, abs=0.12)
    if darkness is not None:
        assert found.darkness == pytest.approx(darkness, abs=0.05)


def test_a_closed_mouth_has_no_inside() -> None:
    """There is nothing to look at between lips that meet."""
    assert interior(_painted(DARK), upright_face(mouth=(0.3, 8.0))) is None
