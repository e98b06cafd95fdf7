"""The specs that training aligns by and the exporter writes are ones that the device accepts."""

from __future__ import annotations

import dataclasses

from edge_runtime.face.expressions import STANDARD_EXPRESSIONS
from edge_runtime.face_contract import FaceManifest
from tests.edge_runtime.face.tiny_face import make_face_manifest, tensor
from train.face.parts import CROP, DETECTOR, LANDMARKS, MASK, NOTICE, TRACK, device_units
from train.face.units import UNIT_NAMES


def test_a_manifest_of_these_specs_is_accepted() -> None:
    """Shapes, anchors, points, ranges and names fit together."""
    size, units = CROP.size_px, device_units()
    manifest = dataclasses.replace(
        make_face_manifest(),
        crop=CROP,
        detector=DETECTOR,
        landmarks=LANDMARKS,
        track=TRACK,
        mask=MASK,
        units=units,
        expressions=STANDARD_EXPRESSIONS,
        inputs=(tensor("image", 1, size, size, 3), tensor("delta", 1, len(units))),
        outputs=(
            tensor("flow", 1, 64, 64, 2),
            tensor("mask", 1, size, size, 1),
            tensor("rgb", 1, size, size, 3),
            tensor("shade", 1, size // 2, size // 2, 3),
        ),
    )
    assert FaceManifest.from_json(manifest.to_json()) == manifest


def test_every_trained_unit_is_described_in_order() -> None:
    units = device_units()
    assert tuple(unit.name for unit in units) == UNIT_NAMES
    assert all(unit.description and unit.minimum <= 0.0 < unit.maximum for unit in units)


def test_the_notice_names_licence_and_source() -> None:
    """Apache-2.0 asks for it wherever the graphs go."""
    assert "Apache License" in NOTICE
    assert DETECTOR.graph.file in NOTICE
    assert LANDMARKS.graph.file in NOTICE
