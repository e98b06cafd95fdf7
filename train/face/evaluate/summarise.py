"""From scores of single edits to rows of tables, and to the values of the bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from train.evaluate.intervals import Interval, mean_interval, ratio_interval
from train.face.evaluate.bars import REACHED
from train.face.evaluate.features import FeatureRow
from train.face.evaluate.inputs import PHOTO, VIDEO
from train.face.evaluate.movements import MOVEMENTS, Reference, fit_reference
from train.face.evaluate.rendered import HeadScore
from train.face.evaluate.results import (
    ALL_UNITS,
    FILE,
    LINEAR,
    SYSTEMS,
    WARP,
    EditScore,
    FootageRow,
    Real,
    Rendered,
    RenderedRow,
)
from train.face.scoring import psnr_db
from train.face.units import UNIT_NAMES

ANY_KIND = "all"
_LEAST_ASKED = 0.3
"""A face that shows an expression already is asked for little, and moves little."""
_RATIOS = ("changed_l1", "ssim", "flow", "flow_px", "still_levels", "gain", "leak")


def rendered_of(scores: Sequence[HeadScore], lost: int, against: str) -> Rendered:
    """Rows for all edits and for every unit, and what is said once."""
    groups = {ALL_UNITS: list(scores)} | {unit: [s for s in scores if s.unit == unit] for unit in UNIT_NAMES}
    rows = [_rendered_row(system, unit, chosen) for unit, chosen in groups.items() if chosen for system in SYSTEMS]
    compared = [score.against for score in scores if score.against[1]]
    mouths = [score.mouth for score in scores if score.mouth is not None]
    pooled = sum(error for error, _ in compared) / max(sum(count for _, count in compared), 1)
    return Rendered(
        pairs=len(scores),
        lost=lost,
        heads=len({score.head for score in scores}),
        rows=tuple(row for row in rows if row.changed_l1 is not None),
        zero_psnr_db=round(psnr_db(float(np.mean([score.zero_square for score in scores]))), 2),
        against_psnr_db=round(psnr_db(pooled), 2) if compared else None,
        against=against,
        true_darkness=float(np.median([mouth[0] for mouth in mouths])) if mouths else None,
        true_smear=float(np.median([mouth[1] for mouth in mouths])) if mouths else None,
    )


def reference_of(scores: Sequence[HeadScore]) -> Reference | None:
    """What units move on rendered heads."""
    told = [score for score in scores if score.moved]
    return fit_reference([s.delta for s in told], {m.name: [s.moved[m.name] for s in told] for m in MOVEMENTS})


def _rendered_row(system: str, unit: str, scores: Sequence[HeadScore]) -> RenderedRow:
    def ratio(measure: str) -> Interval | None:
        sums: dict[str, tuple[float, float]] = {}
        for score in scores:
            above, below = score.sums.get(f"{measure}/{system}", (0.0, 0.0))
            before = sums.get(score.head, (0.0, 0.0))
            sums[score.head] = (before[0] + above, before[1] + below)
        return ratio_interval(sums)

    values = {measure: ratio(measure) for measure in _RATIOS}
    return RenderedRow(system, unit, len(scores), len({score.head for score in scores}), **values)


def footage_rows(scores: Sequence[EditScore]) -> tuple[FootageRow, ...]:
    """A row for every edit over photos, over frames of videos, and over both."""
    edits = list(dict.fromkeys(score.edit for score in scores))
    rows = []
    for edit in edits:
        for kind in (ANY_KIND, PHOTO, VIDEO):
            chosen = [score for score in scores if score.edit == edit and kind in (ANY_KIND, score.kind)]
            if chosen:
                rows.append(_footage_row(edit, kind, chosen))
    return tuple(rows)


def _footage_row(edit: str, kind: str, scores: Sequence[EditScore]) -> FootageRow:
    def mean(value: Callable[[EditScore], float | None]) -> Interval | None:
        return mean_interval(_known(map(value, scores)))

    asked = [score for score in scores if score.asked >= _LEAST_ASKED]
    moved, opened = _known(s.moved_iod for s in asked), [s.opened for s in scores if s.opened is not None]
    identity = _known(s.identity for s in scores)
    return FootageRow(
        edit=edit,
        kind=kind,
        pictures=len(scores),
        asked=mean(lambda s: s.asked),
        moved=mean_interval(moved),
        share=mean(lambda s: s.share),
        right_way=float(np.mean([value > 0.0 for value in moved])) if moved else None,
        reached=_reached(scores),
        aperture=mean(lambda s: s.aperture),
        opened=float(np.mean(opened)) if opened else None,
        darkness=mean(lambda s: s.darkness),
        smear=mean(lambda s: s.smear),
        identity=mean(lambda s: s.identity),
        identity_worst=max(identity) if identity else None,
        outside_pixels=max(s.outside_pixels for s in scores),
        background=mean(lambda s: s.background_share),
    )


def _reached(scores: Sequence[EditScore]) -> float | None:
    """Share of pictures that move enough; one whose face is lost by the edit does not."""
    told = [s.found and s.share is not None and s.share >= REACHED for s in scores if s.expected_iod is not None]
    return float(np.mean(told)) if told else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def bar_values(
    rendered: Rendered | None, real: Real | None, macs_per_frame: float, features: Sequence[FeatureRow] = ()
) -> dict[str, float | None]:
    """What was measured of every bar, by the key of `train.face.evaluate.bars`."""
    values: dict[str, float | None] = {"gmac": macs_per_frame / 1e9}
    for kind in dict.fromkeys(row.kind for row in features):
        values[f"features {kind}"] = float(sum(row.moves for row in features if row.kind == kind))
    if rendered is not None:
        values |= _rendered_values(rendered)
    if real is not None:
        values |= _real_values(real)
    return values


def _rendered_values(rendered: Rendered) -> dict[str, float | None]:
    rows = {row.system: row for row in rendered.rows if row.unit == ALL_UNITS}

    def value(system: str, name: str) -> float | None:
        interval = getattr(rows.get(system), name, None)
        return None if interval is None else float(interval.mean)

    flow, linear = value(FILE, "flow"), value(LINEAR, "flow")
    still, warped = value(FILE, "still_levels"), value(WARP, "still_levels")
    return {
        "changed_l1": value(FILE, "changed_l1"),
        "flow": flow,
        "below_linear": None if flow is None or not linear else 1.0 - flow / linear,
        "still": None if still is None or not warped else still / warped,
        "zero_psnr": rendered.zero_psnr_db,
        "against_psnr": rendered.against_psnr_db,
    }


def _real_values(real: Real) -> dict[str, float | None]:
    rows = {(row.edit, row.kind): row for row in real.rows}
    everywhere = [row for row in real.rows if row.kind == ANY_KIND]

    def mean(edit: str, name: str) -> float | None:
        interval = getattr(rows.get((edit, ANY_KIND)), name, None)
        return interval.mean if isinstance(interval, Interval) else interval

    values = {f"reached {m.name}": getattr(rows.get((m.name, VIDEO)), "reached", None) for m in MOVEMENTS}
    identities = [row.identity.mean for row in everywhere if row.identity is not None]
    return values | {
        "aperture": mean("blink", "aperture"),
        "opened": mean("jaw_open", "opened"),
        "darkness": mean("jaw_open", "darkness"),
        "smear": mean("jaw_open", "smear"),
        "identity": max(identities) if identities else None,
        "outside": float(max(row.outside_pixels for row in everywhere)) if everywhere else None,
        "jitter": max(_known(clip.ratio for clip in real.clips), default=None),
    }
