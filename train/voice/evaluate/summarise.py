"""From scores of sounds to means of groups, and to the bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from train.evaluate.intervals import Interval, mean_interval
from train.evaluate.results import Bar
from train.voice.evaluate import sounds
from train.voice.evaluate.measures import WordCount, added_interval, pooled_interval
from train.voice.evaluate.results import ALL_VOICES, EVERYTHING, FileScore, SourceFacts, Summary

_BASE = {sounds.CONVERTED: sounds.UNCONVERTED, sounds.WORLD: sounds.UNCONVERTED, sounds.COPY: sounds.TARGET}
"""Whose word errors are taken off."""
_CONVERTED_ALL = (sounds.CONVERTED, ALL_VOICES, EVERYTHING)


def summarise(scores: Sequence[FileScore], sources: Sequence[SourceFacts], voices: Sequence[str]) -> list[Summary]:
    """A row for every system, voice (and all together) and kind of source that has scores."""
    groups = {source.name: source.groups for source in sources}
    names = sorted({group for source in sources for group in source.groups}, key=_group_order)
    rows: list[Summary] = []
    for system in sounds.SYSTEMS:
        of_system = [score for score in scores if score.system == system]
        base = [score for score in scores if score.system == _BASE.get(system)]
        # Copies and targets are recordings of the voices themselves, which belong to no kind of source.
        kinds = names if system not in (sounds.COPY, sounds.TARGET) else [EVERYTHING]
        for voice in (ALL_VOICES, *voices):
            for group in kinds:
                chosen = [s for s in of_system if _belongs(s, voice, group, groups)]
                if chosen:
                    rows.append(
                        _row(system, voice, group, chosen, [s for s in base if _belongs(s, voice, group, groups)])
                    )
    return rows


def _group_order(group: str) -> tuple[int, str]:
    """All, then kinds of recording, women and men, languages."""
    first = (EVERYTHING, "kind", "women", "men", "language")
    return first.index(group.split(":")[0]), group


def _belongs(score: FileScore, voice: str, group: str, groups: dict[str, tuple[str, ...]]) -> bool:
    return voice in (ALL_VOICES, score.voice) and (group == EVERYTHING or group in groups.get(score.recording, ()))


def _row(system: str, voice: str, group: str, scores: Sequence[FileScore], base: Sequence[FileScore]) -> Summary:
    def mean(value: Callable[[FileScore], float | None]) -> Interval | None:
        return mean_interval(_by_recording(scores, value))

    told, untold = ([s for s in scores if s.has_transcript is known] for known in (True, False))
    levels = [score.silence_dbfs for score in scores if score.silence_dbfs is not None]
    return Summary(
        system=system,
        voice=voice,
        group=group,
        recordings=len({_place(score) for score in scores}),
        to_target=mean(lambda s: s.to_target),
        to_source=mean(lambda s: s.to_source),
        word_errors=pooled_interval(list(_words(told).values())),
        word_errors_added=_added(told, [s for s in base if s.has_transcript]),
        words_changed=pooled_interval(list(_words(untold).values())) if system != sounds.UNCONVERTED else None,
        overall=mean(lambda s: s.sound.overall if s.sound else None),
        speech=mean(lambda s: s.sound.speech if s.sound else None),
        background=mean(lambda s: s.sound.background if s.sound else None),
        melody=mean(lambda s: s.melody.correlation if s.melody else None),
        voicing_error=mean(lambda s: s.melody.voicing_error if s.melody else None),
        silence_dbfs=max(levels) if levels else None,
    )


def _place(score: FileScore) -> str:
    """What counts as one recording: a source whatever the voice, but every target's own."""
    own = score.system in (sounds.COPY, sounds.TARGET)
    return f"{score.voice}/{score.recording}" if own else score.recording


def _by_recording(scores: Iterable[FileScore], value: Callable[[FileScore], float | None]) -> list[float]:
    """Means over the voices: a recording is one draw, however many voices it was converted to."""
    found: dict[str, list[float]] = {}
    for score in scores:
        number = value(score)
        if number is not None:
            found.setdefault(_place(score), []).append(number)
    return [float(np.mean(numbers)) for numbers in found.values()]


def _words(scores: Iterable[FileScore]) -> dict[str, WordCount]:
    """Word errors by recording, over the voices."""
    totals: dict[str, WordCount] = {}
    for score in scores:
        if score.words is not None:
            before = totals.get(_place(score), WordCount(0, 0))
            totals[_place(score)] = WordCount(before.edits + score.words.edits, before.words + score.words.words)
    return totals


def _added(scores: Sequence[FileScore], base: Sequence[FileScore]) -> Interval | None:
    after, before = _words(scores), _words(base)
    both = [place for place in after if place in before]
    return added_interval([after[place] for place in both], [before[place] for place in both])


def bars(summaries: Sequence[Summary], latency_ms: float) -> tuple[Bar, ...]:
    """What a voice worth shipping reaches, over all its voices and recordings."""
    rows = {row.system: row for row in summaries if (row.voice, row.group) == (ALL_VOICES, EVERYTHING)}

    def value(system: str, name: str) -> float | None:
        interval = getattr(rows.get(system), name, None)
        return interval.mean if isinstance(interval, Interval) else interval

    overall, ceiling = value(sounds.CONVERTED, "overall"), value(sounds.COPY, "overall")
    behind = ceiling - overall if overall is not None and ceiling is not None else None
    return (
        Bar("cosine to the target", value(sounds.CONVERTED, "to_target"), 0.80, True),
        Bar("cosine to the source", value(sounds.CONVERTED, "to_source"), 0.60, False),
        Bar("word errors above the source's", value(sounds.CONVERTED, "word_errors_added"), 0.05, False),
        Bar("word errors of copy synthesis above the target's", _copy_words(rows), 0.04, False),
        Bar("DNSMOS overall", overall, 3.0, True),
        Bar("DNSMOS overall below copy synthesis", behind, 0.3, False),
        Bar("correlation of log F0", value(sounds.CONVERTED, "melody"), 0.93, True),
        Bar("loudest output for silence, dBFS", value(sounds.CONVERTED, "silence_dbfs"), -60.0, False),
        Bar("algorithmic latency, ms", latency_ms, 50.0, False),
    )


def bars_against(summaries: Sequence[Summary], others: Sequence[Summary]) -> tuple[Bar, ...]:
    """What a smaller file of a model may lose against the larger one (``others``), on the same recordings."""

    def lost(name: str) -> float | None:
        mine, theirs = (
            next((getattr(row, name) for row in rows if (row.system, row.voice, row.group) == _CONVERTED_ALL), None)
            for rows in (summaries, others)
        )
        return None if mine is None or theirs is None else float(mine.mean - theirs.mean)

    likeness = lost("to_target")
    return (
        Bar("cosine to the target lost to the other file", None if likeness is None else 0.0 - likeness, 0.02, False),
        Bar("word errors above the other file's", lost("word_errors"), 0.01, False),
    )


def _copy_words(rows: dict[str, Summary]) -> float | None:
    """Against transcripts where the targets have them, else against what was heard in the target."""
    copy = rows.get(sounds.COPY)
    if copy is None:
        return None
    interval = copy.word_errors_added or copy.words_changed
    return interval.mean if interval else None
