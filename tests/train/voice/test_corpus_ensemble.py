"""The ensemble and its company: who speaks when, and that all of a sentence keep one timing. Engines are stand-ins."""

from __future__ import annotations

import random

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from train.voice.corpus import company, ensemble
from train.voice.corpus.company import CompanySynthesiser
from train.voice.corpus.ensemble import EnsembleSynthesiser, parse_voices
from train.voice.corpus.kokoro import UNIT_SAMPLES, played, scaled_units
from train.voice.corpus.syllables import INVENTORIES, VOICE_LANGUAGES, invented_speech


class _Kokoro:
    """Speaks every character as noise of the injected length."""

    def __init__(self, threads: int = 1) -> None:
        self.asked: list[float] = []

    def style(self, speaker: str) -> np.ndarray:
        return np.zeros((510, 1, 256), np.float32)

    def voice_names(self) -> tuple[str, ...]:
        return ("af_one", "am_two", "bf_three", "ff_four", "zm_five")

    def characters(self, text: str) -> str:
        return "hələʊ".replace("ʊ", "W") if text else ""

    def known(self, characters: str) -> str:
        return characters

    def units(self, characters: str, style: np.ndarray) -> np.ndarray:
        return np.array([15, *[4] * len(characters), 6])

    def speak(self, characters: str, style: np.ndarray, units: np.ndarray, rate: float = 1.0) -> np.ndarray:
        self.asked.append(rate)
        return _noise(int(units.sum()) * UNIT_SAMPLES)


class _Hibari:
    engine = "stand-in"

    def units(self, characters: str) -> np.ndarray:
        return np.array([13, *[3] * len(characters), 4])

    def speak(self, characters: str, units: np.ndarray, seed: int) -> np.ndarray:
        return _noise(int(units.sum()) * 600)


def _noise(length: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0.0, 0.1, length).astype(np.float32)


@pytest.fixture
def synthesiser(monkeypatch: pytest.MonkeyPatch) -> EnsembleSynthesiser:
    monkeypatch.setattr(ensemble, "Kokoro", _Kokoro)
    monkeypatch.setattr(ensemble, "TimedHibari", _Hibari)
    return EnsembleSynthesiser("ivy=heart,clara=af_one,oscar=am_two,arthur=bf_three,pixie=heart@1.3")


def test_every_third_sentence_is_spoken_together_and_with_a_guest(synthesiser: EnsembleSynthesiser) -> None:
    for index in range(12):
        utterance = synthesiser.synthesise("Hello.", index)
        assert utterance is not None
        guests = [name for name in utterance.sounds if name.startswith("guest")]
        assert len(guests) == (index % 3 == 0), index
        assert {"ivy", "pixie"} <= set(utterance.sounds)
        assert len({len(sound) for sound in utterance.sounds.values()}) == 1
        assert utterance.phones is not None
        assert len(utterance.phones) == len(utterance.sounds["ivy"]) // 160


def test_every_voice_gets_its_share(synthesiser: EnsembleSynthesiser) -> None:
    counts = dict.fromkeys(("clara", "oscar", "arthur"), 0)
    for index in range(0, 180, 3):
        utterance = synthesiser.synthesise("Hello.", index)
        for name in counts:
            counts[name] += utterance is not None and name in utterance.sounds
    assert min(counts.values()) > 25, counts


def test_foreign_sentences_have_a_foreign_guest_and_no_labels(synthesiser: EnsembleSynthesiser) -> None:
    utterance = synthesiser.synthesise("Hello.", 15)
    assert utterance is not None
    assert utterance.phones is None
    assert "ivy" not in utterance.sounds  # Hibari knows English sounds only
    assert any(name.startswith("guest") for name in utterance.sounds)


def test_the_same_sentence_is_the_same_again(synthesiser: EnsembleSynthesiser) -> None:
    first, second = (synthesiser.synthesise("Hello.", 3) for _ in range(2))
    assert first is not None
    assert second is not None
    assert list(first.sounds) == list(second.sounds)


def test_company_is_somebody_else_every_time_and_mostly_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names differ between seeds too, so that two such corpora can be joined."""
    monkeypatch.setattr(company, "Kokoro", _Kokoro)
    said: list[str] = []
    monkeypatch.setattr(_Kokoro, "known", lambda _, characters: said.append(characters) or characters)
    utterances = [CompanySynthesiser(seed).synthesise("Hello.", index) for seed in (1, 2) for index in range(20)]
    names = [name for utterance in utterances if utterance is not None for name in utterance.sounds]
    assert len(names) == len(set(names)) == 40
    assert len(said) == 30
    assert all(utterance is not None and utterance.phones is None for utterance in utterances)


def test_stretching_durations_keeps_every_boundary_within_half_a_unit() -> None:
    units = np.random.default_rng(0).integers(1, 9, 60)
    stretched = scaled_units(units, 1.3)
    assert np.abs(np.cumsum(stretched) - np.cumsum(units) * 1.3).max() <= 0.5
    assert (stretched >= 1).all()
    with pytest.raises(WorkstationError, match="rate"):
        scaled_units(units, 0.7)


def test_playing_faster_raises_the_pitch_and_keeps_the_length() -> None:
    slow = np.sin(2 * np.pi * 100 * np.arange(31_200) / 24_000).astype(np.float32)
    sound = played(slow, 24_000, 1.3, 16_000)
    assert len(sound) == 16_000
    peak_hz = np.abs(np.fft.rfft(sound * np.hanning(16_000))).argmax()
    assert abs(peak_hz - 130) <= 1


@pytest.mark.parametrize("language", sorted(set(VOICE_LANGUAGES.values())))
def test_invented_speech_has_words_stress_and_the_language_s_own_sounds(language: str) -> None:
    text = "".join(invented_speech(language, random.Random(seed)) for seed in range(40))
    assert text.count("ˈ") >= 160
    inventory = INVENTORIES[language]
    missing = [item for item in (*inventory.onsets, *inventory.vowels) if item not in text]
    assert len(missing) < 0.2 * len(inventory.onsets), missing


@pytest.mark.parametrize("text", ["ivy", "ivy=", "Ivy=heart", "a=heart,a=af_one", "guest=af_one", "ivy=heart@fast"])
def test_a_voice_that_is_not_one_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WorkstationError) as caught:
        parse_voices(text)
    assert "\n" not in str(caught.value)
