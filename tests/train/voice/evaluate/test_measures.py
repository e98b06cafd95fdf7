"""The arithmetic of the scores, on cases whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluate.intervals import Interval, mean_interval
from train.voice.evaluate import measures
from train.voice.evaluate.measures import WordCount


@pytest.mark.parametrize(
    ("reference", "heard", "edits"),
    [
        ("the cat sat", "the cat sat", 0),
        ("the cat sat", "the dog sat", 1),
        ("the cat sat", "cat sat", 1),
        ("the cat sat", "the big cat sat down", 2),
        ("the cat sat", "", 3),
        ("one two three four", "four three two one", 4),
        ("a b c d", "b c d a", 2),
    ],
)
def test_word_errors_are_the_edit_distance(reference: str, heard: str, edits: int) -> None:
    """Substitutions, deletions and insertions all cost one; a greedy alignment would overcount the last case."""
    assert measures.word_errors(reference, heard) == WordCount(edits, len(reference.split()))


@pytest.mark.parametrize(
    ("reference", "heard"),
    [
        ("mister John Dashwood", "Mr. John Dashwood,"),
        ("cold hearted", "Cold-hearted."),
        ("no logre encontrar", "no logré encontrar"),
        ("n’accepte pas", "n'accepte pas"),
        ("you cannot reply", "You can not reply!"),
        ("'quoted' words", "quoted words"),
        ("отключён", "ОТКЛЮЧЕН"),
    ],
)
def test_spelling_is_no_word_error(reference: str, heard: str) -> None:
    """The transcripts lack accents and punctuation that recognisers write."""
    assert measures.word_errors(reference, heard).edits == 0


def test_pooled_error_weighs_by_words() -> None:
    """Ten words with one error and one word with one error are 2/11, not the mean of 10 % and 100 %."""
    counts = [WordCount(1, 10), WordCount(1, 1)]
    assert measures.pooled(counts) == pytest.approx(2 / 11)
    assert measures.pooled([]) is None
    assert measures.pooled([WordCount(3, 0)]) is None


def _track(rng: np.random.Generator, frames: int = 200) -> np.ndarray:
    contour = 120.0 * np.exp(0.2 * np.sin(np.arange(frames) / 15.0) + 0.02 * rng.standard_normal(frames))
    contour[40:70] = 0.0
    return contour


def test_a_shifted_melody_is_the_same_melody() -> None:
    """Two semitones up, and a larger range, in logarithmic frequency: correlation 1, no voicing error."""
    source = _track(np.random.default_rng(1))
    shifted = np.where(source > 0.0, 1.3 * source**1.2, 0.0)
    found = measures.melody(source, shifted)
    assert found.correlation == pytest.approx(1.0, abs=1e-9)
    assert found.voicing_error == 0.0


def test_an_upside_down_melody_correlates_negatively() -> None:
    """Else any voiced output would pass."""
    source = _track(np.random.default_rng(2))
    mirrored = np.where(source > 0.0, 14_400.0 / np.maximum(source, 1.0), 0.0)
    assert measures.melody(source, mirrored).correlation == pytest.approx(-1.0, abs=1e-9)


def test_voicing_error_is_the_share_of_frames_that_differ() -> None:
    """Ten of two hundred frames lost, five gained."""
    source = _track(np.random.default_rng(3))
    output = source.copy()
    output[100:110] = 0.0
    output[40:45] = 100.0
    assert measures.melody(source, output).voicing_error == pytest.approx(15 / 200)


def test_a_flat_or_hardly_voiced_melody_has_no_correlation() -> None:
    """A robot's pitch and a whisper: a number there would be rounding noise."""
    source = _track(np.random.default_rng(4))
    assert measures.melody(source, np.where(source > 0.0, 100.0, 0.0)).correlation is None
    whisper = np.zeros_like(source)
    whisper[:5] = 100.0
    assert measures.melody(source, whisper).correlation is None
    assert measures.melody(source[:0], source).correlation is None


def test_the_longer_track_is_cut() -> None:
    """Trackers give a frame more or less at the end."""
    source = _track(np.random.default_rng(5))
    assert measures.melody(source, source[:-3]).correlation == pytest.approx(1.0)


def test_levels() -> None:
    """A full-scale sine is at -3 dB, digital silence at the floor."""
    sine = np.sin(2.0 * np.pi * np.arange(16_000) / 160.0).astype(np.float32)
    assert measures.level_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert measures.level_dbfs(np.zeros(10, np.float32)) == measures.SILENCE_FLOOR_DBFS
    assert measures.level_dbfs(np.zeros(0, np.float32)) == measures.SILENCE_FLOOR_DBFS


def test_the_bootstrap_covers_the_truth() -> None:
    """Of 200 samples of 30 from a known distribution, about 95 % of the intervals hold its mean."""
    rng = np.random.default_rng(6)
    held = 0
    for trial in range(200):
        interval = mean_interval(list(rng.normal(0.7, 0.1, 30)), seed=trial)
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= 0.7 <= interval.high
    assert 0.88 <= held / 200 <= 0.99


def test_intervals_say_when_they_cannot_tell() -> None:
    """Two values have a mean and nothing more."""
    assert mean_interval([]) is None
    two = mean_interval([1.0, 2.0])
    assert two == Interval(1.5, None, None, 2)
    assert measures.pooled_interval([WordCount(0, 0)]) is None


def test_added_errors_are_paired() -> None:
    """The same errors before and after are no added errors, however much the utterances differ."""
    before = [WordCount(edits, 10) for edits in (0, 5, 1, 8, 2)]
    interval = measures.added_interval(before, before)
    assert interval == Interval(0.0, 0.0, 0.0, 5)
    more = [WordCount(count.edits + 1, 10) for count in before]
    added = measures.added_interval(more, before)
    assert added is not None
    assert (added.mean, added.low, added.high) == pytest.approx((0.1, 0.1, 0.1))
    assert measures.added_interval([], []) is None


def test_centroid_and_cosine() -> None:
    """The centre of two unit vectors lies between them, at unit length."""
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    centre = measures.centroid([a, b])
    assert np.linalg.norm(centre) == pytest.approx(1.0)
    assert measures.cosine(centre, a) == pytest.approx(np.sqrt(0.5))
    assert measures.cosine(a, -a) == pytest.approx(-1.0)
