"""The corpus of the shipped voices: a few voices to speak in, many more to learn to listen to.

Every third sentence is spoken by all: the voices made with Hibari, two of those made with Kokoro, and one guest, a
voice or blend that occurs this once, adult or child, native or not. All keep one timing, so any of them is a source
for any other. The sentences between are cheap: Hibari's voices alone, for variety of words. Now and then a guest
speaks the sounds of another language instead of English.

A voice of the ensemble is ``name=recipe`` or ``name=recipe@rate``; the recipe is ``heart`` (Hibari) or a Kokoro voice
or blend, and the rate above 1 makes a smaller throat (`kokoro.Kokoro.speak`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from train.voice.clips import Samples
from train.voice.corpus.build import Utterance
from train.voice.corpus.hibari import HIBARI_VERSION, RATE_HZ, TimedHibari
from train.voice.corpus.kokoro import (
    ENGINE,
    KOKORO_LICENCE,
    PACKAGE_LINES,
    UNIT_SAMPLES,
    Kokoro,
    labels,
    played,
    scaled_units,
    trimmed,
)
from train.voice.corpus.phones import SILENCE, sentence_phones
from train.voice.corpus.syllables import VOICE_LANGUAGES, invented_speech

RECIPE_VERSION: Final = 1
"""Bumped on any change of what the same packages and sentences give."""
DEFAULT_ENSEMBLE: Final = (
    "ivy=heart,clara=bf_isabella+af_kore:0.4,oscar=am_michael+am_fenrir:0.4,"
    "arthur=bm_george+am_onyx:0.35,pixie=heart@1.3"
)
_HEART: Final = "heart"
_TOGETHER_EVERY: Final = 3
_FOREIGN_EVERY: Final = 6
_KOKORO_A_SENTENCE: Final = 2
_GUEST_RATES: Final = (1.0, 1.0, 1.0, 1.12, 1.25)
GUEST: Final = "guest"
_VOICE: Final = re.compile(r"(?P<name>[a-z][a-z0-9_-]*)=(?P<recipe>[^@=]+?)(@(?P<rate>[0-9.]+))?")
_LICENCE_TEXT: Final = """\
The sound in this folder was synthesised. It is nobody's recording; the voices are those of models.

Models   Kokoro-82M by hexgrad, Apache License 2.0
         int8 ONNX export of kokoro-onnx, MIT License, Copyright (c) 2025 github.com/thewh1teagle
         hibari-tts {hibari}, voice "heart", Copyright 2026 Maureese Williams, Apache License 2.0,
         distilled from Kokoro-82M (voice af_heart)
Voices   Kokoro-82M style vectors, Apache License 2.0; guests are single voices and blends of two of all of them
Phones   hibari-tts {hibari}, Apache License 2.0, and invented syllables of our own
Text     the sentence grammar of Changeling, under Changeling's own licence

Voices   {voices}
Packages (SHA-256)
{packages}
"""


@dataclass(frozen=True)
class Voice:
    """One voice of the ensemble, or a guest."""

    name: str
    recipe: str
    """``heart``, or a Kokoro voice or blend."""
    rate: float
    """1 and more: how much smaller the throat is made."""


@dataclass(frozen=True)
class _Scene:
    """Who speaks a sentence, what they say, and whose timing they keep."""

    characters: str
    voices: tuple[Voice, ...]
    timed_by: Voice
    labelled: bool


def parse_voices(text: str) -> tuple[Voice, ...]:
    """Voices from ``name=recipe@rate,...``. Raises `WorkstationError`."""
    voices = []
    for part in text.split(","):
        match = _VOICE.fullmatch(part.strip())
        if match is None:
            raise WorkstationError(f"{part.strip()!r} is not a voice; write name=recipe or name=recipe@1.2")
        voices.append(Voice(match["name"], match["recipe"], float(match["rate"] or 1.0)))
    names = [voice.name for voice in voices]
    if len(set(names)) != len(names) or any(name.startswith(GUEST) for name in names):
        raise WorkstationError("every voice needs a name of its own, and none may be called guest")
    return tuple(voices)


def draw_guest(pool: Sequence[str], index: int, chooser: random.Random, *, foreign: bool) -> Voice:
    """Somebody who speaks sentence ``index``: a Kokoro voice of ``pool`` or a blend of two, grown up or not."""
    able = [name for name in pool if name[0] in VOICE_LANGUAGES] if foreign else list(pool)
    recipe = chooser.choice(able)
    # Blends are people of their own; in another language both halves must speak it.
    partners = [name for name in able if name != recipe and (name[0] == recipe[0] or not foreign)]
    if partners and chooser.random() < 0.6:
        recipe = f"{recipe}+{chooser.choice(partners)}:{chooser.uniform(0.2, 0.6):.2f}"
    return Voice(f"{GUEST}-{index:05d}", recipe, chooser.choice(_GUEST_RATES))


class EnsembleSynthesiser:
    """Sentences in the ensemble's voices and those of guests."""

    licence = f"Apache-2.0 (hibari-tts), {KOKORO_LICENCE}"

    def __init__(self, voices: str = DEFAULT_ENSEMBLE, *, threads: int = 1) -> None:
        """Fetches and prepares the packages on first use. Raises `MissingDependencyError` or `WorkstationError`."""
        self._voices = parse_voices(voices)
        self._kokoro, self._hibari = Kokoro(threads=threads), TimedHibari()
        self._styles = {v.recipe: self._kokoro.style(v.recipe) for v in self._voices if v.recipe != _HEART}
        self._pool = self._kokoro.voice_names()
        self.speakers = tuple(voice.name for voice in self._voices)
        recipes = ",".join(f"{v.name}={v.recipe}@{v.rate:g}" for v in self._voices)
        self.engine = f"ensemble {RECIPE_VERSION} of {ENGINE}, {self._hibari.engine}, voices {recipes}"
        self.licence_text = _LICENCE_TEXT.format(
            hibari=HIBARI_VERSION,
            voices=recipes.replace(",", ", "),
            packages=PACKAGE_LINES,
        )

    def synthesise(self, text: str, index: int) -> Utterance | None:
        """Read one sentence, or invented speech in its place, by those whose turn it is."""
        scene = self._scene(text, index)
        if scene is None:
            return None
        units = self._units(scene)
        sounds = {voice.name: self._speak(voice, scene.characters, units, index) for voice in scene.voices}
        # Speech whose phones are not in our inventory is trimmed alike; any id but silence will do for that.
        ids = sentence_phones(scene.characters) if scene.labelled else [SILENCE, *[1] * (len(units) - 2), SILENCE]
        utterance = trimmed(sounds, labels(ids, units))
        return utterance if utterance is None or scene.labelled else Utterance(utterance.sounds, None)

    def _scene(self, text: str, index: int) -> _Scene | None:
        chooser = random.Random(f"ensemble {index}")
        quick = tuple(voice for voice in self._voices if voice.recipe == _HEART)
        others = [voice for voice in self._voices if voice.recipe != _HEART]
        turn, alone = divmod(index, _TOGETHER_EVERY)
        characters = self._kokoro.characters(text)
        if alone and quick:
            return _Scene(characters, quick, quick[0], labelled=True) if characters else None
        present = tuple(chooser.sample(others, min(len(others), _KOKORO_A_SENTENCE)))
        foreign = turn % _FOREIGN_EVERY == _FOREIGN_EVERY - 1
        guest = draw_guest(self._pool, index, chooser, foreign=foreign)
        if foreign:
            invented = self._kokoro.known(invented_speech(VOICE_LANGUAGES[guest.recipe[0]], chooser))
            return _Scene(invented, (*present, guest), guest, labelled=False)
        voices = (*quick, *present, guest)
        return _Scene(characters, voices, chooser.choice(voices), labelled=True) if characters else None

    def _units(self, scene: _Scene) -> NDArray[np.int64]:
        if scene.timed_by.recipe == _HEART:
            return self._hibari.units(scene.characters)
        return self._kokoro.units(scene.characters, self._style(scene.timed_by))

    def _speak(self, voice: Voice, characters: str, units: NDArray[np.int64], index: int) -> Samples:
        if voice.recipe != _HEART:
            return self._kokoro.speak(characters, self._style(voice), units, voice.rate)
        sound = self._hibari.speak(characters, scaled_units(units, voice.rate), seed=index)
        return played(sound, RATE_HZ, voice.rate, int(units.sum()) * UNIT_SAMPLES)

    def _style(self, voice: Voice) -> NDArray[np.float32]:
        known = self._styles.get(voice.recipe)
        return self._kokoro.style(voice.recipe) if known is None else known
