"""The graphs that ride beside the generator in a face model file, opened and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from edge_runtime.backends import Backend, open_backend, wish_for
from edge_runtime.errors import ModelFileError
from edge_runtime.face.detect import Detector
from edge_runtime.face.finder import FaceFinder
from edge_runtime.face.landmarks import Landmarker
from edge_runtime.face_path_contract import DetectorSpec, GraphSpec, LandmarkSpec


def open_part(spec: GraphSpec, files: Mapping[str, bytes], *, backend: str | None = None, threads: int = 1) -> Backend:
    """The interpreter of an associated graph.

    ``backend`` is what the user asked for; a part of another format than the generator takes its own. Raises
    `ModelFileError` when the file is missing or not the one the manifest names, `BackendError` when nothing runs it.
    """
    graph = files.get(spec.file)
    if graph is None:
        raise ModelFileError(f"the model file lacks {spec.file}; export the model again")
    if hashlib.sha256(graph).hexdigest() != spec.sha256:
        raise ModelFileError(f"{spec.file} is not the one the manifest describes; export the model again")
    prefer = wish_for(backend, spec.graph_format)
    return open_backend(graph, spec.graph_format, spec.inputs, spec.outputs, prefer=prefer, threads=threads)


def open_finder(
    detector: DetectorSpec,
    landmarks: LandmarkSpec,
    files: Mapping[str, bytes],
    *,
    backend: str | None = None,
    threads: int = 1,
) -> tuple[FaceFinder, list[Backend]]:
    """What finds faces, and the interpreters it runs on, which are to be closed. Raises as `open_part`."""
    opened = [open_part(spec.graph, files, backend=backend, threads=threads) for spec in (detector, landmarks)]
    return FaceFinder(Detector(detector, opened[0]), Landmarker(landmarks, detector, opened[1])), opened
