"""The looks of a report: its style, its tables, and text that cannot break them."""

from __future__ import annotations

import html
from collections.abc import Sequence

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1280px;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}
table{border-collapse:collapse;font-size:13px;display:block;overflow-x:auto}
th,td{border:1px solid #ccc;padding:3px 7px;text-align:right;white-space:nowrap}
th{background:#f3f3f3}td:first-child,th:first-child{text-align:left}td.text,th.text{text-align:left;white-space:normal}
.yes{background:#dff2df}.no{background:#f9dcdc}small{color:#666}audio{height:28px;width:210px;vertical-align:middle}
img{max-width:100%}details{margin:.5em 0}summary{cursor:pointer;font-weight:600}
"""


def page(title: str, heading: str, parts: Sequence[str]) -> str:
    """A whole page; ``parts`` are HTML."""
    lines = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{text(heading)}</h1>",
        *parts,
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, verdicts: bool = False, words: bool = False) -> str:
    """A table of texts; ``verdicts`` colours rows by their last cell, ``words`` sets all of it to the left."""
    kind = ' class="text"' if words else ""
    lines = [f"<tr>{''.join(f'<th{kind}>{text(title)}</th>' for title in header)}</tr>"]
    for row in rows:
        mark = f' class="{row[-1]}"' if verdicts and row[-1] in ("yes", "no") else ""
        lines.append(f"<tr{mark}>{''.join(f'<td{kind}>{text(cell)}</td>' for cell in row)}</tr>")
    return f"<table>{''.join(lines)}</table>"


def numbers_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without the columns that are empty throughout, intervals small below their means."""
    full = [i for i in range(len(header)) if i == 0 or any(row[i] != "–" for row in rows)]
    lines = [f"<tr>{''.join(f'<th>{text(header[i])}</th>' for i in full)}</tr>"]
    for row in rows:
        cells = (text(row[i]) if i == 0 else _mean_above_interval(row[i]) for i in full)
        lines.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f"<table>{''.join(lines)}</table>"


def number(value: float | None) -> str:
    """Two decimals, or a dash."""
    return "–" if value is None else f"{value:.2f}"


def text(value: str) -> str:
    """Text as HTML."""
    return html.escape(value)


def _mean_above_interval(cell: str) -> str:
    mean, bracket, interval = cell.partition(" [")
    return f"{text(mean)}<br><small>[{text(interval)}</small>" if bracket else text(cell)
