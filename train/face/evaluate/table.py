"""The scores as Markdown, for a model card, and the cells of every table."""

from __future__ import annotations

from collections.abc import Sequence

from train.evaluate.tables import interval_text, markdown_table
from train.face.evaluate.bars import bar_cells
from train.face.evaluate.features import FeatureRow
from train.face.evaluate.results import (
    ALL_UNITS,
    FILE,
    LINEAR,
    NOTHING,
    TRUE_FLOW,
    WARP,
    ClipScore,
    Evaluation,
    FootageRow,
    RenderedRow,
)
from train.face.evaluate.summarise import ANY_KIND

SYSTEM_TITLES = {
    NOTHING: "nothing done",
    LINEAR: "linear basis",
    WARP: "this file, warp alone",
    FILE: "this file",
    TRUE_FLOW: "exact flow (ceiling of warping)",
}
RENDERED_COLUMNS = (
    ("edits", "how many"),
    ("heads", "that were never trained on; intervals are over heads"),
    ("changed L1", "error of the pixels that really change, over what it is when nothing is done"),
    ("SSIM", "structural similarity over the same pixels; 1 is the truth"),
    ("flow error", "of the flow where something really moves, over what it is without any flow"),
    ("flow error, px", "the same in pixels of the crop, whose eyes are 34 apart"),
    ("still, levels", "error of the pixels that really stay, grey levels of 255"),
    ("gain", "how far landmarks go along their true way, over how far they really go; 1 is right"),
    ("leak", "how far landmarks go that should stay, over how far the others really go"),
)
FOOTAGE_COLUMNS = (
    ("pictures", "photos, or frames of videos; intervals are over pictures, and frames of a video are much alike"),
    ("asked", "largest change of a unit after what the face shows already was taken off"),
    (
        "moved, % IOD",
        "how far the right landmarks went the right way, in inter-ocular distances, of pictures asked 0.3 or more",
    ),
    ("of rendered %", "the same over what the same change moves on rendered heads"),
    ("right way %", "pictures whose landmarks went the right way at all, of the same"),
    ("≥ 60 % in %", "pictures that move by at least 60 % of what rendered heads do"),
    ("aperture %", "gap between the lids over what it was; true closed eyes measure 20 % to this judge"),
    ("opened %", "closed mouths that show an inside afterwards"),
    ("inside / lips", "luminance of an opened mouth's inside over that of its lips"),
    ("smear %", "share of that inside that is neither dark nor a tooth: lip or skin drawn over it"),
    ("identity", "distance of dlib's descriptors before and after; two people are 0.6 and more apart"),
    ("worst", "the largest of them"),
    ("outside, px", "most pixels that changed outside the region that may be touched"),
    ("beside %", "pixels of that region beside the face that changed by more than 4 levels"),
)


def markdown(evaluation: Evaluation) -> str:
    """Everything worth a model card."""
    e = evaluation
    lines = [facts(e), "", *(f"- {note}" for note in notes(e)), ""]
    lines += markdown_table(("bar", "value", "limit", "reached"), [bar_cells(bar) for bar in e.bars])
    if e.rendered is not None:
        lines += ["", "Rendered heads that were never trained on:", ""]
        lines += markdown_table(_header("", RENDERED_COLUMNS), systems_table(e))
        lines += ["", "This file, by unit (edits that are mostly its doing):", ""]
        lines += markdown_table(_header("unit", RENDERED_COLUMNS), units_table(e, FILE))
    if e.features:
        lines += ["", "Features, each asked alone in both directions of people that were never seen:", ""]
        lines += markdown_table(FEATURE_HEADER, [feature_cells(row) for row in e.features])
    if e.real is not None:
        lines += ["", "Real faces, photos and videos together:", ""]
        lines += markdown_table(_header("edit", FOOTAGE_COLUMNS), footage_table(e, ANY_KIND))
        if e.real.clips:
            lines += ["", "Videos, edited frame by frame:", ""]
            lines += markdown_table(CLIP_HEADER, [clip_cells(clip) for clip in e.real.clips])
    return "\n".join(lines) + "\n"


FEATURE_HEADER = (
    "feature",
    "faces",
    "pictures",
    "own trait, of its true way %",
    "other traits, most, % of range",
    "which",
)
CLIP_HEADER = ("video", "edit", "frames", "jitter of the source, % IOD", "edited, % IOD", "ratio")


def facts(e: Evaluation) -> str:
    """The file in a line."""
    return (
        f"Model `{e.model}`, {e.precision}, tier {e.tier}, {e.model_bytes / 1e6:.2f} MB, SHA-256 "
        f"`{e.model_sha256[:16]}…`, {e.macs_per_frame / 1e6:.0f} MMAC a face, through {e.backend}; {e.created[:10]}."
    )


def systems_table(e: Evaluation) -> list[tuple[str, ...]]:
    """A row for every system over all edits."""
    rows = e.rendered.rows if e.rendered else ()
    return [(SYSTEM_TITLES[row.system], *rendered_cells(row)) for row in rows if row.unit == ALL_UNITS]


def units_table(e: Evaluation, system: str) -> list[tuple[str, ...]]:
    """A row for every unit."""
    rows = e.rendered.rows if e.rendered else ()
    return [(row.unit, *rendered_cells(row)) for row in rows if row.unit != ALL_UNITS and row.system == system]


def footage_table(e: Evaluation, kind: str) -> list[tuple[str, ...]]:
    """A row for every edit over pictures of a kind."""
    rows = e.real.rows if e.real else ()
    return [(row.edit, *footage_cells(row)) for row in rows if row.kind == kind]


def rendered_cells(row: RenderedRow) -> tuple[str, ...]:
    """One text per column of `RENDERED_COLUMNS`."""
    return (
        str(row.edits),
        str(row.heads),
        interval_text(row.changed_l1, "{:.3f}"),
        interval_text(row.ssim, "{:.3f}"),
        interval_text(row.flow, "{:.3f}"),
        interval_text(row.flow_px, "{:.2f}"),
        interval_text(row.still_levels, "{:.2f}"),
        interval_text(row.gain, "{:.2f}"),
        interval_text(row.leak, "{:.2f}"),
    )


def footage_cells(row: FootageRow) -> tuple[str, ...]:
    """One text per column of `FOOTAGE_COLUMNS`."""
    return (
        str(row.pictures),
        interval_text(row.asked, "{:.2f}"),
        interval_text(row.moved, "{:+.1f}", 100.0),
        interval_text(row.share, "{:.0f}", 100.0),
        _percent(row.right_way),
        _percent(row.reached),
        interval_text(row.aperture, "{:.0f}", 100.0),
        _percent(row.opened),
        interval_text(row.darkness, "{:.2f}"),
        interval_text(row.smear, "{:.0f}", 100.0),
        interval_text(row.identity, "{:.2f}"),
        "–" if row.identity_worst is None else f"{row.identity_worst:.2f}",
        str(row.outside_pixels),
        interval_text(row.background, "{:.2f}", 100.0),
    )


def feature_cells(row: FeatureRow) -> tuple[str, ...]:
    """One text per column of `FEATURE_HEADER`."""
    own = interval_text(row.own, "{:.0f}", 100.0)
    return row.feature, row.kind, str(row.pictures), own, f"{100.0 * row.leak:.0f}", row.leaks_to


def clip_cells(clip: ClipScore) -> tuple[str, ...]:
    """One text per column of `CLIP_HEADER`."""
    source = f"{100.0 * clip.source_jitter:.2f}"
    if clip.jitter is None or clip.ratio is None:
        return clip.item, clip.edit, str(clip.frames), source, "face lost", "–"
    return clip.item, clip.edit, str(clip.frames), source, f"{100.0 * clip.jitter:.2f}", f"{clip.ratio:.2f}"


def notes(evaluation: Evaluation) -> list[str]:
    """What a reader of the numbers must know."""
    found = list(evaluation.remarks)
    if evaluation.rendered is None:
        found.append("No rendered data was given (--data): nothing is held against exact truth.")
    elif evaluation.rendered.lost:
        found.append(f"{evaluation.rendered.lost} pairs were left out: the device finds no face in them.")
    if evaluation.real is None:
        found.append("No footage was given: nothing is said about real faces.")
    elif not evaluation.real.reference:
        found.append("Movements are not compared with rendered heads: that needs --data with 40 held-out pairs.")
    if evaluation.skipped_files:
        found.append(f"{len(evaluation.skipped_files)} files could not be used and were left out.")
    return found


def _header(first: str, columns: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return (first, *(title for title, _ in columns))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100.0 * share:.0f}"
