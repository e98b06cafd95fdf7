"""The scores as Markdown, for a model card and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from train.evaluate import tables
from train.evaluate.results import Bar
from train.evaluate.tables import interval_text, markdown_table
from train.voice.evaluate import sounds
from train.voice.evaluate.results import ALL_VOICES, EVERYTHING, Evaluation, Summary

SYSTEM_TITLES = {
    sounds.UNCONVERTED: "unconverted",
    sounds.WORLD: "WORLD, pitch and formants",
    sounds.CONVERTED: "converted",
    sounds.COPY: "target's own recordings, converted (ceiling)",
    sounds.TARGET: "target's own recordings (top)",
}
COLUMNS = (
    ("recordings", "how many"),
    (
        "to target",
        "cosine of Resemblyzer embeddings to the centroid of the target's held-out recordings; 1 is the same",
    ),
    (
        "to source",
        "the same to the speaker's own recordings judged here, this one among them: how much of the speaker is left",
    ),
    ("WER %", "words the recogniser gets wrong, against the transcript, all edits over all words"),
    ("WER added", "the same minus that of the unconverted source (copy: of the target), percentage points"),
    ("words changed %", "words heard differently than in the source, for recordings without a transcript"),
    ("OVRL", "DNSMOS P.835 overall, 1 to 5; finds artefacts and noise, cannot rank good voices"),
    ("SIG", "DNSMOS, the speech itself"),
    ("BAK", "DNSMOS, the background"),
    ("log-F0 corr.", "Pearson's correlation of log F0 with the source's: is the melody kept"),
    ("voicing err. %", "frames that are voiced in the source or in the output, but not in both"),
    ("silence dBFS", "loudest output where the input is digital silence"),
)


def markdown(evaluation: Evaluation) -> str:
    """Everything worth a model card."""
    e = evaluation
    lines = [
        f"Model `{e.model}`, {e.precision}, {e.model_bytes / 1e6:.2f} MB graph, SHA-256 `{e.model_sha256[:16]}…`, "
        f"through {e.backend}; {len(e.sources)} recordings, {e.created[:10]}.",
        "",
        *_notes(e),
        "",
        *markdown_table(("bar", "value", "limit", "reached"), [bar_cells(bar) for bar in e.bars]),
        "",
        "All voices together, against the baselines:",
        "",
        *rows_table([row for row in e.summaries if (row.voice, row.group) == (ALL_VOICES, EVERYTHING)], "system"),
        "",
        "Converted, by kind of source, all voices together:",
        "",
        *rows_table(converted_rows(e, groups=True), "group"),
        "",
        "Converted, by voice:",
        "",
        *rows_table(converted_rows(e, groups=False), "voice"),
    ]
    return "\n".join(lines) + "\n"


def converted_rows(evaluation: Evaluation, *, groups: bool) -> list[Summary]:
    """The converted rows of every kind of source (all voices), or of every voice (all sources)."""
    rows = [row for row in evaluation.summaries if row.system == sounds.CONVERTED]
    return [row for row in rows if (row.voice == ALL_VOICES if groups else row.group == EVERYTHING)]


def rows_table(rows: Sequence[Summary], label: str) -> list[str]:
    """Markdown lines; ``label`` is the field that names a row."""
    header = (label, *(title for title, _ in COLUMNS))
    return markdown_table(header, [(row_name(row, label), *summary_cells(row)) for row in rows])


def row_name(row: Summary, label: str) -> str:
    """What a row is called in a table whose rows differ in ``label``."""
    return SYSTEM_TITLES[row.system] if label == "system" else str(getattr(row, label))


def summary_cells(row: Summary) -> list[str]:
    """One text per column of `COLUMNS`."""
    return [
        str(row.recordings),
        interval_text(row.to_target, "{:.2f}"),
        interval_text(row.to_source, "{:.2f}"),
        interval_text(row.word_errors, "{:.1f}", 100.0),
        interval_text(row.word_errors_added, "{:+.1f}", 100.0),
        interval_text(row.words_changed, "{:.1f}", 100.0),
        interval_text(row.overall, "{:.2f}"),
        interval_text(row.speech, "{:.2f}"),
        interval_text(row.background, "{:.2f}"),
        interval_text(row.melody, "{:.3f}"),
        interval_text(row.voicing_error, "{:.1f}", 100.0),
        "–" if row.silence_dbfs is None else f"{row.silence_dbfs:.0f}",
    ]


def bar_cells(bar: Bar) -> tuple[str, str, str, str]:
    """Name, value, limit, and yes, no or not measured."""
    if bar.name.startswith("word errors"):
        return tables.bar_cells(bar, lambda share: f"{100.0 * share:.1f} points")
    return tables.bar_cells(bar)


def _notes(e: Evaluation) -> list[str]:
    notes = ["Means with 95 % bootstrap intervals over recordings; judged by " + ", ".join(e.judges) + "."]
    notes += remarks(e)
    return notes


def remarks(e: Evaluation) -> list[str]:
    """What a reader of the numbers must know: what was left out."""
    notes = []
    if e.skipped_measures:
        notes.append(f"Left out with --skip: {', '.join(e.skipped_measures)}.")
    if lacking := sorted(set(e.voices) - set(e.targets)):
        notes.append(f"No recordings of the target were given (--target) for: {', '.join(lacking)}.")
    if untold := sum(not source.text for source in e.sources):
        notes.append(
            f"{untold} of {len(e.sources)} recordings have no transcript; their words are compared with what the same "
            "recogniser heard in the source."
        )
    if e.skipped_files:
        notes.append(f"{len(e.skipped_files)} files could not be used and were left out.")
    return notes
