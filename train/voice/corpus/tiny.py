"""A toy synthesiser in NumPy: babble of two aligned voices with phone labels, for tests and dry runs.

Source and filter as in formant synthesis (Klatt 1980), much simplified: a pulse train or noise, shaped frame by frame
by three resonances. It needs no package, takes milliseconds, and is the same on every machine to 16 bits.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from train.voice.clips import Samples
from train.voice.corpus.build import Utterance
from train.voice.corpus.phones import PHONES, SILENCE
from train.voice.dataset import HOP_LENGTH, SAMPLE_RATE_HZ

_WINDOW: Final = 2 * HOP_LENGTH
_BANDWIDTH_HZ: Final = 110.0

_VOWELS: Final[dict[str, tuple[float, float, float]]] = {
    "i": (280.0, 2250.0, 2900.0),
    "ɪ": (400.0, 1950.0, 2550.0),
    "ɛ": (530.0, 1840.0, 2480.0),
    "æ": (660.0, 1720.0, 2410.0),
    "ɑ": (730.0, 1090.0, 2440.0),
    "ɔ": (570.0, 840.0, 2410.0),
    "ʊ": (440.0, 1020.0, 2240.0),
    "u": (300.0, 870.0, 2240.0),
    "ɜ": (490.0, 1350.0, 1690.0),
}
_VOICED: Final[dict[str, tuple[float, float, float]]] = {
    "m": (250.0, 1000.0, 2200.0),
    "n": (250.0, 1500.0, 2400.0),
    "l": (360.0, 1300.0, 2700.0),
}
_NOISY: Final[dict[str, tuple[float, float, float]]] = {
    "s": (4500.0, 5800.0, 7000.0),
    "ʃ": (2400.0, 3600.0, 5000.0),
    "f": (1500.0, 4000.0, 7000.0),
}
_FORMANTS: Final = {**_VOWELS, **_VOICED, **_NOISY}


@dataclass(frozen=True)
class _Voice:
    f0_hz: float
    formant_ratio: float


_VOICES: Final = {"tiny_female": _Voice(205.0, 1.15), "tiny_male": _Voice(110.0, 1.0)}


class TinySynthesiser:
    """Two voices of nobody, aligned frame by frame."""

    speakers: tuple[str, ...] = tuple(_VOICES)
    engine = "changeling tiny 1"
    licence = "as Changeling"
    licence_text = "Babble made by Changeling's own toy synthesiser; under Changeling's own licence.\n"

    def synthesise(self, text: str, index: int) -> Utterance | None:
        """Babble 1 to 2 s; ``text`` only seeds which phones follow each other."""
        chooser = np.random.default_rng(zlib.crc32(text.encode()))
        phones = _babble(chooser)
        melody = 2.0 ** (np.cumsum(chooser.normal(0.0, 0.02, len(phones))) - 0.15 * np.linspace(0.0, 1.0, len(phones)))
        noise = chooser.standard_normal(len(phones) * HOP_LENGTH)
        sounds = {name: _speak(phones, melody, noise, voice) for name, voice in _VOICES.items()}
        return Utterance(sounds, phones)


def _babble(chooser: np.random.Generator) -> NDArray[np.int16]:
    """Phone id per 10 ms hop: syllables of consonant and vowel, a pause, silence at both ends."""
    ids = [SILENCE] * 10
    n_syllables = int(chooser.integers(6, 11))
    for syllable in range(n_syllables):
        consonant = str(chooser.choice([*_VOICED, *_NOISY]))
        vowel = str(chooser.choice(list(_VOWELS)))
        ids += [PHONES.index(consonant)] * int(chooser.integers(5, 9))
        ids += [PHONES.index(vowel)] * int(chooser.integers(8, 15))
        if syllable == n_syllables // 2:
            ids += [SILENCE] * 12
    return np.array([*ids, *[SILENCE] * 10], np.int16)


def _speak(phones: NDArray[np.int16], melody: NDArray[Any], noise: NDArray[Any], voice: _Voice) -> Samples:
    """float32 (160 * hops,): excitation, filtered per hop in overlapping Hann windows."""
    n_samples = len(phones) * HOP_LENGTH
    f0 = np.interp(np.arange(n_samples), np.arange(len(phones)) * HOP_LENGTH, voice.f0_hz * melody)
    phase = np.cumsum(f0) / SAMPLE_RATE_HZ
    pulses = np.diff(np.floor(phase), prepend=0.0) * np.sqrt(SAMPLE_RATE_HZ / f0)
    envelopes, voiced = _envelopes(voice)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
    padded_pulses, padded_noise = (np.pad(signal, (HOP_LENGTH // 2, _WINDOW)) for signal in (pulses, noise))
    output = np.zeros(n_samples + 2 * _WINDOW)
    for hop, phone in enumerate(phones):
        if phone == SILENCE:
            continue
        span = slice(hop * HOP_LENGTH, hop * HOP_LENGTH + _WINDOW)
        excitation = padded_pulses[span] if voiced[phone] else 0.3 * padded_noise[span]
        output[span] += np.fft.irfft(np.fft.rfft(excitation * window, 2 * _WINDOW) * envelopes[phone])[:_WINDOW]
    output += 1e-4 * np.pad(noise, (HOP_LENGTH // 2, 2 * _WINDOW - HOP_LENGTH // 2))
    return (0.05 * output[HOP_LENGTH // 2 :][:n_samples]).astype(np.float32)


def _envelopes(voice: _Voice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Magnitude response per phone id, (phones, bins), and which phones are voiced."""
    frequency = np.fft.rfftfreq(2 * _WINDOW, 1.0 / SAMPLE_RATE_HZ)
    envelopes = np.zeros((len(PHONES), len(frequency)))
    voiced = np.zeros(len(PHONES), bool)
    for name, formants in _FORMANTS.items():
        index = PHONES.index(name)
        voiced[index] = name not in _NOISY
        width = _BANDWIDTH_HZ if voiced[index] else 8.0 * _BANDWIDTH_HZ
        for strength, formant in zip((1.0, 0.5, 0.25), formants, strict=True):
            centre = formant * (voice.formant_ratio if voiced[index] else 1.0)
            envelopes[index] += strength / (1.0 + ((frequency - centre) / width) ** 2)
        envelopes[index] += 0.003
    return envelopes, voiced
