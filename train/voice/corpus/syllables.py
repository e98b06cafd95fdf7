"""Invented speech with the sounds of other languages: words of no meaning, in phones, for voices that speak them.

An encoder that has heard English only takes a French nasal or a Spanish trill for noise. Real text would need a
text-to-phones converter for every language; syllables drawn from a language's inventory cover its sounds without one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Inventory:
    """The sounds of one language as its synthetic voices know them; each item is a string of phone characters."""

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]
    closed_share: float
    """Share of syllables with a coda."""


_COMMON: Final = tuple("pbtdkɡmnlfs")

INVENTORIES: Final[dict[str, Inventory]] = {
    "spanish": Inventory(
        (*_COMMON, *"βðɣxɲʎɾrʧ", "pɾ", "tɾ", "kl", "ɡɾ", "bl"), (*"aaeeioou", "ja", "we", "aj"), tuple("nslɾ"), 0.3
    ),
    "french": Inventory(
        (*_COMMON, *"vzʃʒʁwjɲ", "tʁ", "pl", "kʁ", "ɡʁ"),
        (*"aɛeioɔuyøœə", "ɑ̃", "ɛ̃", "ɔ̃", "wa", "ɥi"),
        (*"ʁlstk", "ʒ", "bl"),
        0.25,
    ),
    "italian": Inventory(
        (*_COMMON, *"vzɲʎɾʦʣʧʤʃ", "tɾ", "sp", "kw", "str"), (*"aaeɛiooɔu", "ja", "wo"), (*"nlɾs", "tt", "ll"), 0.3
    ),
    "portuguese": Inventory(
        (*_COMMON, *"vzʃʒɲʎɾʁ", "pɾ", "tɾ"), (*"aaeɛioɔuɐ", "ɐ̃", "ẽ", "õ", "aw", "ej"), tuple("ʃɾls"), 0.25
    ),
    "japanese": Inventory(
        (*"ptkbdɡmnszhɾwjɸçɕʥʨʦ", "kj", "mj", "ɾj"), (*"aaiieoo", "ɯ", "oː", "eː"), ("ɴ", "n", "k"), 0.15
    ),
    "mandarin": Inventory(
        (*"pthkmnlfsxwjɕʨʂɻ", "pʰ", "tʰ", "kʰ", "ʦ", "ʦʰ", "ʨʰ"),
        (*"aieouyɤ", "ai", "ei", "au", "ou", "ja", "wa", "we"),
        tuple("nŋ"),
        0.35,
    ),
    "hindi": Inventory(
        (*_COMMON, *"ʋjhɾzʃʈɖʧʤ", "bʰ", "dʰ", "kʰ", "tʰ"), (*"əəaieouɪʊɛɔ", "aː", "iː", "uː"), tuple("nɾlkts"), 0.35
    ),
}

VOICE_LANGUAGES: Final = {
    "e": "spanish",
    "f": "french",
    "h": "hindi",
    "i": "italian",
    "j": "japanese",
    "p": "portuguese",
    "z": "mandarin",
}
"""The language of a Kokoro voice by the first letter of its name; English voices are not in it."""


def invented_speech(language: str, chooser: random.Random) -> str:
    """One utterance of 4 to 9 invented words as a phone string, stressed, with pauses and an end mark."""
    inventory = INVENTORIES[language]
    words = [_word(inventory, chooser) for _ in range(chooser.randint(4, 9))]
    text = words[0]
    for word in words[1:]:
        text += (", " if chooser.random() < 0.15 else " ") + word
    return text + chooser.choice("..?!")


def _word(inventory: Inventory, chooser: random.Random) -> str:
    count = chooser.choice((1, 2, 2, 3, 3, 4))
    stressed = max(0, count - 1 - chooser.choice((0, 1, 1)))
    return "".join(
        ("ˈ" if index == stressed else "") + _syllable(inventory, chooser, initial=index == 0) for index in range(count)
    )


def _syllable(inventory: Inventory, chooser: random.Random, *, initial: bool) -> str:
    onset = "" if initial and chooser.random() < 0.15 else chooser.choice(inventory.onsets)
    coda = chooser.choice(inventory.codas) if chooser.random() < inventory.closed_share else ""
    return onset + chooser.choice(inventory.vowels) + coda
