"""The promise of a swap model, as far as training knows it; the exporter fills in the graph."""

from __future__ import annotations

from typing import Any

from edge_runtime.contract import FORMAT_VERSION
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION
from edge_runtime.swap_contract import SwapManifest
from train.drafts import created_now, licence_of, parameter_count
from train.face.manifest import tensor_specs
from train.face.parts import DETECTOR, LANDMARKS, TRACK
from train.face.swap import device
from train.face.swap.run import TrainedSwap


def draft_manifest(trained: TrainedSwap, folded: Any, row: int, *, generator: str = "changeling train") -> SwapManifest:
    """The manifest of ``folded``, the plain net of identity ``row``, before any conversion.

    What `train.face.swap.shape` measures is not in it yet.
    """
    from train.face.model import count_macs  # brings Keras, which has greeted by now

    return SwapManifest(
        kind="swap",
        format_version=FORMAT_VERSION,
        front_end_version=FACE_FRONT_END_VERSION,
        name=trained.config.name,
        created=created_now(),
        generator=generator,
        precision="fp32",
        licence=licence_of(trained.config.sources),
        identity=trained.identity_of(row),
        crop=trained.config.crop,
        detector=DETECTOR,
        landmarks=LANDMARKS,
        track=TRACK,
        mask=device.MASK,
        mouth=device.MOUTH,
        colour=device.COLOUR,
        lost=device.LOST,
        likeness=device.LIKENESS,
        painted_shape=(),
        inputs=tensor_specs(folded.input),
        outputs=tensor_specs(folded.output),
        parameters=parameter_count(folded),
        macs_per_frame=float(count_macs(folded)),
        training=trained.config.sources,
        scores=dict(trained.scores),
        graph_bytes=0,
        graph_sha256="",
    )
