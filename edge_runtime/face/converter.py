"""`FaceConverter`: a loaded face model file, ready to change expressions in photos and, frame by frame, in video."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ControlError
from edge_runtime.face.choice import choose
from edge_runtime.face.controls import FaceControls, make_face_controls, wanted_delta
from edge_runtime.face.editor import Editor
from edge_runtime.face.finder import check_image
from edge_runtime.face.generator import Edit, parts_of
from edge_runtime.face.geometry import align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.measures import measure_face
from edge_runtime.face.parts import open_finder
from edge_runtime.face.stream import FaceStream
from edge_runtime.face.track import Tracker
from edge_runtime.golden import SelfTestResult, compare, load_golden
from edge_runtime.model_file import ModelFile

Image = NDArray[np.uint8]


class FaceConverter:
    """A loaded face model."""

    def __init__(self, model: ModelFile, *, backend: str | None = None, threads: int = 1) -> None:
        """Raises `BackendError` when no interpreter runs a graph, `ModelFileError` for another kind of model."""
        self.model = model
        self.editor = Editor(model, backend=backend, threads=threads)
        self.manifest = manifest = self.editor.manifest
        self.finder, self._parts = open_finder(
            manifest.detector, manifest.landmarks, model.files, backend=backend, threads=threads
        )
        self.generator, self.composer = self.editor.generator, self.editor.composer

    @property
    def backend_name(self) -> str:
        """What runs the generator, with its version."""
        return self.editor.backend_name

    def controls(
        self, *, expression: str | None = None, faces: str | int = "all", capped: bool = True, **units: float
    ) -> FaceControls:
        """Checked controls; what is not given stays as it is. Raises `ControlError`.

        ``controls(smile=0.8, blink=1)``, ``controls(expression="happy:0.6", faces="largest")``; see
        `edge_runtime.face.controls`.
        """
        return make_face_controls(self.manifest, expression=expression, faces=faces, capped=capped, **units)

    def convert(
        self,
        image: Image,
        controls: FaceControls | None = None,
        *,
        expression: str | None = None,
        faces: str | int = "all",
        capped: bool = True,
        **units: float,
    ) -> Image:
        """Change the faces of a photo (H, W, 3), uint8 RGB, upright; gives a new one of the same shape.

        Pixels that nothing moves keep their exact values; where nothing is asked for, or no face is found, that is all
        of them. Raises `InputError` for what is no such photo, `ControlError` for what the model does not have.
        """
        check_image(image)
        if controls is None:
            controls = self.controls(expression=expression, faces=faces, capped=capped, **units)
        elif expression is not None or faces != "all" or not capped or units:
            raise ControlError("give either controls or single values, not both")
        if controls.neutral:
            return image.copy()
        return self.convert_found(image, choose(self.find_faces(image), controls.faces), controls)

    def convert_found(self, image: Image, faces: list[Face], controls: FaceControls) -> Image:
        """A new photo with ``faces``, which `find_faces` found in it, changed."""
        out = image.copy()
        for face in faces:
            self.edit_face(out, face, measure_face(face), controls)
        return out

    def find_faces(self, image: Image) -> list[Face]:
        """All faces of a photo (H, W, 3), from the left to the right; small ones and turned ones too."""
        return self.finder.find(image)

    def edit_face(
        self,
        image: Image,
        face: Face,
        measures: Mapping[str, float],
        controls: FaceControls,
        opacity: float = 1.0,
        steady: Callable[[Edit], Edit] | None = None,
    ) -> None:
        """Change ``face``, which shows ``measures``, in ``image`` (H, W, 3), in place.

        ``opacity`` 0..1 fades the change; ``steady`` filters the graph's answer, for a face of a video.
        """
        self.editor.edit(image, face, wanted_delta(controls, measures, self.manifest), opacity, steady)

    def crop(self, image: Image, face: Face) -> Image:
        """The aligned crop (S, S, 3) of a face, as the generator and training see it."""
        return self.composer.crop(image, align(face.five, self.manifest.crop))

    def stream(self, controls: FaceControls | None = None) -> FaceStream:
        """A fresh stream for the frames of one video."""
        tracker = Tracker(self.manifest.track, self.finder.detector, self.finder.landmarker)
        return FaceStream(self, tracker, controls or self.controls())

    def selftest(self) -> SelfTestResult:
        """Compare this machine with the golden vectors in the model file. Raises `ModelFileError` without any.

        They hold ``crop`` (S, S, 3) uint8 and ``delta`` (1, U), and what the graph made of them: ``flow``, ``mask`` and
        ``rgb``.
        """
        golden = load_golden(self.model, "crop", "delta")
        edit = self.generator.run(golden["crop"], golden["delta"].astype(np.float32))
        return compare(self.backend_name, golden, parts_of(edit))

    def close(self) -> None:
        """Free the interpreters."""
        self.editor.close()
        for backend in self._parts:
            backend.close()
