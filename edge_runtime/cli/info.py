"""``changeling info [FILE]``: what a model file is, can do and was trained on. Needs no interpreter."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments
from edge_runtime.cli.style_list import style_lines
from edge_runtime.consent import consent_text, identity_text
from edge_runtime.swap_contract import COLOUR_MATCHES

if TYPE_CHECKING:
    from edge_runtime.contract import VoiceInfo, VoiceManifest
    from edge_runtime.face_contract import FaceManifest
    from edge_runtime.face_manifest import FacesManifest
    from edge_runtime.manifests import Manifest
    from edge_runtime.model_file import ModelFile
    from edge_runtime.swap_contract import SwapManifest


def run(argv: list[str]) -> int:
    """Print the manifest. Raises `ModelFileError` when the file is not whole."""
    from edge_runtime.default_model import open_model_or_default

    parser = arguments.Parser("changeling info", "Show what a model file is, can do and was trained on.")
    parser.add_argument(
        "model",
        nargs="?",
        metavar="FILE",
        help=f"the model (or set {arguments.MODEL_VARIABLE}); by default the voices that come with changeling",
    )
    arguments.add_kind(parser)
    parser.add_argument("--json", action="store_true", help="the whole manifest, for programs")
    options = parser.parse_args(argv)
    model = open_model_or_default(arguments.model_path(options.model), options.kind)
    print(_as_json(model) if options.json else "\n".join(_lines(model)))
    return 0


def _as_json(model: ModelFile) -> str:
    file = {"path": str(model.path), "graph_format": model.graph_format, "files": sorted(model.files)}
    return json.dumps({"file": file, "manifest": dataclasses.asdict(model.manifest)}, indent=2, ensure_ascii=False)


def _lines(model: ModelFile) -> list[str]:
    from edge_runtime.contract import VoiceManifest
    from edge_runtime.swap_contract import SwapManifest

    manifest = model.manifest
    if isinstance(manifest, VoiceManifest):
        return _voice_lines(model, manifest)
    return _swap_lines(model, manifest) if isinstance(manifest, SwapManifest) else _face_lines(model, manifest)


def _head(model: ModelFile) -> list[tuple[str, str]]:
    manifest = model.manifest
    return [
        ("model", f"{manifest.name} ({manifest.kind}, {manifest.precision}, .{model.graph_format})"),
        ("file", f"{model.path}, whole and unaltered; graph of {manifest.graph_bytes / 1e6:.2f} MB"),
        ("made", f"{manifest.created} by {manifest.generator}"),
        ("licence", manifest.licence),
    ]


def _scores(manifest: Manifest) -> tuple[str, str]:
    return "scores", ", ".join(f"{name} {value:.4g}" for name, value in sorted(manifest.scores.items())) or "none"


def _voice_lines(model: ModelFile, manifest: VoiceManifest) -> list[str]:
    timing, spec = manifest.timing, manifest.front_end
    chunk_ms = 1000.0 * timing.chunk_hops * spec.hop_length / spec.sample_rate_hz
    rows = [
        *_head(model),
        ("size", f"{manifest.parameters / 1e6:.2f} M parameters, {manifest.macs_per_second / 1e9:.3f} GMAC a second"),
        ("sound", f"{spec.sample_rate_hz} Hz in chunks of {chunk_ms:g} ms, latency {manifest.latency_ms:g} ms"),
        _scores(manifest),
    ]
    lines = [f"{label:<9}{text}" for label, text in rows]
    lines += ["", f"voices   (default {manifest.default_voice})", *(f"  {_voice(voice)}" for voice in manifest.voices)]
    lines += ["", "controls", *_controls(manifest), "", *style_lines(manifest), "", "trained on"]
    lines += [f"  {source.name}: {source.minutes:.1f} minutes, {source.licence}" for source in manifest.training]
    return lines


def _face_lines(model: ModelFile, manifest: FaceManifest) -> list[str]:
    from edge_runtime.face_contract import EXPRESSION, FEATURE

    side = manifest.crop.size_px
    rows = [
        *_head(model),
        ("size", _size(manifest)),
        ("face", f"{side} x {side} pixels about every face ({manifest.tier}); the photo keeps its own resolution"),
        _scores(manifest),
    ]
    lines = [f"{label:<9}{text}" for label, text in rows]
    width = max((len(unit.name) for unit in manifest.units), default=0)
    for title, kind in (("units", EXPRESSION), ("features", FEATURE)):
        units = [unit for unit in manifest.units if unit.kind == kind]
        lines += ["", f"{title:<9}(--NAME VALUE)"] if units else []
        lines += [f"  {u.name:<{width}}  {u.minimum:g} .. {u.maximum:g}: {u.description}" for u in units]
    lines += ["", "expressions (--expression NAME:0..1)"]
    lines += [f"  {expression.name}: {expression.description}" for expression in manifest.expressions]
    return lines + _origins(manifest)


def _swap_lines(model: ModelFile, manifest: SwapManifest) -> list[str]:
    side = manifest.crop.size_px
    rows = [
        *_head(model),
        ("identity", identity_text(manifest.identity)),
        ("size", _size(manifest)),
        ("face", f"{side} x {side} pixels about every face; --swap FILE puts this one on"),
        ("colours", f"{', '.join(COLOUR_MATCHES)} (--colour-match; default {manifest.colour.default})"),
        _scores(manifest),
    ]
    return [f"{label:<9}{text}" for label, text in rows] + _origins(manifest)


def _size(manifest: FacesManifest) -> str:
    return f"{manifest.parameters / 1e6:.2f} M parameters, {manifest.macs_per_frame / 1e9:.3f} GMAC a face"


def _origins(manifest: FacesManifest) -> list[str]:
    parts = (manifest.detector.graph, manifest.landmarks.graph)
    lines = ["", "parts", *(f"  {part.file}: {part.source}, {part.licence}" for part in parts), "", "trained on"]
    return lines + [f"  {source.name}: {source.images} images, {source.licence}" for source in manifest.training]


def _voice(voice: VoiceInfo) -> str:
    text = f"{voice.name}: {voice.description}; {voice.f0_mean_hz:.0f} Hz"
    if voice.synthetic:
        return f"{text}; belongs to no person"
    if voice.consent is None:
        return f"{text}; a person, and the file holds no consent record"
    return f"{text}; {consent_text(voice.consent)}"


def _controls(manifest: VoiceManifest) -> list[str]:
    width = max((len(control.name) for control in manifest.controls), default=0)
    return [
        f"  {control.name:<{width}}  {control.minimum:g} .. {control.maximum:g} {control.unit}".rstrip()
        + f" (default {control.default:g}): {control.description}"
        for control in manifest.controls
    ]
