"""A swap model that turns red discs blue: a rendered identity, or a person with or without consent."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from edge_runtime.contract import FORMAT_VERSION, ConsentRecord
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION, FaceDataSource
from edge_runtime.face_path_contract import MaskSpec
from edge_runtime.model_file import open_model, pack_model, write_model
from edge_runtime.swap_contract import ColourSpec, IdentitySpec, LikenessSpec, LostSpec, MouthSpec, SwapManifest
from tests.edge_runtime.face.tiny_face import CROP_PX, graph, make_face_manifest, tensor

RENDERED = IdentitySpec("blue", "a blue disc", True, None)
CONSENT = ConsentRecord("Anna", "tests", "2026-01-01", "", "0" * 64)


def person(consent: ConsentRecord | None = CONSENT) -> IdentitySpec:
    """An identity that belongs to somebody."""
    return IdentitySpec("anna", "her own photos", False, consent)


def make_swap_manifest(**changes: Any) -> SwapManifest:
    """The manifest of the tiny swap; ``changes`` replace fields, truthful or not."""
    swapper, face = graph("swapper"), make_face_manifest()
    manifest = SwapManifest(
        kind="swap",
        format_version=FORMAT_VERSION,
        front_end_version=FACE_FRONT_END_VERSION,
        name="test swap",
        created="2026-11-22T10:00:00Z",
        generator="changeling tests",
        precision="fp32",
        licence="CC0-1.0",
        identity=RENDERED,
        crop=face.crop,
        detector=face.detector,
        landmarks=face.landmarks,
        track=face.track,
        mask=MaskSpec(0.1, 0.9, 2.0),
        mouth=MouthSpec((61, 291, 13, 14), 3.0, 1.0),
        colour=ColourSpec("none", 16, 0.05, 3.0, 2.0),
        lost=LostSpec(0.5, 4),
        likeness=LikenessSpec(16, 0.5),
        painted_shape=(),
        inputs=(tensor("image", 1, CROP_PX, CROP_PX, 3),),
        outputs=(tensor("rgb", 1, CROP_PX, CROP_PX, 3), tensor("mask", 1, CROP_PX, CROP_PX, 1)),
        parameters=1,
        macs_per_frame=1.0,
        training=(FaceDataSource("arithmetic", "CC0-1.0", 1),),
        scores={},
        graph_bytes=len(swapper),
        graph_sha256=hashlib.sha256(swapper).hexdigest(),
    )
    return dataclasses.replace(manifest, **changes)


def write_swap(path: Path, manifest: SwapManifest | None = None, **files: bytes) -> Path:
    """Write a whole model file; ``files`` are more associated files by their name, a dot as two underscores."""
    named = {f"{name}.tflite": graph(name) for name in ("detector", "landmarks")}
    named |= {name.replace("__", "."): content for name, content in files.items()}
    packed = pack_model(graph("swapper"), "tflite", (manifest or make_swap_manifest()).to_json(), named)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, packed)
    return path


def load_swap(folder: Path, manifest: SwapManifest | None = None) -> SwapConverter:
    """A converter of the tiny swap."""
    return SwapConverter(open_model(write_swap(folder / "swap.tflite", manifest)))
