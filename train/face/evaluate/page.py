"""``report.html``: bars, tables, and every pair of before and after, on one page beside its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from train.evaluate.html import numbers_table, page, table, text
from train.face.evaluate.bars import bar_cells
from train.face.evaluate.inputs import PHOTO, VIDEO
from train.face.evaluate.results import FILE, LINEAR, TRUE_FLOW, EditScore, Evaluation
from train.face.evaluate.summarise import ANY_KIND
from train.face.evaluate.table import (
    CLIP_HEADER,
    FEATURE_HEADER,
    FOOTAGE_COLUMNS,
    RENDERED_COLUMNS,
    SYSTEM_TITLES,
    clip_cells,
    facts,
    feature_cells,
    footage_table,
    notes,
    systems_table,
    units_table,
)

_STYLE = "<style>figure{display:inline-block;margin:4px;vertical-align:top}figcaption{font-size:12px}</style>"


def render(evaluation: Evaluation, sheets: Sequence[str], strips: str, videos: Sequence[str]) -> str:
    """The page. ``sheets``, ``strips`` (or empty) and ``videos`` are files beside it."""
    e = evaluation
    parts = [
        _STYLE,
        f"<p>{text(facts(e).replace('`', ''))} Everything was changed by the device runtime from this file.</p>",
        *(f"<p><b>{text(note)}</b></p>" for note in notes(e)),
        "<h2>Bars</h2>",
        table(("bar", "value", "limit", "reached"), [bar_cells(bar) for bar in e.bars], verdicts=True),
        *_rendered(e, strips),
        *_features(e),
        *_real(e, sheets, videos),
        *_left_out(e),
    ]
    return page(f"{e.model}: evaluation", f"{e.model}: how it changes faces", parts)


def _features(e: Evaluation) -> list[str]:
    if not e.features:
        return []
    return [
        "<h2>Features</h2>",
        "<p>Each is asked alone, in both directions, of people that were never seen. What it truly does is measured on "
        "rendered pairs of held-out people; traits that it truly moves too are not counted as others.</p>",
        numbers_table(FEATURE_HEADER, [feature_cells(row) for row in e.features]),
    ]


def _rendered(e: Evaluation, strips: str) -> list[str]:
    if e.rendered is None:
        return []
    header = tuple(title for title, _ in RENDERED_COLUMNS)
    parts = [
        f"<h2>Rendered heads, {e.rendered.heads} that were never trained on</h2>",
        f"<p>{e.rendered.pairs} edits with exact truth; means have 95 % bootstrap intervals over heads.</p>",
        numbers_table(("", *header), systems_table(e)),
        _meanings(RENDERED_COLUMNS),
        "<h3>By unit</h3>",
        numbers_table(("unit", *header), units_table(e, FILE)),
    ]
    for system in (LINEAR, TRUE_FLOW):
        rows = units_table(e, system)
        if rows:
            title = f"<summary>{text(SYSTEM_TITLES[system])}, by unit</summary>"
            parts.append(f"<details>{title}{numbers_table(('unit', *header), rows)}</details>")
    if e.rendered.true_smear is not None and e.rendered.true_darkness is not None:
        parts.append(
            f"<p>To the judge of mouths the true pictures of opened mouths have an inside of "
            f"{e.rendered.true_darkness:.2f} of the lips and {100.0 * e.rendered.true_smear:.0f} % smear (medians).</p>"
        )
    if strips:
        said = "each unit's middle edit: before, truth, result, warp alone, three times the error"
        parts.append(_figure(strips, said))
    return parts


def _real(e: Evaluation, sheets: Sequence[str], videos: Sequence[str]) -> list[str]:
    if e.real is None:
        return []
    header = ("edit", *(title for title, _ in FOOTAGE_COLUMNS))
    parts = ["<h2>Real faces</h2>"]
    if e.real.reference:
        parts.append(f"<p>What a change should move: {text(e.real.reference)}.</p>")
    for kind, title in ((ANY_KIND, "All"), (PHOTO, "Photos"), (VIDEO, "Frames of videos")):
        if rows := footage_table(e, kind):
            parts += [f"<h3>{title}</h3>", numbers_table(header, rows)]
    parts.append(_meanings(FOOTAGE_COLUMNS))
    if e.real.clips:
        parts += ["<h3>Videos, edited frame by frame</h3>", table(CLIP_HEADER, [clip_cells(c) for c in e.real.clips])]
        said = "<p>Jitter: mean second difference of the mesh over time after the head's own motion is taken off.</p>"
        parts.append(said)
    for name in videos:
        parts.append(f'<video controls loop preload="none" width="1080" src="{text(quote(name))}"></video>')
    parts.append("<h2>Sheets</h2>")
    parts += [_figure(name, name) for name in sheets]
    return parts + _pairs(e.real.scores)


def _pairs(scores: Sequence[EditScore]) -> list[str]:
    """Every pair that was kept, one picture after the other."""
    parts = ["<h2>Before and after</h2>"]
    shown = [score for score in scores if score.picture]
    for place in dict.fromkeys((score.item, score.frame) for score in shown):
        mine = [score for score in shown if (score.item, score.frame) == place]
        frame = f", frame {place[1]}" if mine[0].kind == VIDEO else ""
        parts.append(f"<h3>{text(place[0])}{frame}</h3>")
        parts += [_figure(score.picture, _caption(score)) for score in mine]
    return parts


def _caption(score: EditScore) -> str:
    said = [f"{score.edit}"]
    if score.moved_iod is not None:
        said.append(f"moved {100.0 * score.moved_iod:+.1f} % of the eyes' distance")
    if score.share is not None:
        said.append(f"{100.0 * score.share:.0f} % of rendered")
    if score.aperture is not None:
        said.append(f"gap {100.0 * score.aperture:.0f} %")
    if score.identity is not None:
        said.append(f"identity {score.identity:.2f}")
    return ", ".join(said)


def _figure(file: str, caption: str) -> str:
    image = f'<img loading="lazy" alt="{text(caption)}" src="{text(quote(file))}">'
    return f"<figure>{image}<figcaption>{text(caption)}</figcaption></figure>"


def _meanings(columns: Sequence[tuple[str, str]]) -> str:
    rows = table(("column", "meaning"), columns, words=True)
    return f"<details><summary>What the numbers mean</summary>{rows}</details>"


def _left_out(e: Evaluation) -> list[str]:
    if not e.skipped_files:
        return []
    rows = [(file.file, file.reason) for file in e.skipped_files]
    return ["<h2>Left out</h2>", table(("file", "why"), rows, words=True)]
