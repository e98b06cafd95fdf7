"""The promise of a swap model, as far as training knows it; the exporter fills in the graph."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from edge_runtime.contract import FORMAT_VERSION
from edge_runtime.face_manifest import FACE_FRONT_END_VERSION
from edge_runtime.swap_contract import SwapManifest
from train.face.manifest import tensor_specs
from train.face.parts import DETECTOR, LANDMARKS, TRACK
from train.face.swap import device
from train.face.swap.run import TrainedSwap


def draft_manifest(
    trained: TrainedSwap, folded: Any, row: int, *, created: str = "", generator: str = ""
) -> SwapManifest:
    """The manifest of ``folded``, the plain net of identity ``row``, before any conversion."""
    from train.face.model import count_macs  # brings Keras, which has greeted by now

    now = datetime.datetime.now(datetime.timezone.utc)
    return SwapManifest(
        kind="swap",
        format_version=FORMAT_VERSION,
        front_end_version=FACE_FRONT_END_VERSION,
        name=trained.config.name,
        created=created or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        generator=generator or "changeling train",
        precision="fp32",
        licence="; ".join(dict.fromkeys(source.licence for source in trained.config.sources)),
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
        inputs=tensor_specs(folded.input),
        outputs=tensor_specs(folded.output),
        parameters=int(sum(int(np.prod(weight.shape)) for weight in folded.weights)),
        macs_per_frame=float(count_macs(folded)),
        training=trained.config.sources,
        scores=dict(trained.scores),
        graph_bytes=0,
        graph_sha256="",
    )
