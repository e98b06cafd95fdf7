"""The points of a face: a mesh regressed from an upright square crop, and the five points that alignment uses.

Method: Kartynnik et al. (2019): the crop comes from the detector's box and eyes at first and from the mesh itself after
that, turned upright by the eyes; the regressor also says whether a face is there at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import Backend
from edge_runtime.face.detect import Detection, as_input
from edge_runtime.face.geometry import FloatArray, Similarity, square_transform
from edge_runtime.face.remap import sample
from edge_runtime.face_path_contract import DetectorSpec, LandmarkSpec

Image = NDArray[np.uint8]

RIGHT_EYE, LEFT_EYE, NOSE_TIP, RIGHT_CORNER, LEFT_CORNER = range(5)
"""Rows of the five points; left and right are the person's own."""


@dataclass(frozen=True)
class Face:
    """A face that was found, in the photo's coordinates."""

    points: FloatArray
    """(N, 3) mesh: x and y in pixels, z in about the same scale, smaller nearer to the camera."""
    five: FloatArray
    """(5, 2) right eye, left eye, nose tip, right and left mouth corner."""
    presence: float
    """How sure the landmark model is that a face is there, 0..1."""

    @property
    def box(self) -> FloatArray:
        """(4,) left, top, right, bottom of the mesh."""
        xy = self.points[:, :2]
        return np.concatenate([xy.min(axis=0), xy.max(axis=0)])

    @property
    def eye_distance_px(self) -> float:
        """Between the eyes' centres."""
        return float(np.hypot(*(self.five[LEFT_EYE] - self.five[RIGHT_EYE])))


class Landmarker:
    """Puts the mesh on a face; holds no state between images."""

    def __init__(self, spec: LandmarkSpec, detector: DetectorSpec, backend: Backend) -> None:
        self._spec = spec
        self._detector = detector
        self._backend = backend
        self._input = spec.graph.inputs[0].name

    def locate(self, image: Image, detection: Detection) -> Face | None:
        """The face that the detector saw, or None when the landmark model sees none there.

        Looks twice, the second time where the first mesh is, because a detector's box is a rough one.
        """
        eyes = detection.points[[self._detector.right_eye, self._detector.left_eye]]
        face = self._look(image, detection.box, eyes)
        return None if face is None else self.follow(image, face)

    def follow(self, image: Image, face: Face) -> Face | None:
        """The same face in the next image, looked for where it was; None when it is not there any more."""
        return self._look(image, face.box, face.five[[RIGHT_EYE, LEFT_EYE]])

    def _look(self, image: Image, box: FloatArray, eyes: FloatArray) -> Face | None:
        spec = self._spec
        direction = eyes[1] - eyes[0]
        angle = float(np.arctan2(direction[1], direction[0]))
        side = float(max(box[2] - box[0], box[3] - box[1])) * spec.box_scale
        if not np.isfinite(side) or side < 2.0:
            return None
        to_image = square_transform((box[:2] + box[2:]) / 2.0, side, angle, spec.size_px).inverse()
        crop = sample(image, to_image, (spec.size_px, spec.size_px))
        outputs = self._backend.run({self._input: as_input(crop, spec.input_minimum, spec.input_maximum)})
        presence = 1.0 / (1.0 + float(np.exp(-np.clip(outputs[spec.presence].ravel()[0], -80.0, 80.0))))
        if not presence >= spec.presence_threshold:  # also when it is not a number
            return None
        return make_face(outputs[spec.points].reshape(spec.count, 3), to_image, presence, spec)


def make_face(mesh: FloatArray, to_image: Similarity, presence: float, spec: LandmarkSpec) -> Face | None:
    """A face from the mesh (N, 3) in the crop's input pixels; None when the mesh has collapsed."""
    points = np.empty(mesh.shape, np.float32)
    points[:, :2] = to_image.apply(mesh[:, :2] - 0.5)  # the graph counts from the pixels' edges
    points[:, 2] = mesh[:, 2] * to_image.scale
    if not np.isfinite(points).all():
        return None
    five = np.stack([points[list(group), :2].mean(axis=0) for group in spec.five_points]).astype(np.float32)
    if np.hypot(*(five[LEFT_EYE] - five[RIGHT_EYE])) < 1.0:
        return None
    return Face(points, five, presence)
