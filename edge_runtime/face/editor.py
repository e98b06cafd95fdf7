"""The graph of a face model and what puts its answers into a photo: one wish for one face, wherever it was found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import open_backend, wish_for
from edge_runtime.default_model import open_model_or_default
from edge_runtime.errors import BackendError, ModelFileError
from edge_runtime.face.compose import Composer
from edge_runtime.face.generator import Edit, GraphGenerator
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.landmarks import Face
from edge_runtime.face_contract import FaceManifest
from edge_runtime.manifests import FACE
from edge_runtime.model_file import ModelFile

Image = NDArray[np.uint8]


class Editor:
    """A face model without what finds faces."""

    def __init__(self, model: ModelFile, *, backend: str | None = None, threads: int = 1) -> None:
        """Raises `BackendError` when no interpreter runs the graph, `ModelFileError` for another kind of model."""
        if not isinstance(model.manifest, FaceManifest):
            raise ModelFileError(f"{model.path} is a {model.manifest.kind} model; photos and video need a face model")
        self.manifest = manifest = model.manifest
        self._backend = open_backend(
            model.graph, model.graph_format, manifest.inputs, manifest.outputs, prefer=backend, threads=threads
        )
        self.generator = GraphGenerator(self._backend)
        self.composer = Composer(manifest.crop, manifest.mask)

    @property
    def backend_name(self) -> str:
        """What runs the graph, with its version."""
        return self._backend.name

    def edit(
        self,
        image: Image,
        face: Face,
        delta: FloatArray,
        opacity: float = 1.0,
        steady: Callable[[Edit], Edit] | None = None,
    ) -> None:
        """Change ``face`` in ``image`` (H, W, 3), in place, by what the graph makes of ``delta`` (1, U).

        ``opacity`` 0..1 fades the change; ``steady`` filters the graph's answer, for a face of a video.
        """
        if not delta.any():
            return
        to_crop = align(face.five, self.manifest.crop)
        edit = self.generator.run(self.composer.crop(image, to_crop), delta)
        self.composer.paste(image, edit if steady is None else steady(edit), to_crop, opacity)

    def close(self) -> None:
        """Free the interpreter."""
        self._backend.close()


def default_editor(backend: str | None = None, threads: int = 1) -> Editor | None:
    """That of the face model that comes with changeling; None where nothing runs it, such as ONNX Runtime alone.

    ``backend`` is what the user asked for another model. Raises `ModelFileError` when the file is damaged.
    """
    model = open_model_or_default(None, FACE)
    try:
        return Editor(model, backend=wish_for(backend, model.graph_format), threads=threads)
    except BackendError:
        return None
