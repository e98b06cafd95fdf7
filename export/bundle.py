"""Puts together what travels inside a model file: manifest, voice table, golden vectors, notices."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, TypeVar

import numpy as np

from edge_runtime.contract import FORMAT_VERSION, StatePair, TensorSpec, VoiceManifest
from edge_runtime.face_contract import FaceManifest
from edge_runtime.manifests import Manifest
from edge_runtime.model_file import pack_model
from edge_runtime.swap_contract import SwapManifest
from edge_runtime.voice.synthesis import algorithmic_latency_ms
from export.inspect_graph import GraphFacts
from export.recipes import STATE_SUFFIX, Recipe
from export.subject import FloatArray, Subject
from train.drafts import created_now, licence_of, parameter_count

ManifestT = TypeVar("ManifestT", VoiceManifest, FaceManifest, SwapManifest)

DISTRIBUTION = "changeling"
GOLDEN_SECONDS = 0.8
FEATURES = ("mel", "aux")
FEATURE_TOLERANCE = 1e-3
_TOLERANCES = {"fp32": 1e-3, "fp16": 5e-3, "dynamic_int8": 5e-2, "int8": 5e-2}
"""How far outputs may be from the golden ones on another machine, as a share of the largest golden value.

Other kernels round differently: a float file by 1e-6, an int8 file by steps of its scales (about 1/128) that add up
from block to block. The bounds leave room for a few such steps and are far below what a wrong kernel makes.
"""

_RESIDUAL_SLACK = 4.0
"""The residual is the output with the least signal to its rounding: tflite-runtime 2.14 differs from ai-edge-litert 2.3
by 0.13 of its range in an int8 file and by 0.02 of theirs in the other outputs."""


def macs_per_call(step: Any) -> int:
    """Multiply-accumulates of one call: the dense and depthwise layers, which are all that count."""
    from keras import layers

    total = 0
    for layer in step.layers:
        if isinstance(layer, layers.Dense):
            rows = int(np.prod(layer.output.shape[:-1]))
            total += rows * int(np.prod(layer.kernel.shape))
        elif isinstance(layer, layers.DepthwiseConv1D):
            total += int(layer.output.shape[1]) * int(np.prod(layer.kernel.shape))
    return total


def generator() -> str:
    """Name and version of the exporter."""
    try:
        return f"{DISTRIBUTION} export {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return f"{DISTRIBUTION} export (checkout)"


def draft_manifest(run: Subject, step: Any) -> VoiceManifest:
    """The manifest as far as it is known before any conversion; `finish_manifest` fills in the graph."""
    inputs = tuple(_spec(name, tensor) for name, tensor in sorted(step.input.items()))
    outputs = tuple(_spec(name, tensor) for name, tensor in sorted(step.output.items()))
    names = {spec.name for spec in inputs}
    states = tuple(
        StatePair(spec.name.removesuffix(STATE_SUFFIX), spec.name)
        for spec in outputs
        if spec.name.removesuffix(STATE_SUFFIX) in names
    )
    chunk_seconds = run.timing.chunk_hops * run.front_end.hop_length / run.front_end.sample_rate_hz
    return VoiceManifest(
        kind="voice",
        format_version=FORMAT_VERSION,
        name=run.name,
        created=created_now(),
        generator=generator(),
        precision="",
        licence=licence_of(run.sources),
        front_end=run.front_end,
        front_end_fingerprint=run.front_end.fingerprint(),
        synthesis=run.synthesis,
        timing=run.timing,
        inputs=inputs,
        outputs=outputs,
        states=states,
        voices=run.voices,
        default_voice=run.default_voice,
        controls=run.controls,
        latency_ms=algorithmic_latency_ms(run.front_end, run.synthesis, run.timing),
        parameters=parameter_count(step),
        macs_per_second=macs_per_call(step) / chunk_seconds,
        training=run.sources,
        scores={},
        graph_bytes=0,
        graph_sha256="",
    )


def _spec(name: str, tensor: Any) -> TensorSpec:
    return TensorSpec(name, "float32", tuple(int(size) for size in tensor.shape), 0.0, 0)


def finish_manifest(
    draft: ManifestT, recipe: Recipe, facts: GraphFacts, graph: bytes, scores: Mapping[str, float]
) -> ManifestT:
    """The manifest of one converted graph; its ``scores`` stand beside those the draft has."""
    return dataclasses.replace(
        draft,
        precision=recipe.precision,
        inputs=facts.inputs,
        outputs=facts.outputs,
        scores={**draft.scores, **scores},
        graph_bytes=len(graph),
        graph_sha256=hashlib.sha256(graph).hexdigest(),
    )


def associated_files(run: Subject, manifest: VoiceManifest, golden: bytes | None) -> dict[str, bytes]:
    """Everything beside the manifest, by name in the file."""
    files = {
        "voices.npy": _npy(np.asarray(run.film, np.float32)),
        "NOTICE": _notice(manifest).encode(),
        "LICENCE": f"{manifest.name}: {manifest.licence}\n".encode(),
    }
    if golden is not None:
        files["golden.npz"] = golden
    return files


def pack(manifest: Manifest, recipe: Recipe, graph: bytes, files: Mapping[str, bytes]) -> bytes:
    """The bytes of a finished model file."""
    return pack_model(graph, recipe.graph_format, manifest.to_json(), files)


_CONVERTED_SHARE = 0.03
"""The phase of the excitation is the integral of the pitch, so the last bit of F0 (1e-6, where NumPy 1 and 2 differ)
moves pulses by hundredths of a sample over a golden recording: measured 1.2 % of the peak, all gains equal to 1e-5."""


def golden_vectors(samples: FloatArray, stages: Mapping[str, FloatArray], precision: str) -> bytes:
    """An .npz of what a good device makes of ``samples`` (n,), read by `edge_runtime.golden`.

    ``stages`` is what `VoiceConverter.run_stages` gave for this very file; ``tolerance`` in the .npz is the largest
    allowed absolute difference of each array in ``names``.
    """
    tolerance = [_tolerance(name, values, precision) for name, values in stages.items()]
    return pack_golden({"samples": samples}, stages, tolerance)


def golden_share(precision: str) -> float:
    """How far an output of a file may be from the golden one, as a share of the largest golden value."""
    return _TOLERANCES[precision]


def pack_golden(
    inputs: Mapping[str, np.ndarray], stages: Mapping[str, np.ndarray], tolerance: Sequence[float]
) -> bytes:
    """The .npz of `edge_runtime.golden`: inputs, stages, and the largest right difference of each stage."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        names=np.array(list(stages)),
        tolerance=np.array(tolerance, np.float32),
        **inputs,  # type: ignore[arg-type]
        **stages,  # type: ignore[arg-type]
    )
    return buffer.getvalue()


def _tolerance(stage: str, values: FloatArray, precision: str) -> float:
    if stage in FEATURES:
        return FEATURE_TOLERANCE
    share = _TOLERANCES[precision]
    if stage == "residual":
        share *= _RESIDUAL_SLACK
    elif stage == "converted":
        share = max(share, _CONVERTED_SHARE)
    return share * float(np.max(np.abs(values)))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _notice(manifest: VoiceManifest) -> str:
    lines = [
        f"{manifest.name}, a voice conversion model made with Changeling.",
        "What it makes is synthetic speech: say so where it is heard.",
        "",
        "Trained on:",
        *_source_lines(manifest),
        "",
        "Voices:",
    ]
    for voice in manifest.voices:
        belongs = "belongs to nobody" if voice.synthetic else _consent_line(voice)
        lines.append(f"- {voice.name}: {belongs}")
    return "\n".join(lines) + "\n"


def _source_lines(manifest: VoiceManifest) -> Sequence[str]:
    return [f"- {source.name}, {source.minutes:.1f} minutes, {source.licence}" for source in manifest.training]


def _consent_line(voice: Any) -> str:
    if voice.consent is None:
        return "a person's voice; no consent is on record"
    until = f" until {voice.consent.expires_on}" if voice.consent.expires_on else ""
    return f"{voice.consent.person} agreed on {voice.consent.given_on}{until} to: {voice.consent.scope}"
