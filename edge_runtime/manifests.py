"""A manifest of any kind, told apart by its own word for it."""

from __future__ import annotations

from edge_runtime.contract import VoiceManifest
from edge_runtime.face_contract import FaceManifest
from edge_runtime.strict_json import parse_object
from edge_runtime.swap_contract import SwapManifest

Manifest = VoiceManifest | FaceManifest | SwapManifest

VOICE, FACE, SWAP = "voice", "face", "swap"


def parse_manifest(text: str | bytes) -> Manifest:
    """The manifest in ``text``. Raises what its kind's ``from_json`` raises; an unknown kind is a `ModelFileError`."""
    kind = parse_object(text).get("kind")
    if kind == FACE:
        return FaceManifest.from_json(text)
    if kind == SWAP:
        return SwapManifest.from_json(text)
    return VoiceManifest.from_json(text)
