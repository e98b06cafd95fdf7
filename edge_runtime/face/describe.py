"""A face as numbers: what ``changeling extract`` writes.

The feature vector is the mesh in the aligned crop: (N, 3) coordinates in crop sides about the crop's middle, flattened.
Alignment has taken position, size and tilt out of it; what is left is the shape of the face, its expression and how the
head is turned. Two vectors of one person with one expression are near to each other by their Euclidean distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face, unit_values
from edge_runtime.face_contract import FaceManifest


@dataclass(frozen=True)
class FaceDescription:
    """One face of one picture."""

    face: Face
    measures: dict[str, float]
    """See `edge_runtime.face.measures`."""
    units: FloatArray
    """(U,) 0..1 in the manifest's order; NaN for units that landmarks cannot tell."""
    features: FloatArray
    """(3 N,) see above."""


def describe_face(face: Face, manifest: FaceManifest, neutral: Mapping[str, float] | None = None) -> FaceDescription:
    """The numbers of a face; ``neutral`` are the person's own measures at rest, when they are known."""
    to_crop = align(face.five, manifest.crop)
    size = manifest.crop.size_px
    shape = np.empty(face.points.shape, np.float32)
    shape[:, :2] = to_crop.apply(face.points[:, :2]) - np.float32((size - 1) / 2.0)
    shape[:, 2] = face.points[:, 2] * np.float32(to_crop.scale)
    measures = measure_face(face)
    units = unit_values(measures, manifest.units, neutral)
    return FaceDescription(face, measures, units, (shape / np.float32(size)).ravel())
