"""The text of the synthetic corpus: many sentences, always the same ones, with every phone often enough."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from train.voice.corpus.phones import PHONES, SILENCE, character_phones, frame_phones
from train.voice.corpus.sentences import sentences, spell_number


def _names(ids: list[int]) -> list[str]:
    return [PHONES[index] for index in ids]


def test_twenty_thousand_sentences_are_distinct_and_the_same_every_time() -> None:
    first = list(itertools.islice(sentences(1), 20_000))
    assert len(set(first)) == 20_000
    assert list(itertools.islice(sentences(1), 100)) == first[:100]
    assert not set(itertools.islice(sentences(2), 100)) & set(first[:100])


def test_sentences_are_readable_varied_and_hold_no_digits() -> None:
    some = list(itertools.islice(sentences(3), 5000))
    for sentence in some:
        assert re.fullmatch(r"[A-Za-z ,.?!'’:;-]+", sentence), sentence
        assert sentence[0].isupper()
        assert sentence[-1] in ".?!"
    lengths = [len(sentence.split()) for sentence in some]
    assert min(lengths) <= 3
    assert max(lengths) >= 20
    assert sum(s.endswith("?") for s in some) > 0.1 * len(some)
    assert sum("!" in s for s in some) > 0.05 * len(some)
    assert len({word.lower() for s in some for word in re.findall(r"[\w']+", s)}) > 800


def test_the_article_fits_the_sound_that_follows() -> None:
    text = " ".join(itertools.islice(sentences(4), 20_000)).lower()
    wrong = re.findall(r"\ba (?:owl|oyster|angry|early|hour|umbrella|ugly|engineer|author|usher)\b", text)
    wrong += re.findall(r"\ban (?:yellow|usual|huge|young|year|yak|horse|hungry|one)\b", text)
    assert wrong == []


def test_numbers_are_spelled_out() -> None:
    spelled = {0: "zero", 13: "thirteen", 20: "twenty", 42: "forty-two", 100: "one hundred"}
    spelled |= {1204: "one thousand two hundred four", 99_999: "ninety-nine thousand nine hundred ninety-nine"}
    assert {value: spell_number(value) for value in spelled} == spelled


def test_every_phone_occurs_and_shares_are_those_of_speech() -> None:
    """A phone the corpus hardly has is one the content encoder cannot learn."""
    pytest.importorskip("hibari")
    from train.voice.corpus.hibari import Phonemizer

    phonemize = Phonemizer()
    counts: Counter[int] = Counter()
    for sentence in itertools.islice(sentences(1), 800):
        counts.update(character_phones(phonemize(sentence).replace("ˈ", "").replace("ˌ", "").replace(" ", "")))
    total = sum(count for index, count in counts.items() if index != SILENCE)
    shares = {PHONES[index]: counts[index] / total for index in range(1, len(PHONES))}
    assert min(shares.values()) > 0.001, {k: v for k, v in shares.items() if v <= 0.001}
    assert max(shares.values()) < 0.12
    assert 0.3 < sum(shares[phone] for phone in "AIOWYiuæɑɐɔəɛɜɪʊʌᵊᵻ") < 0.5


def test_stress_and_length_marks_belong_to_their_phone_and_pauses_are_silent() -> None:
    assert _names(character_phones("ʃˈu, hi")) == ["ʃ", "u", "u", "sil", "sil", "h", "i"]
    assert _names(character_phones("u: i")) == ["u", "sil", "sil", "i"]
    assert _names(character_phones("uːt ɪt")) == ["u", "u", "t", "t", "ɪ", "t"]
    assert _names(character_phones("bˈʌTəɹ.")) == ["b", "ʌ", "ʌ", "ɾ", "ə", "ɹ", "sil"]


def test_a_phone_outside_the_inventory_is_an_error_and_not_silence() -> None:
    with pytest.raises(WorkstationError, match="not in the inventory"):
        character_phones("xo")


def test_frames_follow_the_durations() -> None:
    """25 ms, 50 ms and 25 ms: ten frames, of which the middles at 5, 15 ms ... lie in the given phones."""
    labels = frame_phones([7, 8, 9], [400, 800, 400], 0)
    assert labels.dtype == np.int16
    assert labels.tolist() == [7, 7, 8, 8, 8, 8, 8, 9, 9, 9]
    assert frame_phones([7, 8, 9], [400, 800, 400], 160).tolist() == [7, 8, 8, 8, 8, 8, 9, 9, 9, 9]
