"""Which of several faces is meant: in a photo by its place or size, in a video the same one as long as it is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge_runtime.face.landmarks import Face
from edge_runtime.face.track import TrackedFace

First = Callable[[Sequence[TrackedFace]], TrackedFace | None]
"""Which of the faces of a frame is chosen while none is; they are one at least."""


def choose(faces: list[Face], which: str | int) -> list[Face]:
    """The faces that are meant, of those found from the left to the right."""
    if which == "all" or not faces:
        return faces
    if which == "largest":
        return [max(faces, key=lambda face: face.eye_distance_px)]
    if which == "left":
        return faces[:1]
    if which == "right":
        return faces[-1:]
    return faces[int(which) - 1 : int(which)]


def first_choice(faces: Sequence[TrackedFace], which: str | int) -> TrackedFace | None:
    """The face of a frame that a word or a number from the left means."""
    if which == "largest":
        return max(faces, key=lambda tracked: tracked.face.eye_distance_px)
    ordered = sorted(faces, key=lambda tracked: float(tracked.face.five[:, 0].mean()))
    number = {"left": 1, "right": len(ordered)}.get(str(which)) or int(which)
    return ordered[number - 1] if number <= len(ordered) else None


class Chooser:
    """A face that was chosen stays chosen while it is there, wherever it moves."""

    def __init__(self) -> None:
        self._number: int | None = None

    def meant(self, faces: list[TrackedFace], first: First) -> list[TrackedFace]:
        """The chosen one of the faces of the next frame, if there is one."""
        if faces and not any(tracked.number == self._number for tracked in faces):
            chosen = first(faces)
            self._number = None if chosen is None else chosen.number
        return [tracked for tracked in faces if tracked.number == self._number]
