"""Judges that need no weights, and a face made by arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.face.landmarks import Face
from tests.edge_runtime.face.tiny_face import disc_mesh
from train.face.evaluate.mouth import INNER_LIPS, OUTER_LIPS

Image = NDArray[np.uint8]

RADIUS_PX = 60.0
EYES_PX = RADIUS_PX
"""Eyes of `upright_face` are this far apart."""
CENTRE = (90.0, 80.0)


def upright_face(mouth: tuple[float, float] = (4.0, 10.0)) -> Face:
    """A face about `CENTRE` with eyes 60 pixels apart; half heights of the lips' inner and outer rim."""
    mesh = disc_mesh()
    mesh *= RADIUS_PX / float(np.abs(mesh[:, 0]).max())
    mesh[[6, 17, 152], :2] = RADIUS_PX * np.array([[0.0, -0.2], [0.0, 0.62], [0.0, 1.0]])
    for rim, width, height in ((INNER_LIPS, 16.0, mouth[0]), (OUTER_LIPS, 21.0, mouth[1])):
        angle = np.linspace(np.pi, -np.pi, len(rim), endpoint=False)
        mesh[list(rim), 0] = width * np.cos(angle)
        mesh[list(rim), 1] = 0.5 * RADIUS_PX - height * np.sin(angle)
    mesh[:, :2] += np.array(CENTRE, np.float32)
    five = np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0), mesh[1], mesh[61], mesh[291]])[:, :2]
    return Face(mesh.astype(np.float32), five.astype(np.float32), 1.0)


class StubEyes:
    """Eyes that are as open as the picture is bright between them."""

    name = "stub eyes"

    def gap_iod(self, image: Image, face: Face) -> float:
        """The mean of the picture, 0..0.2."""
        return float(image.mean()) / 255.0 * 0.2


class StubRecogniser:
    """Knows people by their mean colour."""

    name = "stub recogniser"

    def __init__(self) -> None:
        self.asked = 0

    def chip(self, image: Image, face: Face) -> Image:
        """(S, S, 3) about the face's middle."""
        x, y = (int(value) for value in face.points[:, :2].mean(axis=0))
        return np.ascontiguousarray(image[max(y - 16, 0) : y + 16, max(x - 16, 0) : x + 16])

    def describe(self, chip: Image) -> NDArray[np.float64]:
        """(3,)"""
        self.asked += 1
        return np.asarray(chip.reshape(-1, 3).mean(axis=0) / 255.0, np.float64)
