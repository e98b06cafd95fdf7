"""The promise of a face model, as far as training knows it; the exporter fills in the graph."""

from __future__ import annotations

from typing import Any

from edge_runtime.contract import FORMAT_VERSION, TensorSpec
from edge_runtime.face.expressions import STANDARD_EXPRESSIONS
from edge_runtime.face_contract import FaceManifest
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION
from train.drafts import created_now, licence_of, parameter_count
from train.face.parts import DETECTOR, LANDMARKS, TRACK, device_units
from train.face.run import NETWORK, TrainedFace


def draft_manifest(
    trained: TrainedFace, model: Any, tier: str = NETWORK, *, generator: str = "changeling train"
) -> FaceManifest:
    """The manifest of ``model``, the run's generator of a tier, before any conversion."""
    from train.face.model import count_macs  # brings Keras, which has greeted by now

    units = device_units()
    if tuple(unit.name for unit in units) != trained.config.units:
        raise ValueError("the run was trained with other units than this version has")
    return FaceManifest(
        kind="face",
        format_version=FORMAT_VERSION,
        front_end_version=FACE_FRONT_END_VERSION,
        name=trained.name,
        created=created_now(),
        generator=generator,
        precision="fp32",
        licence=licence_of(trained.sources),
        tier=tier,
        crop=trained.config.crop,
        detector=DETECTOR,
        landmarks=LANDMARKS,
        track=TRACK,
        mask=trained.config.mask,
        inputs=tensor_specs(model.input),
        outputs=tensor_specs(model.output),
        units=units,
        expressions=STANDARD_EXPRESSIONS,
        parameters=parameter_count(model),
        macs_per_frame=float(count_macs(model)),
        training=trained.sources,
        scores=dict(trained.scores),
        graph_bytes=0,
        graph_sha256="",
    )


def tensor_specs(tensors: Any) -> tuple[TensorSpec, ...]:
    """By name, as one face: a batch of any size is a batch of 1 on the device."""
    shapes = {name: (1, *(int(size) for size in tensor.shape[1:])) for name, tensor in sorted(tensors.items())}
    return tuple(TensorSpec(name, "float32", shape, 0.0, 0) for name, shape in shapes.items())
