"""``report.html``: tables, pictures and players on one page that needs nothing but the sounds beside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from train.evaluate.html import number, numbers_table, page, table, text
from train.voice.evaluate import sounds
from train.voice.evaluate.results import ALL_VOICES, EVERYTHING, Evaluation, FileScore, Summary
from train.voice.evaluate.table import (
    COLUMNS,
    SYSTEM_TITLES,
    bar_cells,
    converted_rows,
    remarks,
    row_name,
    summary_cells,
)


def render(evaluation: Evaluation, pictures: Mapping[str, bytes]) -> str:
    """The page. ``pictures`` are PNGs by the name of the recording they show."""
    e = evaluation
    parts = [
        *_head(e),
        "<h2>Bars</h2>",
        table(("bar", "value", "limit", "reached"), [bar_cells(bar) for bar in e.bars], verdicts=True),
        "<h2>Against the baselines</h2>",
        _rows([row for row in e.summaries if (row.voice, row.group) == (ALL_VOICES, EVERYTHING)], "system"),
        "<h2>Converted, by kind of source</h2>",
        _rows(converted_rows(e, groups=True), "group"),
        "<h2>Converted, by voice</h2>",
        _rows(converted_rows(e, groups=False), "voice"),
        *_voices(e),
        "<h2>What the numbers mean</h2>",
        table(("column", "meaning"), [(title, meaning) for title, meaning in COLUMNS], words=True),
        "<h2>Recordings</h2>",
        *(_recording(e, source.name, pictures.get(source.name)) for source in e.sources),
        *_own(e),
        *_left_out(e),
    ]
    return page(f"{e.model}: evaluation", f"{e.model}: how it converts", parts)


def _head(e: Evaluation) -> list[str]:
    facts = (
        f"{text(e.precision)}, graph of {e.model_bytes / 1e6:.2f} MB, SHA-256 <code>{e.model_sha256[:16]}…</code>, "
        f"run by {text(e.backend)}; algorithmic latency {e.latency_ms:g} ms; {len(e.sources)} recordings; "
        f"{text(e.created)}."
    )
    judged = (
        "Everything was converted by the device runtime from this file. Means have 95 % bootstrap intervals over "
        f"recordings. Judged by {text(', '.join(e.judges) or 'nobody')}."
    )
    return [f"<p>{facts}</p>", f"<p>{judged}</p>", *(f"<p><b>{text(remark)}</b></p>" for remark in remarks(e))]


def _voices(e: Evaluation) -> list[str]:
    """The whole of each voice: every system, every kind of source."""
    parts = []
    for voice in e.voices:
        mine = [row for row in e.summaries if row.voice == voice]
        rows = [(_title(row), *summary_cells(row)) for row in mine]
        table = _summary_table("", rows)
        parts.append(f"<details><summary>{text(voice)}: all rows</summary>{table}</details>")
    return parts


def _title(row: Summary) -> str:
    return SYSTEM_TITLES[row.system] + ("" if row.group == EVERYTHING else f", {row.group}")


def _recording(e: Evaluation, name: str, picture: bytes | None) -> str:
    source = next(source for source in e.sources if source.name == name)
    about = ", ".join(part for part in (source.language, source.sex, source.kind, source.speaker) if part)
    scores = [score for score in e.scores if score.recording == name and score.system in sounds.SYSTEMS[:3]]
    said = f"“{text(source.text)}”" if source.text else "<i>no transcript</i>"
    image = ""
    if picture is not None:
        image = f'<img alt="spectrograms" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
    title = f"{text(name)} <small>({text(about)}, {source.seconds:.1f} s)</small>"
    return f"<details><summary>{title}</summary><p>{said}</p>{_file_table(scores)}{image}</details>"


def _own(e: Evaluation) -> list[str]:
    """The targets' own recordings and their copies."""
    scores = [score for score in e.scores if score.system in (sounds.COPY, sounds.TARGET)]
    if not scores:
        return []
    return ["<h2>The targets' own recordings</h2>", _file_table(scores)]


def _file_table(scores: Sequence[FileScore]) -> str:
    header = ("sound", "", "to target", "to source", "edits / words", "OVRL", "SIG", "BAK", "log-F0 corr.", "heard")
    lines = [f"<tr>{''.join(f'<th>{text(title)}</th>' for title in header)}</tr>"]
    shown: set[str] = set()
    for score in scores:
        first = score.audio not in shown
        shown.add(score.audio)
        lines.append(_file_row(score, first))
    return f"<table>{''.join(lines)}</table>"


def _file_row(score: FileScore, first: bool) -> str:
    player = f'<audio controls preload="none" src="{text(quote(score.audio))}"></audio>' if first else ""
    sound = score.sound
    cells = [
        text(f"{score.system}, {score.voice}"),
        player,
        number(score.to_target),
        number(score.to_source),
        "–" if score.words is None else f"{score.words.edits} / {score.words.words}",
        *(number(value) for value in ((sound.overall, sound.speech, sound.background) if sound else (None,) * 3)),
        number(score.melody.correlation if score.melody else None),
    ]
    heard = f'<td class="text">{text(score.heard)}</td>'
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}{heard}</tr>"


def _left_out(e: Evaluation) -> list[str]:
    if not e.skipped_files:
        return []
    rows = [(file.file, file.reason) for file in e.skipped_files]
    return ["<h2>Left out</h2>", table(("file", "why"), rows, words=True)]


def _rows(rows: Sequence[Summary], label: str) -> str:
    return _summary_table(label, [(row_name(row, label), *summary_cells(row)) for row in rows])


def _summary_table(label: str, rows: Sequence[Sequence[str]]) -> str:
    return numbers_table((label, *(title for title, _ in COLUMNS)), rows)
