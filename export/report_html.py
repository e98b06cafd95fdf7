"""``report.html``: the report as one page that needs nothing else, in the reader's light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from export.parity import HISTOGRAM_EDGES, Figure
from export.report import ExportReport, FileReport
from export.report_media import bars, histogram

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5c6670; --line: #d5dae0; --page: #fcfcfd; --bar: #3f6fb5;
  --good: #1f7a44; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #9aa4af; --line: #363c44; --page: #15181c;
  --bar: #7da7e0; --good: #6fcf97; --bad: #ff8a80; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 74rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { max-width: 52rem; } .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; } th:first-child, td:first-child, td.text { text-align: left; }
td.text { white-space: normal; } svg { max-width: 100%; } svg text { fill: var(--ink); font-size: 12px; }
svg rect { fill: var(--bar); } .bars { width: 35rem; } .histogram { width: 15rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { margin-bottom: .25rem; } audio { width: 100%; height: 2.2rem; }
img { width: 100%; height: 8.5rem; image-rendering: auto; border-radius: 3px; display: block; }
img.face { width: 8rem; height: 8rem; } table.faces th { white-space: normal; font-weight: 400; }
"""

_STREAMED = {"voice": ", streamed, with each side feeding back its own states", "face": "", "swap": ""}
_OUTPUT_NOTES = {
    "voice": "Streamed: own states fed back. Keras' states: the file got the states of the Keras model at every call, "
    "which shows a graph's own error without what piles up. Offline: against the training form of the model on the "
    "whole recording. A harmonic or noise gain is a natural log: an error of 0.1 is 0.9 dB.",
    "face": "Flow is in pixels of the 128-pixel crop, mask and rgb are shares of 1, and shades shares of the way to "
    "white or black. There are no states to feed back.",
    "swap": "Mask and rgb are shares of 1. There are no states to feed back.",
}


def render(report: ExportReport, exhibits: str) -> str:
    """The whole page; ``exhibits`` is the part to hear or look at, see `Trial.section`."""
    sections = [
        _head(report),
        _summary(report),
        _refusals(report),
        _charts(report),
        exhibits,
        _details(report),
        _histograms(report),
        _operators(report),
        _origin(report),
    ]
    title = escape(f"Export of {report.name}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(part for part in sections if part) + "\n</body></html>\n"
    )


def _head(report: ExportReport) -> str:
    passed = sum(file.passed for file in report.files)
    verdict = (
        f'<b class="good">All {passed} files passed.</b>'
        if report.passed
        else f'<b class="bad">{len(report.files) - passed} of {len(report.files)} files were refused.</b>'
    )
    return (
        f"<h1>Export of {escape(report.name)}</h1>"
        f'<p>{verdict} <span class="soft">{escape(report.created)}, {escape(report.generator)}</span></p>'
        f"<p>{report.parameters / 1e6:.2f} million parameters, {escape(report.effort)}.</p>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    top = "".join(f"<th>{cell}</th>" for cell in head)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _summary(report: ExportReport) -> str:
    names = sorted({output.name for file in report.files for output in file.signals()})
    scores = sorted({name for file in report.files for name in file.scores})
    head = ["file", "size", *(f"{escape(name)}<br>SNR (floor)" for name in names)]
    head += [*(escape(name.replace("_", " ")) for name in scores), "largest<br>error"]
    head += ["XNNPACK<br>pieces", "one call", "against<br>fp32", ""]
    note = (
        f"Signal-to-error ratio against the Keras model over {escape(report.test_amount)}{_STREAMED[report.kind]}. "
        "One call is the lower quartile on the machine that exported, one thread: compare the files with each other, "
        "it is not the time on a board."
    )
    reasons = [
        f"<p class=soft>{escape(file.label)}, floor of {escape(name)}: {escape(reason)}.</p>"
        for file in report.files
        for name, reason in file.floor_reasons.items()
    ]
    table = _table(head, (_summary_row(file, names, scores) for file in report.files))
    return f'<h2>Files</h2>{table}<p class="soft">{note}</p>{"".join(reasons)}'


def _summary_row(file: FileReport, names: Sequence[str], scores: Sequence[str]) -> list[str]:
    outputs = {output.name: output for output in file.signals()}
    cells = [escape(file.file_name), f"{file.size_bytes / 1e6:.2f} MB" if file.passed else "–"]
    for name in names:
        if name not in outputs:
            cells.append("–")
            continue
        snr, floor = outputs[name].streaming.snr_db, file.floors_db[name]
        cells.append(f'<span class="{"good" if snr >= floor else "bad"}">{snr:.1f} dB</span> ({floor:.0f})')
    cells += [f"{file.scores[name]:.1f}" if name in file.scores else "–" for name in scores]
    cells.append(f"{max(o.streaming.max_abs for o in outputs.values()):.1e}" if outputs else "–")
    cells.append("–" if file.partitions is None else str(file.partitions))
    cells.append("–" if file.call_us is None else f"{file.call_us:.0f} µs")
    cells.append("–" if file.ratio_to_fp32 is None else f"× {file.ratio_to_fp32:.2f}")
    cells.append('<b class="good">ok</b>' if file.passed else '<b class="bad">refused</b>')
    return cells


def _refusals(report: ExportReport) -> str:
    lines = [
        f"<li>{escape(file.file_name)}: {escape(failure)}</li>" for file in report.files for failure in file.failures
    ]
    return f'<h2>Why files were refused</h2><ul class="bad">{"".join(lines)}</ul>' if lines else ""


def _charts(report: ExportReport) -> str:
    made = [file for file in report.files if file.graph_bytes]
    timed = [file for file in made if file.call_us is not None]
    sizes = [(file.label, float(file.graph_bytes), f"{file.graph_bytes / 1e6:.2f} MB") for file in made]
    times = [(file.label, file.call_us or 0.0, f"{file.call_us or 0.0:.0f} µs") for file in timed]
    return (
        f"<h2>Size of the graph</h2>{bars(sizes, 'size of the graph by file')}"
        f"<h2>Time of one call on this machine</h2>{bars(times, 'time of one call by file')}"
    )


def _details(report: ExportReport) -> str:
    head = ["file", "output", "streamed", "largest", "RMS", "Keras' states", "largest", "against offline", "largest"]
    rows = [
        [
            escape(file.label),
            escape(output.name),
            *_figures(output.streaming),
            f"{output.streaming.rms:.1e}",
            *_figures(output.teacher_forced),
            *_figures(output.offline),
        ]
        for file in report.files
        for output in sorted(file.outputs, key=lambda output: (output.is_state, output.name))
    ]
    note = _OUTPUT_NOTES[report.kind]
    return (
        f"<h2>Every output</h2><details><summary>{len(rows)} rows</summary>{_table(head, rows)}</details>"
        f'<p class="soft">{note}</p>'
    )


def _figures(figure: Figure | None) -> tuple[str, str]:
    return ("–", "–") if figure is None else (f"{figure.snr_db:.1f} dB", f"{figure.max_abs:.1e}")


def _histograms(report: ExportReport) -> str:
    figures = [
        f"<figure><figcaption>{escape(file.label)}: {escape(output.name)}</figcaption>"
        f"{histogram(output.histogram, HISTOGRAM_EDGES, f'errors of {output.name} in {file.label}')}</figure>"
        for file in report.files
        for output in file.signals()
    ]
    return (
        f'<h2>Sizes of errors</h2><p class="soft">Values per decade of absolute error against Keras.</p>'
        f'<div class="grid">{"".join(figures)}</div>'
        if figures
        else ""
    )


def _operators(report: ExportReport) -> str:
    made = [file for file in report.files if file.ops]
    names = sorted({name for file in made for name in file.ops})
    rows = [[escape(name), *(str(file.ops.get(name, "")) for file in made)] for name in names]
    left = [f"{file.label}: {_left_over(file)}" for file in made if file.partitions is not None]
    lines = "".join(f"<li>{escape(line)}</li>" for line in left)
    return (
        f"<h2>Operators</h2><details><summary>{len(names)} kinds</summary>"
        f"{_table(['operator', *(escape(file.label) for file in made)], rows)}</details>"
        f"<p>What XNNPACK does not take:</p><ul>{lines}</ul>"
    )


def _left_over(file: FileReport) -> str:
    if not file.xnnpack:
        return "XNNPACK was not active"
    return ", ".join(f"{count} {name}" for name, count in file.left_over.items()) or "nothing"


def _origin(report: ExportReport) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    compat = f" for {report.compat}" if report.compat else ""
    return (
        "<h2>How this was made</h2>"
        f"<p>Calibrated on {escape(', '.join(report.calibrated_on))}; "
        f"compared on {escape(', '.join(report.tested_on))}. "
        f"Exported{escape(compat)} in {report.seconds:.0f} s on {escape(report.machine)}.</p>"
        f'<p class="soft">{escape(versions)}</p>'
    )
