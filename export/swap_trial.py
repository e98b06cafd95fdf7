"""A trained swap model on trial: held-out faces through Keras and every file, as tensors and as finished pictures.

What is converted is the plain net of one identity, folded; what it is compared with is the network as it was trained.
A file is tried whole: its own detector and landmark model must find the held-out faces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.consent import identity_text
from edge_runtime.errors import WorkstationError
from edge_runtime.face.parts import open_finder
from edge_runtime.face.swap_converter import SwapConverter
from edge_runtime.face.swapper import Swapped
from edge_runtime.model_file import open_model
from edge_runtime.swap_contract import SwapManifest
from export import bundle
from export.calibrate import Rollout
from export.parity import Reference
from export.picture_trial import SHOWN, PictureTrial, found_complaint, photo_crops
from export.report_faces import Faces, faces_section
from export.subject import FloatArray
from export.trial import Evidence, Tried
from export.worker import Job
from train.face.parts import FaceParts
from train.face.swap.manifest import draft_manifest
from train.face.swap.monitor import finish
from train.face.swap.predict import KerasSwapper
from train.face.swap.run import SwapHeldOut, TrainedSwap
from train.face.swap.shape import painted_shape

Image = NDArray[np.uint8]

_LOOK_AT = "The aligned crop, as the device composes it with the colours that the network paints."


class SwapTrial(PictureTrial[SwapManifest]):
    """See `export.trial.Trial`. The run's weights are never changed."""

    def __init__(self, run: TrainedSwap, row: int = 0, parts: FaceParts | None = None) -> None:
        super().__init__(parts)
        self._run, self._row = run, row
        self._test: SwapHeldOut = SwapHeldOut(np.zeros(0, np.uint8), np.zeros(0, np.uint8), np.zeros(0, np.int32))
        self._answers: list[Swapped] = []

    @property
    def name(self) -> str:
        """Of the run, and the identity where a base has many."""
        identity = self._run.identity_of(self._row)
        return self._run.name if self._run.identity else f"{self._run.name}-{identity.name}"

    @cached_property
    def step(self) -> Any:
        """The plain net."""
        return self._run.folded(self._row)

    @cached_property
    def draft(self) -> SwapManifest:
        """Without the graph."""
        draft = draft_manifest(self._run, self.step, self._row, generator=bundle.generator())
        draft = self._with_landmarks(draft)
        finder = open_finder(draft.detector, draft.landmarks, self._parts.files)[0]
        return dataclasses.replace(draft, painted_shape=painted_shape(self._swap, self._run.heldout(), finder))

    def evidence(self, calibration: Path | None) -> Evidence:
        """Held-out faces: every other one (or a folder's photos) calibrates, the rest are the test."""
        heldout = self._run.heldout()
        if len(heldout.images) < 2:
            raise WorkstationError("the run has too few held-out faces to prove an export on; train with more")
        test = slice(1, None, 2)
        self._test = SwapHeldOut(heldout.images[test], heldout.targets[test], heldout.identities[test])
        crops, names = heldout.images[::2], tuple(f"heldout {i}" for i in range(0, len(heldout.images), 2))
        if calibration is not None:
            crops, names = photo_crops(self._parts, self.draft.crop, calibration)
        self._answers = [self._swap(image) for image in self._images]
        outputs = {name: np.stack([getattr(a, name) for a in self._answers])[:, None] for name in ("rgb", "mask")}
        return Evidence(
            (Reference(Rollout(_feeds(self._images), outputs), {}),),
            _feeds(crops),
            names,
            tuple(f"heldout {i}" for i in range(1, len(heldout.images), 2)),
            f"{len(self._images)} held-out faces",
        )

    @cached_property
    def _keras(self) -> KerasSwapper:
        return KerasSwapper(self._run.network, self._run.vectors)

    def _swap(self, crop: Image) -> Swapped:
        """What Keras answers a crop (S, S, 3)."""
        return self._keras.run(crop, self._row)

    def _golden_inputs(self) -> dict[str, np.ndarray]:
        return {"crop": self._images[0]}

    def _what(self) -> Sequence[str]:
        what = f"{self.draft.name}, a model made with Changeling that puts one face on others."
        return what, identity_text(self.draft.identity)

    def job(self, label: str, path: Path) -> Job:
        """Swaps every test crop."""
        return Job(label, try_swaps, (str(path), self._images))

    @cached_property
    def _finished(self) -> list[Image]:
        """What Keras makes of the test crops."""
        return [finish(image, answer) for image, answer in zip(self._images, self._answers, strict=True)]

    def keras_exhibits(self) -> list[Any]:
        """Before, wanted where it is known, and by Keras."""
        rows = [Faces("before", tuple(self._images[:SHOWN]))]
        if (self._test.identities == self._row).any():
            known = zip(self._test.targets, self._test.identities, strict=True)
            wanted = [target if row == self._row else np.full_like(target, 40) for target, row in known]
            rows.append(Faces("wanted (where it is known)", tuple(wanted[:SHOWN])))
        return [*rows, Faces("Keras (float32)", tuple(self._finished[:SHOWN]))]

    def section(self, exhibits: Sequence[Any]) -> str:
        """Pictures side by side."""
        return faces_section(exhibits, [f"face {i + 1}" for i in range(min(SHOWN, len(self._images)))], _LOOK_AT)

    @property
    def effort(self) -> str:
        """See `Trial.effort`."""
        who = identity_text(self.draft.identity)
        return f"{self.draft.macs_per_frame / 1e6:.0f} million multiply-accumulates per face; {who}"


def try_swaps(path: str, crops: Image) -> Tried:
    """Swap ``crops`` (N, S, S, 3) with a packed file; runs in a child. Raises `ChangelingError`."""
    converter = SwapConverter(open_model(path))
    answers = [converter.swapper.run(crop) for crop in crops]
    finished = tuple(finish(crop, answer) for crop, answer in zip(crops, answers, strict=True))
    complaint = found_complaint(sum(bool(converter.find_faces(crop)) for crop in crops), len(crops))
    return Tried({"rgb": answers[0].rgb, "mask": answers[0].mask}, finished, complaint)


def _feeds(crops: Image) -> dict[str, FloatArray]:
    """One call for each crop: (N, 1, …) by name."""
    return {"image": crops[:, None].astype(np.float32) * np.float32(1.0 / 255.0)}
