"""What an evaluation of faces found out, as data: ``scores.json`` is an `Evaluation` and nothing else."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from train.evaluate.intervals import Interval
from train.evaluate.results import Bar, SkippedFile
from train.face.evaluate.features import FeatureRow

ALL_UNITS = "all"
NOTHING, LINEAR, WARP, FILE, TRUE_FLOW = "nothing", "linear", "warp", "file", "true flow"
SYSTEMS = (NOTHING, LINEAR, WARP, FILE, TRUE_FLOW)
"""From the bottom to the top: doing nothing, the linear basis, the file's warp alone, the file, and the exact flow."""


@dataclass(frozen=True)
class RenderedRow:
    """One system over the rendered heads that were never trained on; intervals are 95 % bootstrap over heads.

    Every value is a ratio of sums over all edits. None is what the system does not have.
    """

    system: str
    unit: str
    """A unit: of the edits that are mostly its doing; or "all"."""
    edits: int
    heads: int
    changed_l1: Interval | None
    """Error of the pixels that really change, over what it is when nothing is done."""
    ssim: Interval | None
    """Structural similarity over the same pixels."""
    flow: Interval | None
    """Error of the flow where something really moves, over what it is without any."""
    flow_px: Interval | None
    """The same error in pixels of the crop."""
    still_levels: Interval | None
    """Error of the pixels that really stay, grey levels of 255."""
    gain: Interval | None
    """How far landmarks go along their true way, over how far they really go; 1 is right."""
    leak: Interval | None
    """How far landmarks go that should stay, over how far the others really go."""


@dataclass(frozen=True)
class Rendered:
    """Everything about rendered heads."""

    pairs: int
    lost: int
    """Pairs whose face the file's own detector and landmarks do not find; they are not judged."""
    heads: int
    rows: tuple[RenderedRow, ...]
    zero_psnr_db: float
    """Of what comes out when nothing is asked for."""
    against_psnr_db: float | None
    """Finished pictures of this file against those of the other one (--against), over what either changes."""
    against: str
    """What the other file is, or empty."""
    true_darkness: float | None
    """Median over rendered opened mouths of `mouth.Interior.darkness`: what the truth looks like to that judge."""
    true_smear: float | None


@dataclass(frozen=True)
class EditScore:
    """One edit of one picture. None is what cannot be said of it."""

    item: str
    """Name of the photo or video."""
    kind: str
    """photo or video."""
    frame: int
    """Number of the frame; 0 of a photo."""
    edit: str
    asked: float
    """Largest change of a unit that was asked for after what the face shows already was taken off."""
    found: bool
    """Whether the landmark model still sees a face afterwards."""
    moved_iod: float | None
    """How far its landmarks went the right way, in inter-ocular distances."""
    expected_iod: float | None
    """What the same change moves on rendered heads; None where it is too little to tell, or nothing to compare with."""
    aperture: float | None
    """Gap between the lids over what it was before."""
    opened: bool | None
    """Whether a closed mouth that was asked to open shows an inside; None for all other edits."""
    darkness: float | None
    smear: float | None
    identity: float | None
    """Distance of dlib's descriptors before and after."""
    outside_pixels: int
    """Pixels that changed outside the region that may be touched."""
    background_share: float
    """Share of the pixels in that region beside the face that changed by more than a few levels."""
    picture: str
    """Path of before and after, side by side, inside the output folder; empty where none was kept."""

    @property
    def share(self) -> float | None:
        """Movement over what is expected."""
        if self.moved_iod is None or self.expected_iod is None:
            return None
        return self.moved_iod / self.expected_iod


@dataclass(frozen=True)
class ClipScore:
    """One edit of consecutive frames of a video."""

    item: str
    edit: str
    frames: int
    source_jitter: float
    """See `movements.jitter_iod`."""
    jitter: float | None
    """None where the landmark model loses the edited face."""

    @property
    def ratio(self) -> float | None:
        """Of the edited video to its source."""
        return None if self.jitter is None else self.jitter / max(self.source_jitter, 1e-9)


@dataclass(frozen=True)
class FootageRow:
    """One edit over all pictures of a kind; intervals are bootstrap over pictures."""

    edit: str
    kind: str
    """photo, video or all."""
    pictures: int
    asked: Interval | None
    moved: Interval | None
    """IOD, over pictures that were asked for a change of 0.3 at least."""
    share: Interval | None
    """Of what the same change moves on rendered heads."""
    right_way: float | None
    """Share of the same pictures."""
    reached: float | None
    """Share of pictures that move by at least 60 % of what rendered heads do."""
    aperture: Interval | None
    opened: float | None
    """Share of the closed mouths that opened."""
    darkness: Interval | None
    smear: Interval | None
    identity: Interval | None
    identity_worst: float | None
    outside_pixels: int
    background: Interval | None


@dataclass(frozen=True)
class FootageFacts:
    """One photo or video as it came."""

    name: str
    kind: str
    width_px: int
    height_px: int
    pictures: int
    """That were judged: 1, or frames."""
    eye_distance_px: float


@dataclass(frozen=True)
class Real:
    """Everything about real footage."""

    items: tuple[FootageFacts, ...]
    scores: tuple[EditScore, ...]
    clips: tuple[ClipScore, ...]
    rows: tuple[FootageRow, ...]
    reference: str
    """Where expected movements come from, in words."""


@dataclass(frozen=True)
class Evaluation:
    """One face model file."""

    model: str
    model_sha256: str
    precision: str
    tier: str
    model_bytes: int
    macs_per_frame: float
    backend: str
    created: str
    judges: tuple[str, ...]
    rendered: Rendered | None
    real: Real | None
    features: tuple[FeatureRow, ...]
    """Empty where the file has none, or no rendered pairs of features were given."""
    skipped_files: tuple[SkippedFile, ...]
    remarks: tuple[str, ...]
    bars: tuple[Bar, ...]

    def to_json(self) -> str:
        """Everything, indented, ending in a newline."""
        data = dataclasses.asdict(self)
        data["bars"] = [dataclasses.asdict(bar) | {"met": bar.met} for bar in self.bars]
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
