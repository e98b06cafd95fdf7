"""A trained face model on trial: held-out edits through Keras and every file, as tensors and as finished pictures.

A file is tried whole: its own detector and landmark model must find the held-out faces, and the composer of the device
makes the pictures that are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from edge_runtime.face.compose import Composer
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.generator import Edit, edit_of, parts_of
from edge_runtime.face_contract import FaceManifest
from edge_runtime.model_file import open_model
from export import bundle
from export.calibrate import Step, keras_step, roll_out
from export.parity import Reference
from export.picture_trial import SHOWN, PictureTrial, found_complaint, photo_crops
from export.report_faces import Faces, faces_section
from export.subject import FloatArray
from export.trial import Evidence, Tried
from export.worker import Job
from train.face.manifest import draft_manifest
from train.face.parts import FaceParts
from train.face.run import NETWORK, HeldOut, TrainedFace
from train.face.scoring import compose

Image = NDArray[np.uint8]

_LOOK_AT = (
    "The aligned crop, as the device composes it: its own pixels moved, and those that must be invented blended over."
)


class FaceTrial(PictureTrial[FaceManifest]):
    """See `export.trial.Trial`. The run's weights are never changed."""

    def __init__(self, run: TrainedFace, tier: str = NETWORK, parts: FaceParts | None = None) -> None:
        super().__init__(parts)
        self._run, self._tier = run, tier
        self._test: HeldOut = HeldOut(np.zeros(0, np.uint8), np.zeros(0, np.uint8), np.zeros(0, np.float32))
        self._edits: list[Edit] = []

    @property
    def name(self) -> str:
        """Of the run, and the tier where it is not the network."""
        return self._run.name if self._tier == NETWORK else f"{self._run.name}-{self._tier}"

    @cached_property
    def step(self) -> Any:
        """The generator for one face."""
        return self._run.generator_model(self._tier)

    @cached_property
    def draft(self) -> FaceManifest:
        """Without the graph."""
        draft = draft_manifest(self._run, self.step, self._tier, generator=bundle.generator())
        return self._with_landmarks(draft)

    @cached_property
    def _keras(self) -> Step:
        return keras_step(self.step)

    def evidence(self, calibration: Path | None) -> Evidence:
        """Held-out edits: every other one (or a folder's photos) calibrates, the rest are the test."""
        heldout = self._run.heldout()
        if len(heldout.deltas) < 2:
            raise WorkstationError("the run has too few held-out edits to prove an export on; collect more pairs")
        test = slice(1, None, 2)
        self._test = HeldOut(heldout.images[test], heldout.targets[test], heldout.deltas[test])
        crops, names = heldout.images[::2], tuple(f"heldout {i}" for i in range(0, len(heldout.deltas), 2))
        if calibration is not None:
            crops, names = photo_crops(self._parts, self._run.config.crop, calibration)
        rolled_out = roll_out(self._keras, _feeds(self._images, self._test.deltas))
        outputs = rolled_out.outputs
        self._edits = [edit_of({key: value[i] for key, value in outputs.items()}) for i in range(len(outputs["flow"]))]
        return Evidence(
            (Reference(rolled_out, {}),),
            _calibration_feeds(crops, heldout.deltas[::2]),
            names,
            tuple(f"heldout {i}" for i in range(1, len(heldout.deltas), 2)),
            f"{len(self._test.deltas)} held-out edits",
        )

    def _golden_inputs(self) -> dict[str, np.ndarray]:
        return {"crop": self._images[0], "delta": self._test.deltas[:1]}

    def _what(self) -> Sequence[str]:
        return (f"{self.draft.name}, a model made with Changeling that changes the expression of faces.",)

    def job(self, label: str, path: Path) -> Job:
        """Edits every test crop."""
        return Job(label, try_faces, (str(path), self._images, self._test.deltas))

    @cached_property
    def _finished(self) -> list[Image]:
        """What Keras makes of the test crops."""
        composer = Composer(self.draft.crop, self.draft.mask)
        return [compose(composer, image, edit) for image, edit in zip(self._images, self._edits, strict=True)]

    def keras_exhibits(self) -> list[Any]:
        """Before, wanted, and by Keras."""
        return [
            Faces("before", tuple(self._images[:SHOWN])),
            Faces("wanted (rendered)", tuple(self._test.targets[:SHOWN])),
            Faces("Keras (float32)", tuple(self._finished[:SHOWN])),
        ]

    def section(self, exhibits: Sequence[Any]) -> str:
        """Pictures side by side."""
        said = [_said(delta, self._run.config.units) for delta in self._test.deltas[:SHOWN]]
        return faces_section(exhibits, said, _LOOK_AT)

    @property
    def effort(self) -> str:
        """See `Trial.effort`."""
        return f"{self.draft.macs_per_frame / 1e6:.0f} million multiply-accumulates per face, tier {self._tier}"


def try_faces(path: str, crops: Image, deltas: FloatArray) -> Tried:
    """Edit ``crops`` (N, S, S, 3) by ``deltas`` (N, U) with a packed file; runs in a child.

    Raises `ChangelingError`.
    """
    converter = FaceConverter(open_model(path))
    edits = [converter.generator.run(crop, delta[None]) for crop, delta in zip(crops, deltas, strict=True)]
    finished = tuple(compose(converter.composer, crop, edit) for crop, edit in zip(crops, edits, strict=True))
    complaint = found_complaint(sum(bool(converter.find_faces(crop)) for crop in crops), len(crops))
    first = edits[0]
    return Tried(parts_of(first), finished, complaint)


def _feeds(crops: Image, deltas: FloatArray) -> dict[str, FloatArray]:
    """One call for each crop and change: (N, 1, …) by name."""
    return {
        "image": crops[:, None].astype(np.float32) * np.float32(1.0 / 255.0),
        "delta": deltas[:, None].astype(np.float32),
    }


def _calibration_feeds(crops: Image, deltas: FloatArray) -> dict[str, FloatArray]:
    """Every crop with three of the changes and with none, since ranges must hold for any wish."""
    count = len(crops)
    chosen = [deltas[(np.arange(count) * step + step) % len(deltas)] for step in (1, 2, 3)]
    return _feeds(
        np.concatenate([crops] * 4), np.concatenate([*chosen, np.zeros((count, deltas.shape[1]), np.float32)])
    )


def _said(delta: FloatArray, units: Sequence[str]) -> str:
    """An edit in words, its largest parts first."""
    order = np.argsort(-np.abs(delta))[:3]
    return ", ".join(f"{units[i]} {delta[i]:+.1f}" for i in order if abs(delta[i]) > 0.05) or "nothing"
