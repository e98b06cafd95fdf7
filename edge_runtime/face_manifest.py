"""The manifest of any model of faces, as far as all of them promise the same: head, path, training, and the graph.

What each kind adds stands in `edge_runtime.face_contract` and `edge_runtime.swap_contract`. Such a file carries three
graphs: the generator is the file itself, the detector and the landmark model are associated files (`GraphSpec.file`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from edge_runtime.contract import TensorSpec, parse_kind
from edge_runtime.errors import FrontEndError, ModelFileError
from edge_runtime.face_path_contract import CropSpec, DetectorSpec, LandmarkSpec, TrackSpec
from edge_runtime.strict_json import build, canonical

FACE_FRONT_END_VERSION = 3
"""Bumped on any change of the numbers that geometry, detection, landmarks or composition give for the same input."""

ManifestT = TypeVar("ManifestT", bound="FacesManifest")


@dataclass(frozen=True)
class FaceDataSource:
    """Something the model was trained on."""

    name: str
    licence: str
    images: int


@dataclass(frozen=True)
class FacesManifest(ABC):
    """What every model file of faces promises; a subclass adds the rest and says what of it cannot be meant."""

    KIND: ClassVar[str]

    kind: str
    """Always `KIND` here."""
    format_version: int
    front_end_version: int
    """Of faces (`FACE_FRONT_END_VERSION`)."""
    name: str
    created: str
    """ISO date and time, UTC."""
    generator: str
    """Name and version of the exporter."""
    precision: str
    licence: str
    crop: CropSpec
    detector: DetectorSpec
    landmarks: LandmarkSpec
    track: TrackSpec
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    """Both as the subclass says."""
    parameters: int
    macs_per_frame: float
    training: tuple[FaceDataSource, ...]
    scores: dict[str, float]
    graph_bytes: int
    graph_sha256: str

    @abstractmethod
    def problems(self) -> list[str]:
        """What in the manifest cannot be meant, each as half a sentence."""

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, the same bytes for the same promise."""
        return canonical(dataclasses.asdict(self))

    def geometry_fingerprint(self) -> str:
        """SHA-256 of what decides how a face becomes a crop: the key of cached crops in training."""
        parts = [dataclasses.asdict(part) for part in (self.crop, self.detector, self.landmarks)]
        return hashlib.sha256(canonical([self.front_end_version, parts]).encode()).hexdigest()

    @classmethod
    def from_json(cls: type[ManifestT], text: str | bytes) -> ManifestT:
        """Parse and check a manifest.

        Raises `ModelFileError` (unknown version or kind, wrong structure, numbers that do not fit) or `FrontEndError`.
        """
        data = parse_kind(text, cls.KIND)
        if data.get("front_end_version") != FACE_FRONT_END_VERSION:
            raise FrontEndError(
                f"the model needs face front end version {data.get('front_end_version')!r} and this runtime "
                f"implements {FACE_FRONT_END_VERSION}; update changeling or export the model again"
            )
        manifest = build(cls, data, "manifest")
        for problem in manifest.problems():
            raise ModelFileError(f"the manifest contradicts itself: {problem}; export the model again")
        return manifest
