"""What a swap model file promises: one identity's face, put on whatever face it is shown.

A sister of `edge_runtime.face_contract`, whose path (crop, detector, landmark model, tracking) it shares; what both
promise stands in `edge_runtime.face_manifest`. Parsed as strictly: an unknown field, a missing one, a wrong type or
numbers that do not fit together are a `ModelFileError`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from edge_runtime.contract import ConsentRecord
from edge_runtime.face_manifest import FacesManifest
from edge_runtime.face_path_contract import LandmarkSpec, MaskSpec, mask_problems, not_floats, path_problems

COLOUR_MATCHES = ("none", "mean-std", "histogram")
"""How the painted face takes the photo's colours."""
SHAPE_DISTANCES = 9
"""How many tell a face's shape and expression (`edge_runtime.face.follow.DISTANCES`)."""
ON_LOST = ("pass", "blur")
"""What happens where a face was, once it has been lost for longer than it is held."""


@dataclass(frozen=True)
class MouthSpec:
    """The photo's own mouth, which may be kept."""

    points: tuple[int, ...]
    """Landmarks around the lips; their box in the crop is the mouth."""
    margin_px: float
    """The kept ellipse reaches this far beyond the box, in crop pixels."""
    feather_px: float
    """Over this distance around the ellipse the face fades in, in crop pixels."""


@dataclass(frozen=True)
class ColourSpec:
    """Colour matching (Reinhard et al. 2001, on RGB), from statistics of small pictures under the mask."""

    default: str
    """One of `COLOUR_MATCHES`."""
    thumbnail_px: int
    """Side of the pictures that statistics are taken of; it divides the crop's."""
    minimum_share: float
    """Share of the thumbnail that must lie under the mask for colours to be matched at all."""
    gain_limit: float
    """A colour's spread is changed by at most this factor, up or down."""
    cutoff_hz: float
    """Of a first-order low-pass on the colour curves of a video's face."""


@dataclass(frozen=True)
class LostSpec:
    """How a lost face is blurred."""

    growth_per_s: float
    """The blurred box grows by this many of its own sides a second, since a face that is not seen may move."""
    cells: int
    """The box is shown as this many squares across its shorter side."""


@dataclass(frozen=True)
class LikenessSpec:
    """How faces are compared with the one that is meant (see `edge_runtime.face.likeness`)."""

    thumbnail_px: int
    """Side of the grey picture that is compared; it divides the crop's."""
    minimum: float
    """A face is the meant one from this likeness on, -1..1."""


@dataclass(frozen=True)
class IdentitySpec:
    """Whose face the model paints."""

    name: str
    description: str
    synthetic: bool
    """True for a rendered head, which belongs to no person."""
    consent: ConsentRecord | None
    """A person's permission; `None` only where ``synthetic``, or the model is refused."""


@dataclass(frozen=True)
class SwapManifest(FacesManifest):
    """The whole promise of a swap model file, with what `FacesManifest` has.

    Input: ``image`` (1, S, S, 3) 0..1. Outputs: ``rgb`` (1, S, S, 3) 0..1: the face; ``mask`` (1, S, S, 1) 0..1: where
    it shows.
    """

    KIND = "swap"

    identity: IdentitySpec
    mask: MaskSpec
    """``gate`` of the network's mask, and the feather of the box that it is multiplied with."""
    mouth: MouthSpec
    colour: ColourSpec
    lost: LostSpec
    likeness: LikenessSpec
    painted_shape: tuple[float, ...]
    """How much less the painted face shows of each distance of `edge_runtime.face.follow` than the faces that it was
    put on, on average over held-out ones: the shape of its own, which no expression is. Empty where it is not known."""

    def problems(self) -> list[str]:
        """See `FacesManifest.problems`."""
        return [
            *_graph_problems(self),
            *path_problems(self.crop, self.detector, self.landmarks, self.track),
            *mask_problems(self.mask, self.crop),
            *_mouth_problems(self.mouth, self.landmarks),
            *_picture_problems(self),
            *_identity_problems(self.identity),
        ]


def _graph_problems(manifest: SwapManifest) -> list[str]:
    size = manifest.crop.size_px
    shapes = {tensor.name: tensor.shape for tensor in (*manifest.inputs, *manifest.outputs)}
    wanted = {"image": (1, size, size, 3), "mask": (1, size, size, 1), "rgb": (1, size, size, 3)}
    found = [f"tensor {name} is not {list(shape)}" for name, shape in wanted.items() if shapes.get(name) != shape]
    if len(shapes) != len(wanted):
        found.append("the graph has other tensors than image, mask and rgb")
    return found + not_floats((*manifest.inputs, *manifest.outputs))


def _mouth_problems(mouth: MouthSpec, landmarks: LandmarkSpec) -> list[str]:
    if len(mouth.points) < 2 or not all(0 <= point < landmarks.count for point in mouth.points):
        return ["the mouth is not made of landmarks"]
    return [] if mouth.margin_px >= 0.0 and mouth.feather_px > 0.0 else ["the mouth has no sensible size"]


def _picture_problems(manifest: SwapManifest) -> list[str]:
    colour, lost, likeness, size = manifest.colour, manifest.lost, manifest.likeness, manifest.crop.size_px
    shape = manifest.painted_shape
    found = []
    if shape and (len(shape) != SHAPE_DISTANCES or not all(abs(value) <= 1.0 for value in shape)):
        found.append("a painted shape that is none")
    if colour.default not in COLOUR_MATCHES:
        found.append(f"the unknown colour match {colour.default!r:.20}")
    for side in (colour.thumbnail_px, likeness.thumbnail_px):
        if side < 4 or size % side:
            found.append(f"thumbnails of {side} pixels")
    if not 0.0 <= colour.minimum_share < 1.0 or colour.gain_limit < 1.0 or colour.cutoff_hz <= 0.0:
        found.append("colours cannot be matched so")
    if lost.growth_per_s < 0.0 or lost.cells < 1 or not -1.0 <= likeness.minimum <= 1.0:
        found.append("a lost face cannot be blurred or found so")
    return found


def _identity_problems(identity: IdentitySpec) -> list[str]:
    if not identity.name:
        return ["the identity has no name"]
    consent = identity.consent
    if consent is None:
        return []
    if identity.synthetic:
        return ["a synthetic identity with a person's consent"]
    found = [] if consent.person and consent.scope and consent.data_sha256 else ["a consent record that says nothing"]
    for day in (consent.given_on, consent.expires_on):
        if day and not _is_date(day):
            found.append(f"{day!r:.20} is no date")
    return found if consent.given_on else [*found, "a consent that was never given"]


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
