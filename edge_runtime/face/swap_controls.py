"""What a user can ask of a swap, checked against the model."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.errors import ControlError
from edge_runtime.face.controls import check_faces
from edge_runtime.swap_contract import COLOUR_MATCHES, ON_LOST, SwapManifest


@dataclass(frozen=True)
class SwapControls:
    """Checked wishes; make them with `SwapConverter.controls`."""

    faces: str | int
    """One of `edge_runtime.face.controls.WHICH`, or the face's number from the left, from 1."""
    alike: tuple[float, ...]
    """What the face that is meant looks like (`edge_runtime.face.likeness`); empty where ``faces`` says which."""
    colour_match: str
    """One of `COLOUR_MATCHES`."""
    opacity: float
    """0 the photo's own face .. 1 the other one."""
    mouth_keep: bool
    """Whether the photo's own mouth stays."""
    on_lost: str
    """One of `ON_LOST`."""
    follow: float
    """0 the expression as it is painted .. 1 with what landmarks show it lacks (`edge_runtime.face.follow`)."""


def make_swap_controls(
    manifest: SwapManifest,
    *,
    faces: str | int | None = None,
    alike: tuple[float, ...] = (),
    colour_match: str | None = None,
    opacity: float = 1.0,
    mouth_keep: bool = False,
    on_lost: str = "pass",
    follow: float = 0.0,
) -> SwapControls:
    """Check what is asked for; without ``colour_match`` it is the model's default. Raises `ControlError`."""
    if alike and faces is not None:
        raise ControlError("a face is chosen by its likeness or by its place, not by both")
    for name, share in (("opacity", opacity), ("follow", follow)):
        if not 0.0 <= share <= 1.0:  # also what is no number
            raise ControlError(f"{name} must be between 0 and 1")
    colours = _one_of("colour match", colour_match or manifest.colour.default, COLOUR_MATCHES)
    lost = _one_of("what happens to a lost face", on_lost, ON_LOST)
    which = check_faces("all" if faces is None else faces)
    return SwapControls(which, alike, colours, float(opacity), bool(mouth_keep), lost, float(follow))


def _one_of(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ControlError(f"{what} must be one of {', '.join(known)}, and not {value[:40]!r}")
    return value
