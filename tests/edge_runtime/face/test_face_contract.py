"""The manifest of a face model: strict, and refused in one line where it cannot be meant."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.contract import FORMAT_VERSION
from edge_runtime.errors import FrontEndError, ModelFileError
from edge_runtime.face_contract import FaceManifest
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION
from edge_runtime.manifests import parse_manifest
from edge_runtime.model_file import open_model
from tests.edge_runtime.face.tiny_face import graph, make_face_manifest, write_face

MANIFEST = make_face_manifest()


def _changed(*path: str | int, value: Any) -> str:
    """The manifest's JSON with one value replaced."""
    data = json.loads(MANIFEST.to_json())
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(data)


def test_round_trip() -> None:
    assert FaceManifest.from_json(MANIFEST.to_json()) == MANIFEST
    assert parse_manifest(MANIFEST.to_json()) == MANIFEST


def test_a_model_file_carries_all_three_graphs(tmp_path: Path) -> None:
    model = open_model(write_face(tmp_path / "m.tflite"))
    assert model.manifest == MANIFEST
    assert model.graph == graph("generator")
    assert model.files["detector.tflite"] == graph("detector")
    assert model.files["landmarks.tflite"] == graph("landmarks")


def test_every_missing_and_every_added_field_is_refused() -> None:
    data = json.loads(MANIFEST.to_json())
    for name in data:
        with pytest.raises(ModelFileError):
            FaceManifest.from_json(json.dumps({key: value for key, value in data.items() if key != name}))
    with pytest.raises(ModelFileError, match="unknown surprise"):
        FaceManifest.from_json(json.dumps({**data, "surprise": 1}))


@pytest.mark.parametrize(
    ("path", "value", "error", "text"),
    [
        (("kind",), "voice", ModelFileError, "kind 'voice'"),
        (("format_version",), FORMAT_VERSION + 1, ModelFileError, "format version"),
        (("front_end_version",), FACE_FRONT_END_VERSION + 1, FrontEndError, "face front end version"),
        (("crop", "size_px"), "128", ModelFileError, "not of type int"),
        (("crop", "size_px"), 64, ModelFileError, "tensor image is not"),
        (("crop", "reference"), [[1.0, 2.0]], ModelFileError, "not five points"),
        (("crop", "reference", 1), list(MANIFEST.crop.reference[0]), ModelFileError, "both eyes"),
        (("detector", "layers", 0, "stride_px"), 4, ModelFileError, "do not fit its anchors"),
        (("detector", "layers", 0, "per_cell"), -1, ModelFileError, "without anchors"),
        (("detector", "left_eye"), 6, ModelFileError, "no such eyes"),
        (("detector", "score_threshold"), 0.0, ModelFileError, "thresholds"),
        (("detector", "size_px"), 10_000_000, ModelFileError, "detector's input"),
        (("landmarks", "count"), 400, ModelFileError, "number of its points"),
        (("landmarks", "five_points", 2), [468], ModelFileError, "five points"),
        (("landmarks", "five_points", 2), [], ModelFileError, "five points"),
        (("landmarks", "graph", "graph_format"), "pickle", ModelFileError, "unknown format"),
        (("mask", "gate_high"), 0.1, ModelFileError, "gate"),
        (("mask", "feather_px"), 0.0, ModelFileError, "feather"),
        (("track", "detect_every_frames"), 0, ModelFileError, "tracking"),
        (("track", "five", "minimum_cutoff_hz"), 0.0, ModelFileError, "tracking"),
        (("track", "edit_cutoff_hz"), 0.0, ModelFileError, "tracking"),
        (("track", "measures", "derivative_cutoff_hz"), 0.0, ModelFileError, "tracking"),
        (("units", 0, "minimum"), 1.0, ModelFileError, "no range"),
        (("units", 0, "gain"), 0.0, ModelFileError, "gain"),
        (("units", 0, "kind"), "mood", ModelFileError, "unknown kind"),
        (("outputs", 3, "shape"), [1, 16, 16, 1], ModelFileError, "shade"),
        (("mask", "shade_feather_px"), 16.0, ModelFileError, "feather"),
        (("units", 0, "name"), "jaw_open", ModelFileError, "there twice"),
        (("units", 0, "measure"), "beauty", ModelFileError, "unknown measure"),
        (("units", 0, "measure_full"), 0.0, ModelFileError, "has no range"),
        (("expressions", 0, "values"), {"grin": 1.0}, ModelFileError, "unknown units"),
        (("outputs", 0, "shape"), [1, 16, 8, 2], ModelFileError, "flow"),
        (("inputs", 0, "dtype"), "int8", ModelFileError, "float32"),
    ],
)
def test_what_cannot_be_meant_is_refused(path: tuple[str | int, ...], value: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        FaceManifest.from_json(_changed(*path, value=value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b'{"kind": "face"}'])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(ModelFileError):
        parse_manifest(text)


def test_geometry_fingerprint_changes_with_what_makes_crops_and_with_nothing_else() -> None:
    """Training keeps crops under it."""
    same = dataclasses.replace(MANIFEST, name="other", units=MANIFEST.units[:1])
    moved = dataclasses.replace(MANIFEST, crop=dataclasses.replace(MANIFEST.crop, size_px=33))
    assert same.geometry_fingerprint() == MANIFEST.geometry_fingerprint()
    assert moved.geometry_fingerprint() != MANIFEST.geometry_fingerprint()
