"""A manifest of either kind, told apart by its own word for it."""

from __future__ import annotations

from edge_runtime.contract import VoiceManifest
from edge_runtime.face_contract import FaceManifest
from edge_runtime.strict_json import parse_object

Manifest = VoiceManifest | FaceManifest

VOICE, FACE = "voice", "face"


def parse_manifest(text: str | bytes) -> Manifest:
    """The manifest in ``text``. Raises what its kind's ``from_json`` raises; an unknown kind is a `ModelFileError`."""
    if parse_object(text).get("kind") == FACE:
        return FaceManifest.from_json(text)
    return VoiceManifest.from_json(text)
