"""The arithmetic of the scores, in NumPy alone: words, voices, melody and silence.

Shapes: N samples, F frames, D dimensions of an embedding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluate.intervals import SMALLEST_FOR_INTERVAL, Interval, percentiles, resampled

Samples = NDArray[np.float32]
Vector = NDArray[np.float64]

SILENCE_FLOOR_DBFS = -120.0
"""What digital silence is said to measure."""
_FEWEST_COMMON_FRAMES = 10
_SPELLINGS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "ok": "okay", "cannot": "can not"}


@dataclass(frozen=True)
class WordCount:
    """Word errors of one utterance, or of many together."""

    edits: int
    """Substitutions, deletions and insertions."""
    words: int
    """Words of the reference."""


@dataclass(frozen=True)
class Melody:
    """How much of the source's intonation is left."""

    correlation: float | None
    """Pearson's, of log F0 where both are voiced; None when that is hardly ever, or one of them does not move."""
    voicing_error: float
    """Share of frames, 0..1, that are voiced in one of the two only."""


def normal_words(text: str) -> list[str]:
    """Words without case, punctuation, accents and hyphens, abbreviations spelt out, as two spellings should agree."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    words = re.sub(r"[^\w']+", " ", plain).replace("_", " ").split()
    return " ".join(_SPELLINGS.get(word.strip("'"), word.strip("'")) for word in words).split()


def word_errors(reference: str, heard: str) -> WordCount:
    """Levenshtein distance (1966) between the words of two texts, after `normal_words`."""
    expected, got = normal_words(reference), normal_words(heard)
    row = list(range(len(got) + 1))
    for i, word in enumerate(expected, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return WordCount(edits=row[-1], words=len(expected))


def pooled(counts: Sequence[WordCount]) -> float | None:
    """All edits over all words; None without words. A long utterance counts for more than a short one."""
    total = sum(count.words for count in counts)
    return sum(count.edits for count in counts) / total if total else None


def centroid(embeddings: Sequence[Vector]) -> Vector:
    """Unit vector (D,) along the mean of unit vectors (D,)."""
    mean = np.mean(np.asarray(embeddings, np.float64), axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def cosine(a: Vector, b: Vector) -> float:
    """Cosine of the angle between two vectors (D,), -1..1."""
    return float(np.dot(a, b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def melody(source_hz: Vector, output_hz: Vector) -> Melody:
    """Compare two F0 tracks (F,) in Hz on the same frames, 0 where unvoiced; the longer one is cut."""
    frames = min(len(source_hz), len(output_hz))
    source, output = source_hz[:frames], output_hz[:frames]
    both = (source > 0.0) & (output > 0.0)
    differs = (source > 0.0) != (output > 0.0)
    voicing_error = float(differs.mean()) if frames else 0.0
    if both.sum() < _FEWEST_COMMON_FRAMES:
        return Melody(None, voicing_error)
    a, b = np.log(source[both]), np.log(output[both])
    spread = float(a.std() * b.std())
    if spread < 1e-9:
        return Melody(None, voicing_error)
    return Melody(float(((a - a.mean()) * (b - b.mean())).mean() / spread), voicing_error)


def level_dbfs(samples: Samples) -> float:
    """RMS level of samples (N,), dB relative to full scale; `SILENCE_FLOOR_DBFS` at least."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(10.0 * float(np.log10(max(power, 1e-30))), SILENCE_FLOOR_DBFS)


def pooled_interval(counts: Sequence[WordCount], seed: int = 0) -> Interval | None:
    """Pooled word error rate with its bootstrap interval over utterances; None without words."""
    rate = pooled(counts)
    if rate is None:
        return None
    if len(counts) < SMALLEST_FOR_INTERVAL:
        return Interval(rate, None, None, len(counts))
    return Interval(rate, *percentiles(_rates(counts, resampled(len(counts), seed))), len(counts))


def added_interval(after: Sequence[WordCount], before: Sequence[WordCount], seed: int = 0) -> Interval | None:
    """Pooled word error rate of ``after`` minus that of ``before``, utterance by utterance the same ones."""
    rates = pooled(after), pooled(before)
    if rates[0] is None or rates[1] is None:
        return None
    difference = rates[0] - rates[1]
    if len(after) < SMALLEST_FOR_INTERVAL:
        return Interval(difference, None, None, len(after))
    picks = resampled(len(after), seed)
    return Interval(difference, *percentiles(_rates(after, picks) - _rates(before, picks)), len(after))


def _rates(counts: Sequence[WordCount], picks: NDArray[np.int64]) -> Vector:
    edits = np.asarray([count.edits for count in counts], np.float64)[picks].sum(axis=1)
    words = np.asarray([count.words for count in counts], np.float64)[picks].sum(axis=1)
    return np.asarray(edits / np.maximum(words, 1.0))
