"""Means of groups, the bars, the page and the Markdown, from scores that are made up."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from edge_runtime.errors import InputError
from train.evaluate.results import SkippedFile
from train.voice.evaluate import page, table
from train.voice.evaluate.evaluators import SoundQuality
from train.voice.evaluate.measures import Melody, WordCount
from train.voice.evaluate.results import ALL_VOICES, Evaluation, FileScore, SourceFacts, Summary
from train.voice.evaluate.summarise import bars, bars_against, summarise

SOURCES = (
    SourceFacts("one", "en", "ann", "f", "real", "a b c d", 2.0),
    SourceFacts("two", "fr", "bob", "m", "real", "e f", 2.0),
    SourceFacts("three", "en", "", "", "synthetic", "", 2.0),
)
VOICES = ("amber", "flint")


def _score(system: str, voice: str, recording: str, to_target: float, edits: int) -> FileScore:
    words = {"one": 4, "two": 2, "three": 5}.get(recording, 10)
    return FileScore(
        system=system,
        voice=voice,
        recording=recording,
        audio=f"{system}/{voice}/{recording} & co.wav",
        seconds=2.0,
        to_target=to_target,
        to_source=0.5,
        words=WordCount(edits, words),
        has_transcript=recording != "three",
        heard='<script>alert("x")</script>',
        sound=SoundQuality(3.1, 3.4, 4.0),
        melody=Melody(0.95, 0.02) if system == "converted" else None,
        silence_dbfs=-80.0 if voice == "amber" else -65.0,
    )


def _scores() -> list[FileScore]:
    found = []
    for voice, likeness in zip(VOICES, (0.8, 0.9), strict=True):
        for recording, edits in (("one", 1), ("two", 0), ("three", 1)):
            found.append(_score("unconverted", voice, recording, 0.5, 0))
            found.append(_score("converted", voice, recording, likeness, edits))
        found += [_score("target", voice, "own", 0.95, 0), _score("copy", voice, "own", 0.9, 1)]
    return found


def _row(rows: list[Summary], *key: str) -> Summary:
    (found,) = [row for row in rows if (row.system, row.voice, row.group) == key]
    return found


@pytest.fixture
def rows() -> list[Summary]:
    """Summaries of the made-up scores."""
    return summarise(_scores(), SOURCES, VOICES)


def test_recordings_are_the_draws_whatever_the_number_of_voices(rows: list[Summary]) -> None:
    """Two voices of one recording are no two recordings, or intervals would look surer than they are."""
    everything = _row(rows, "converted", ALL_VOICES, "all")
    assert everything.recordings == 3
    assert everything.to_target is not None
    assert everything.to_target.count == 3
    assert everything.to_target.mean == pytest.approx(0.85)
    amber = _row(rows, "converted", "amber", "all")
    assert amber.to_target is not None
    assert amber.to_target.mean == pytest.approx(0.8)


def test_words_without_transcripts_are_kept_apart(rows: list[Summary]) -> None:
    """They are compared with what a recogniser heard, which is another question."""
    everything = _row(rows, "converted", ALL_VOICES, "all")
    assert everything.word_errors is not None
    assert everything.word_errors.mean == pytest.approx(1 / 6)
    assert everything.words_changed is not None
    assert everything.words_changed.mean == pytest.approx(1 / 5)
    assert everything.word_errors_added is not None
    assert everything.word_errors_added.mean == pytest.approx(1 / 6)


def test_groups_hold_what_their_names_say(rows: list[Summary]) -> None:
    """By kind, sex and language."""
    assert _row(rows, "converted", ALL_VOICES, "men").recordings == 1
    assert _row(rows, "converted", "flint", "kind: real").recordings == 2
    assert _row(rows, "converted", ALL_VOICES, "language: en").recordings == 2
    assert _row(rows, "converted", ALL_VOICES, "kind: synthetic").word_errors is None


def test_the_targets_own_recordings_count_by_voice(rows: list[Summary]) -> None:
    """Files of two voices may have one name."""
    assert _row(rows, "copy", ALL_VOICES, "all").recordings == 2
    added = _row(rows, "copy", ALL_VOICES, "all").word_errors_added
    assert added is not None
    assert added.mean == pytest.approx(0.1)


def test_the_loudest_silence_counts(rows: list[Summary]) -> None:
    """A mean would hide one voice that hums."""
    assert _row(rows, "converted", ALL_VOICES, "all").silence_dbfs == -65.0


def test_bars_are_met_missed_or_not_measured(rows: list[Summary]) -> None:
    """At least and at most, and none for what is missing."""
    found = {bar.name: bar for bar in bars(rows, 48.0)}
    assert found["cosine to the target"].met is True
    assert found["word errors above the source's"].met is False
    assert found["word errors of copy synthesis above the target's"].met is False
    assert found["DNSMOS overall below copy synthesis"].met is True
    assert found["algorithmic latency, ms"].met is True
    nothing = bars([replace(row, to_target=None) for row in rows], 60.0)
    assert nothing[0].met is None
    assert nothing[-1].met is False


@pytest.fixture
def evaluation(rows: list[Summary]) -> Evaluation:
    """A whole evaluation."""
    return Evaluation(
        model='name<b>"',
        model_sha256="0" * 64,
        precision="int8 .tflite",
        model_bytes=2_000_000,
        backend="stub",
        latency_ms=48.0,
        created="2026-01-01T00:00:00+00:00",
        voices=VOICES,
        targets=("amber",),
        judges=("ear 1",),
        skipped_measures=(),
        skipped_files=(SkippedFile("bad|file.wav", "is <broken>"),),
        sources=SOURCES,
        scores=tuple(_scores()),
        summaries=tuple(rows),
        bars=bars(rows, 48.0),
    )


def test_the_page_shows_everything_and_runs_nothing(evaluation: Evaluation) -> None:
    """Names, recognised words and reasons come from outside."""
    text = page.render(evaluation, {"one": b"picture"})
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "name&lt;b&gt;" in text
    assert 'src="converted/amber/one%20%26%20co.wav"' in text
    assert "data:image/png;base64,cGljdHVyZQ==" in text
    assert "is &lt;broken&gt;" in text
    assert "No recordings of the target were given (--target) for: flint." in text
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "<td>0.85<br><small>[0.85, 0.85]</small></td>" in text
    for tag in ("table", "details", "tr", "td", "small"):
        assert text.count(f"<{tag}>") + text.count(f"<{tag} ") == text.count(f"</{tag}>"), tag


def test_the_markdown_has_whole_tables(evaluation: Evaluation) -> None:
    """It is pasted into the model card."""
    text = table.markdown(evaluation)
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(blocks) == 4
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "| cosine to the target | 0.85 | ≥ 0.8 | yes |" in text
    assert "| converted | 3 | 0.85 [0.85, 0.85] |" in text
    assert "| men |" in text


def test_the_json_is_the_data(evaluation: Evaluation) -> None:
    """With the verdict beside every bar, for programs."""
    data = json.loads(evaluation.to_json())
    assert data["model_sha256"] == "0" * 64
    assert len(data["scores"]) == len(evaluation.scores)
    assert data["bars"][0]["met"] is True
    assert Evaluation.from_json(evaluation.to_json()) == evaluation
    found = evaluation.summary("converted", "flint", "men")
    assert found is not None
    assert found.recordings == 1
    assert evaluation.summary("converted", "nobody") is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"bars": []}', '{"bars": [{"met": true}]}', '{"bars": 3}'])
def test_other_json_is_refused(text: str) -> None:
    """Scores of another version must not be compared with these."""
    with pytest.raises(InputError, match="evaluate that model again"):
        Evaluation.from_json(text)


def test_a_smaller_file_may_lose_a_little(rows: list[Summary]) -> None:
    """0.02 of cosine and a point of words, in the right direction."""
    assert [bar.value for bar in bars_against(rows, rows)] == [0.0, 0.0]
    worse = [
        replace(
            row,
            to_target=replace(row.to_target, mean=row.to_target.mean - 0.03) if row.to_target else None,
            word_errors=replace(row.word_errors, mean=row.word_errors.mean + 0.02) if row.word_errors else None,
        )
        for row in rows
    ]
    assert [bar.met for bar in bars_against(worse, rows)] == [False, False]
    assert [bar.met for bar in bars_against(rows, worse)] == [True, True]
