"""`SwapConverter`: a loaded swap model file, ready to put its identity's face on those of photos and video."""

from __future__ import annotations

import datetime

import numpy as np
from numpy.typing import NDArray

from edge_runtime.backends import open_backend
from edge_runtime.consent import require_consent
from edge_runtime.errors import ControlError, InputError, ModelFileError
from edge_runtime.face.choice import choose
from edge_runtime.face.colour_match import colour_curves
from edge_runtime.face.editor import Editor
from edge_runtime.face.finder import check_image
from edge_runtime.face.follow import Follower, read
from edge_runtime.face.geometry import align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.likeness import appearance, likeness
from edge_runtime.face.parts import open_finder
from edge_runtime.face.swap_compose import SwapComposer, finished
from edge_runtime.face.swap_controls import SwapControls, make_swap_controls
from edge_runtime.face.swap_stream import Steady, SwapStream
from edge_runtime.face.swapper import GraphSwapper
from edge_runtime.face.track import Tracker
from edge_runtime.face_contract import MESH_POINTS
from edge_runtime.golden import SelfTestResult, compare, load_golden
from edge_runtime.model_file import ModelFile
from edge_runtime.swap_contract import SwapManifest

Image = NDArray[np.uint8]


class SwapConverter:
    """A loaded swap model."""

    def __init__(
        self,
        model: ModelFile,
        editor: Editor | None = None,
        *,
        backend: str | None = None,
        threads: int = 1,
        today: datetime.date | None = None,
    ) -> None:
        """``editor`` gives painted faces the expression that they lost (`edge_runtime.face.follow`); closed with this.

        Raises `ConsentError` for a person who has not agreed, or does not any more (by ``today``, this machine's
        date by default), `BackendError` when no interpreter runs a graph, `ModelFileError` for another kind of model.
        """
        if not isinstance(model.manifest, SwapManifest):
            raise ModelFileError(f"{model.path} is a {model.manifest.kind} model; --swap needs a swap model")
        require_consent(model.manifest.identity, today)
        self.model = model
        self.manifest = manifest = model.manifest
        self._backend = open_backend(
            model.graph, model.graph_format, manifest.inputs, manifest.outputs, prefer=backend, threads=threads
        )
        self.finder, self._parts = open_finder(
            manifest.detector, manifest.landmarks, model.files, backend=backend, threads=threads
        )
        self.swapper = GraphSwapper(self._backend)
        self.composer = SwapComposer(manifest)
        self._editor = editor
        self.follower: Follower | None = None
        if editor is not None and manifest.landmarks.count == MESH_POINTS:
            self.follower = Follower(editor, manifest.painted_shape)

    @property
    def backend_name(self) -> str:
        """What runs the graph, with its version."""
        return self._backend.name

    def controls(
        self,
        *,
        faces: str | int | None = None,
        like: Image | None = None,
        colour_match: str | None = None,
        opacity: float = 1.0,
        mouth_keep: bool = False,
        on_lost: str = "pass",
        follow: float | None = None,
    ) -> SwapControls:
        """Checked controls. Raises `ControlError`, and `InputError` where ``like`` shows no face.

        ``faces`` is all (default), largest, left, right or a number from the left; ``like`` a photo (H, W, 3) whose
        largest face is the one that is meant; see `SwapControls` for the rest.
        """
        if follow and self.follower is None:
            raise ControlError("nothing here can follow expressions: the face model that comes with changeling does "
                               "not run; leave follow out")  # fmt: skip
        alike = () if like is None else self._appearance_of(like)
        return make_swap_controls(
            self.manifest,
            faces=faces,
            alike=alike,
            colour_match=colour_match,
            opacity=opacity,
            mouth_keep=mouth_keep,
            on_lost=on_lost,
            follow=float(self.follower is not None) if follow is None else follow,
        )

    def convert(
        self,
        image: Image,
        controls: SwapControls | None = None,
        *,
        faces: str | int | None = None,
        like: Image | None = None,
        colour_match: str | None = None,
        opacity: float | None = None,
        mouth_keep: bool | None = None,
        follow: float | None = None,
    ) -> Image:
        """Swap the faces of a photo (H, W, 3), uint8 RGB, upright; gives a new one of the same shape.

        Pixels outside the faces keep their exact values. Raises `InputError` for what is no such photo.
        """
        check_image(image)
        if controls is None:
            controls = self.controls(
                faces=faces,
                like=like,
                colour_match=colour_match,
                opacity=1.0 if opacity is None else opacity,
                mouth_keep=bool(mouth_keep),
                follow=follow,
            )
        elif any(value is not None for value in (faces, like, colour_match, opacity, mouth_keep, follow)):
            raise ControlError("give either controls or single values, not both")
        return self.convert_found(image, self.choose(image, self.find_faces(image), controls), controls)

    def convert_found(self, image: Image, faces: list[Face], controls: SwapControls) -> Image:
        """A new photo with ``faces``, which `find_faces` found in it, swapped."""
        out = image.copy()
        for face in faces:
            self.swap_face(out, face, controls)
        return out

    def find_faces(self, image: Image) -> list[Face]:
        """All faces of a photo (H, W, 3), from the left to the right."""
        return self.finder.find(image)

    def choose(self, image: Image, faces: list[Face], controls: SwapControls) -> list[Face]:
        """The faces that are meant, of those found from the left to the right."""
        if not controls.alike:
            return choose(faces, controls.faces)
        found = [(likeness(self._appearance(image, face), controls.alike), i) for i, face in enumerate(faces)]
        best = max(found, default=(-1.0, -1))
        return [faces[best[1]]] if best[0] >= self.manifest.likeness.minimum and faces else []

    def swap_face(
        self,
        image: Image,
        face: Face,
        controls: SwapControls,
        opacity: float = 1.0,
        steady: Steady | None = None,
    ) -> None:
        """Swap ``face`` in ``image`` (H, W, 3), in place.

        ``opacity`` 0..1 fades it beside the controls' own; ``steady`` stills what is painted of a video's face.
        """
        to_crop = align(face.five, self.manifest.crop)
        crop = self.composer.crop(image, to_crop)
        swapped = self.swapper.run(crop)
        shown = self.composer.shown(swapped.mask)
        photo = crop.astype(np.float32) * np.float32(1.0 / 255.0)
        curves = colour_curves(controls.colour_match, swapped.rgb, photo, shown, self.manifest.colour)
        rgb = swapped.rgb
        if steady is not None:
            rgb, shown, curves = steady.painted(rgb, shown, curves)
        shown = shown * np.float32(opacity * controls.opacity)
        if controls.mouth_keep:
            shown = shown * (1.0 - self.composer.mouth(face, to_crop))
        self.composer.paste(image, finished(rgb, curves), shown, to_crop)
        self._follow(image, face, controls.follow * controls.opacity * opacity, steady)

    def crop(self, image: Image, face: Face) -> Image:
        """The aligned crop (S, S, 3) of a face, as the graph and training see it."""
        return self.composer.crop(image, align(face.five, self.manifest.crop))

    def stream(self, controls: SwapControls | None = None) -> SwapStream:
        """A fresh stream for the frames of one video."""
        tracker = Tracker(self.manifest.track, self.finder.detector, self.finder.landmarker)
        return SwapStream(self, tracker, controls or self.controls(), self.manifest)

    def selftest(self) -> SelfTestResult:
        """Compare this machine with the golden vectors in the model file. Raises `ModelFileError` without any.

        They hold ``crop`` (S, S, 3) uint8 and what the graph made of it: ``rgb`` and ``mask``.
        """
        golden = load_golden(self.model, "crop")
        swapped = self.swapper.run(golden["crop"])
        return compare(self.backend_name, golden, {"rgb": swapped.rgb, "mask": swapped.mask})

    def close(self) -> None:
        """Free the interpreters."""
        for backend in (self._backend, *self._parts):
            backend.close()
        if self._editor is not None:
            self._editor.close()

    def _follow(self, image: Image, face: Face, share: float, steady: Steady | None) -> None:
        """Give the swapped ``face`` a ``share`` 0..1 of what its expression lacks, in place."""
        if self.follower is None or not share > 0.0:
            return
        found = self.finder.landmarker.follow(image, face)
        seen = read(face), None if found is None else read(found)
        change = self.follower.begin()(*seen) if steady is None else steady.change(*seen)
        self.follower.give(image, face, change, share, None if steady is None else steady.edit)

    def _appearance(self, image: Image, face: Face) -> tuple[float, ...]:
        return appearance(self.crop(image, face), self.manifest.likeness.thumbnail_px)

    def _appearance_of(self, photo: Image) -> tuple[float, ...]:
        faces = choose(self.find_faces(photo), "largest")
        if not faces:
            raise InputError("the photo of the face that is meant shows no face that can be found; give another")
        return self._appearance(photo, faces[0])
