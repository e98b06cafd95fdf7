"""People of many languages to learn to listen to: every sentence is somebody else's, and three of four are foreign.

An encoder that is trained on a few English voices hears nothing else in a real microphone. Here each sentence has a
speaker of its own, a Kokoro voice or a blend (`train.voice.corpus.ensemble.draw_guest`), who says invented syllables of
their own language or, one time in four, an English sentence. Nobody here becomes a voice: `train.voice.join` them to
the data set of the voices.
"""

from __future__ import annotations

import random
from typing import Final

from train.voice.corpus.build import Utterance
from train.voice.corpus.ensemble import draw_guest
from train.voice.corpus.hibari import HIBARI_VERSION
from train.voice.corpus.kokoro import ENGINE, KOKORO_LICENCE, PACKAGE_LINES, Kokoro, labels, trimmed
from train.voice.corpus.phones import SILENCE
from train.voice.corpus.syllables import VOICE_LANGUAGES, invented_speech

RECIPE_VERSION: Final = 1
"""Bumped on any change of what the same packages and sentences give."""
_ENGLISH_EVERY: Final = 4
_LICENCE_TEXT: Final = """\
The sound in this folder was synthesised. It is nobody's recording; the voices are those of a model.

Models   Kokoro-82M by hexgrad, Apache License 2.0
         int8 ONNX export of kokoro-onnx, MIT License, Copyright (c) 2025 github.com/thewh1teagle
Voices   Kokoro-82M style vectors, Apache License 2.0; single voices and blends of two
Phones   hibari-tts {hibari}, Apache License 2.0, and invented syllables of our own
Text     the sentence grammar of Changeling, under Changeling's own licence

Packages (SHA-256)
{packages}
"""


class CompanySynthesiser:
    """Each sentence by a speaker of its own."""

    speakers: tuple[str, ...] = ("company",)
    licence = KOKORO_LICENCE
    engine = f"company {RECIPE_VERSION} of {ENGINE}"
    licence_text = _LICENCE_TEXT.format(hibari=HIBARI_VERSION, packages=PACKAGE_LINES)

    def __init__(self, seed: int, *, threads: int = 1) -> None:
        """Fetches and prepares the packages on first use. Raises `MissingDependencyError` or `WorkstationError`."""
        self._seed = seed
        self._kokoro = Kokoro(threads=threads)
        self._pool = self._kokoro.voice_names()

    def synthesise(self, text: str, index: int) -> Utterance | None:
        """Invented speech of somebody's language, or the sentence, in the voice of a guest of this one sentence."""
        chooser = random.Random(f"company {self._seed} {index}")
        foreign = bool(index % _ENGLISH_EVERY)
        guest = draw_guest(self._pool, index, chooser, foreign=foreign)
        spoken = invented_speech(VOICE_LANGUAGES[guest.recipe[0]], chooser) if foreign else ""
        characters = self._kokoro.known(spoken) if foreign else self._kokoro.characters(text)
        if not characters:
            return None
        style = self._kokoro.style(guest.recipe)
        units = self._kokoro.units(characters, style)
        sound = self._kokoro.speak(characters, style, units, guest.rate)
        # Phones are labelled for trimming alone, for which any id but silence will do.
        ids = [SILENCE, *[1] * (len(units) - 2), SILENCE]
        utterance = trimmed({f"{guest.name}-{self._seed}": sound}, labels(ids, units))
        return None if utterance is None else Utterance(utterance.sounds, None)
