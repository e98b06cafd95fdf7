"""A face model whose faces are red discs: its specs, its numbers, and pictures it understands.

The graphs are made by ``tests/assets/make_tiny_face.py`` from the numbers here and kept beside it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import FORMAT_VERSION, TensorSpec
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.expressions import STANDARD_EXPRESSIONS
from edge_runtime.face_contract import (
    EXPRESSION,
    FEATURE,
    MESH_POINTS,
    ExpressionSpec,
    FaceManifest,
    UnitSpec,
)
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION, FaceDataSource
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
from edge_runtime.model_file import open_model, pack_model, write_model

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

ASSETS = Path(__file__).parents[2] / "assets"
DETECTOR_PX, STRIDE_PX = 64, 8
CELLS = DETECTOR_PX // STRIDE_PX
LANDMARKS_PX, CROP_PX, FLOW_CELLS = 48, 32, 16
BOX_SCALE = 1.5
UNITS = ("smile", "jaw_open", "blink_left", "blink_right", "brow_raise", "skin_tone")
SHIFT_PX = 4.0
"""What a unit at 1 moves the middle of its region, in crop pixels."""

FIVE = np.array([[-0.5, -0.4], [0.5, -0.4], [0.0, 0.1], [-0.35, 0.5], [0.35, 0.5]], np.float32)
"""The five points of a disc of radius 1."""
_GROUPS = ((33, 133), (362, 263), (1,), (61,), (291,))
_MEASURED = {
    # what `measures` reads, for a disc of radius 1: a mouth nearly closed, eyes open
    13: (0.0, 0.48),
    14: (0.0, 0.52),
    159: (-0.5, -0.44),
    145: (-0.5, -0.36),
    160: (-0.55, -0.44),
    144: (-0.55, -0.36),
    158: (-0.45, -0.44),
    153: (-0.45, -0.36),
    386: (0.5, -0.44),
    374: (0.5, -0.36),
    385: (0.45, -0.44),
    380: (0.45, -0.36),
    387: (0.55, -0.44),
    373: (0.55, -0.36),
    33: (-0.65, -0.4),
    133: (-0.35, -0.4),
    362: (0.35, -0.4),
    263: (0.65, -0.4),
    168: (0.0, -0.4),
    2: (0.0, 0.2),
    1: (0.0, 0.1),
    61: (-0.35, 0.5),
    291: (0.35, 0.5),
    63: (-0.6, -0.7),
    105: (-0.5, -0.7),
    66: (-0.4, -0.7),
    296: (0.4, -0.7),
    334: (0.5, -0.7),
    293: (0.6, -0.7),
    107: (-0.15, -0.65),
    336: (0.15, -0.65),
}


def disc_mesh() -> FloatArray:
    """(468, 3) about the disc's centre, in the landmark model's pixels: it fills the crop as `BOX_SCALE` says."""
    angle = np.linspace(0.0, 2.0 * np.pi, MESH_POINTS, endpoint=False)
    mesh = np.stack([np.cos(angle), np.sin(angle), np.zeros(MESH_POINTS)], axis=1)
    for index, point in _MEASURED.items():
        mesh[index, :2] = point
    mesh[[50, 100, 200, 300], :2] = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    return (mesh * (LANDMARKS_PX / BOX_SCALE / 2.0)).astype(np.float32)


def key_points(diameter_px: float) -> FloatArray:
    """(6, 2) as the detector gives them: eyes, nose, mouth, ears."""
    points = np.array([[-0.5, -0.4], [0.5, -0.4], [0.0, 0.1], [0.0, 0.5], [-1.0, 0.0], [1.0, 0.0]])
    return (points * diameter_px / 2.0).astype(np.float32)


def linear_basis() -> FloatArray:
    """(U, 16, 16, 2): smile pulls the mouth's region up, jaw_open down, blinks and brows their own."""
    basis = np.zeros((len(UNITS), FLOW_CELLS, FLOW_CELLS, 2), np.float32)
    basis[UNITS.index("smile"), 9:13, 4:12, 1] = SHIFT_PX
    basis[UNITS.index("jaw_open"), 11:14, 5:11, 1] = -SHIFT_PX
    basis[UNITS.index("blink_right"), 4:7, 3:7, 1] = -SHIFT_PX
    basis[UNITS.index("blink_left"), 4:7, 9:13, 1] = -SHIFT_PX
    basis[UNITS.index("brow_raise"), 2:5, 3:13, 1] = SHIFT_PX
    return basis


def mouth_mask() -> FloatArray:
    """(32, 32, 1)."""
    mask = np.zeros((CROP_PX, CROP_PX, 1), np.float32)
    mask[20:25, 12:20] = 1.0
    return mask


def graph(name: str) -> bytes:
    """The bytes of ``tiny_face_NAME.tflite``."""
    return (ASSETS / f"tiny_face_{name}.tflite").read_bytes()


def make_face_manifest(**changes: Any) -> FaceManifest:
    """The manifest of the tiny face; ``changes`` replace fields, truthful or not."""
    generator = graph("generator")
    manifest = FaceManifest(
        kind="face",
        format_version=FORMAT_VERSION,
        front_end_version=FACE_FRONT_END_VERSION,
        name="test face",
        created="2026-11-22T10:00:00Z",
        generator="changeling tests",
        precision="fp32",
        licence="CC0-1.0",
        tier="linear",
        crop=CropSpec(CROP_PX, tuple((float(x), float(y)) for x, y in FIVE * 12.0 + (CROP_PX - 1) / 2.0)),
        detector=_detector(),
        landmarks=_landmarks(),
        track=TrackSpec(5, SmoothingSpec(1.0, 0.5, 1.0), SmoothingSpec(1.0, 0.5, 1.0), 4.0, 0.2, 0.3),
        mask=EditMaskSpec(0.1, 0.5, 2.0, 3.0),
        inputs=(tensor("image", 1, CROP_PX, CROP_PX, 3), tensor("delta", 1, len(UNITS))),
        outputs=(
            tensor("flow", 1, FLOW_CELLS, FLOW_CELLS, 2),
            tensor("mask", 1, CROP_PX, CROP_PX, 1),
            tensor("rgb", 1, CROP_PX, CROP_PX, 3),
            tensor("shade", 1, FLOW_CELLS, FLOW_CELLS, 3),
        ),
        units=(
            UnitSpec("smile", EXPRESSION, -1.0, 1.0, 1.0, "corners of the mouth up", "corner_lift", 0.0, 0.1),
            UnitSpec("jaw_open", EXPRESSION, -1.0, 1.0, 1.0, "mouth open", "lip_gap", 0.04, 0.44),
            UnitSpec("blink_left", EXPRESSION, -1.0, 1.0, 1.0, "left eye shut", "eye_closed_left", -0.26, -0.05),
            UnitSpec("blink_right", EXPRESSION, -1.0, 1.0, 1.0, "right eye shut", "eye_closed_right", -0.26, -0.05),
            UnitSpec("brow_raise", EXPRESSION, -1.0, 1.0, 1.0, "brows up", "", 0.0, 0.0),
            UnitSpec("skin_tone", FEATURE, -1.0, 1.0, 1.0, "darker skin", "", 0.0, 0.0),
        ),
        expressions=(
            ExpressionSpec("happy", "a smile", "test", {"smile": 0.5}, 0.0),
            ExpressionSpec("surprised", "oh", "test", {"jaw_open": 1.0, "brow_raise": 1.0}, 0.0),
            STANDARD_EXPRESSIONS[-1],
        ),
        parameters=1_000,
        macs_per_frame=1e4,
        training=(FaceDataSource("arithmetic", "CC0-1.0", 1),),
        scores={},
        graph_bytes=len(generator),
        graph_sha256=hashlib.sha256(generator).hexdigest(),
    )
    return dataclasses.replace(manifest, **changes)


def tensor(name: str, *shape: int) -> TensorSpec:
    """A float tensor."""
    return TensorSpec(name, "float32", shape, 0.0, 0)


def _part(name: str, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> GraphSpec:
    digest = hashlib.sha256(graph(name)).hexdigest()
    return GraphSpec(f"{name}.tflite", "tflite", digest, "CC0-1.0", "arithmetic", inputs, outputs)


def _detector() -> DetectorSpec:
    size, anchors = DETECTOR_PX, CELLS * CELLS
    outputs = (tensor("boxes", 1, anchors, 16), tensor("logits", 1, anchors, 1))
    part = _part("detector", (tensor("image", 1, size, size, 3),), outputs)
    return DetectorSpec(part, size, -1.0, 1.0, "boxes", "logits", (AnchorLayer(STRIDE_PX, 1),), 0.5, 0.3, 0, 1)


def _landmarks() -> LandmarkSpec:
    size = LANDMARKS_PX
    outputs = (tensor("points", 1, 3 * MESH_POINTS), tensor("presence", 1, 1))
    part = _part("landmarks", (tensor("image", 1, size, size, 3),), outputs)
    return LandmarkSpec(part, size, 0.0, 1.0, "points", "presence", MESH_POINTS, 0.5, BOX_SCALE, _GROUPS)


def pack_face(manifest: FaceManifest | None = None, **files: bytes) -> bytes:
    """A whole model file; ``files`` replace associated files by their name without ``.tflite``."""
    parts = {name: graph(name) for name in ("detector", "landmarks")} | files
    named = {f"{name}.tflite": content for name, content in parts.items() if content}
    return pack_model(graph("generator"), "tflite", (manifest or make_face_manifest()).to_json(), named)


def write_face(path: Path, manifest: FaceManifest | None = None, **files: bytes) -> Path:
    """Write a whole model file."""
    write_model(path, pack_face(manifest, **files))
    return path


def load_face(folder: Path, manifest: FaceManifest | None = None) -> FaceConverter:
    """A converter of the tiny face."""
    return FaceConverter(open_model(write_face(folder / "face.tflite", manifest)))


def picture(*discs: tuple[float, float, float], width: int = 160, height: int = 120, seed: int | None = None) -> Image:
    """Red discs (x, y, radius) with eyes and a mouth, on a grey, finely patterned ground.

    The pattern has no red in it and differs from pixel to pixel, so that a moved pixel shows.
    """
    rng = np.random.default_rng(7 if seed is None else seed)
    grey = rng.integers(60, 200, (height, width, 1), dtype=np.uint8)
    image = np.repeat(grey, 3, axis=2)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for centre_x, centre_y, radius in discs:
        u, v = (x - centre_x) / radius, (y - centre_y) / radius
        inside = u * u + v * v <= 1.0
        shade = np.clip(235.0 + 15.0 * np.sin(9.0 * u) * np.cos(7.0 * v), 0, 255)
        image[inside] = np.stack([shade, 0.0 * shade, 0.0 * shade], axis=-1)[inside].astype(np.uint8)
    return image
