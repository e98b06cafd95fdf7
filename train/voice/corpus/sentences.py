"""Sentences for synthesis from a small grammar of our own: no text of others, the same list for the same seed.

Templates hold slots such as ``{thing}``; numbers are spelled out here, so that what is read aloud does not depend on
anybody's number rules. Statements, questions, exclamations, lists, numbers and names, 3 to about 30 words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Final

from train.voice.corpus import words

_SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "name": words.NAMES,
    "who": words.NAMES + words.RELATIVES,
    "thing": words.THINGS,
    "things": words.PLURALS,
    "stuff": words.STUFF,
    "place": words.PLACES,
    "time": words.TIMES,
    "adj": words.ADJECTIVES,
    "adv": words.ADVERBS,
    "past": words.PAST,
    "base": words.BASE,
    "moved": words.MOTIONS,
    "animal": words.ANIMALS,
    "weather": words.WEATHER,
    "feeling": words.FEELINGS,
    "opener": words.OPENERS,
    "wow": words.EXCLAMATIONS,
    "color": words.COLORS,
    "job": words.JOBS,
}

_TEMPLATES: Final = (
    "{who} {past} the {adj} {thing}.",
    "{who} {past} the {thing} {place}.",
    "{who} {moved} home {time}.",
    "{time}, {who} {past} {number} {things}.",
    "{opener}, the {thing} was {adj} and {adj}.",
    "The {animal} {moved} past the {thing} {place}.",
    "The {adj} {animal} and the {adj} {animal} shared some {stuff}.",
    "There are {number} {things} {place}.",
    "There is hardly any {stuff} left {place}.",
    "It was {weather} {time}, so {who} {moved} {adv}.",
    "It will be {weather} in the north and {weather} in the south.",
    "If {who} had {past} the {thing}, we would have {moved} away.",
    "When {name} {past} the {thing}, {name} could not hide any {feeling}.",
    "{name} wants to be {job}, but {name} would rather be {job}.",
    "{who} used to be {job} {time}.",
    "Nobody could {base} the {thing}, because it was far too {adj}.",
    "You should {base} the {things} before you {base} the {adj} {thing}.",
    "We need {stuff}, {stuff}, {number} {things} and a {color} {thing}.",
    "Put the {color} {thing} next to the {color} one {place}.",
    "Please {base} the {things} {adv}.",
    "Please call {name} at {digits}.",
    "The train to platform {number} leaves at {clock}.",
    "That {thing} costs {number} dollars and {number} cents.",
    "Room {number} is {place}, just past the {thing}.",
    "The {things} were {adj}, the {things} were {adj}, and {who} was full of {feeling}.",
    "With {feeling} and a little {stuff}, {who} {past} another {thing}.",
    "{who} said that the {thing} {place} was made of {stuff}.",
    "{name} and {name} {moved} {place}, where {number} {things} stood in a row.",
    "Between you and me, {who} {past} the {adj} {things} {adv}.",
    "Neither {name} nor {name} {past} the {thing} {time}.",
    "Not every {animal} is {adj}; some are {adj}.",
    "She sells {things}, he sells {things}, and they both enjoy {stuff}.",
    "The {animal} that {past} the {thing} belongs to {who}.",
    "My {thing} is {adj}, yours is {adj}, and theirs is in the {color} box.",
    "Half of the {things} {place} are {color}.",
    "A {adj} {thing}, a {adj} {thing}, and a {animal}: that was all.",
    "{time}, the {adj} {animal} {moved} {place}, and {who} {past} it {adv}.",
    "{who} told me a long story about {things}, {things}, and the {adj} {thing} that somebody {past} {time}.",
    "Although it was {weather}, {who} {moved} {place}, {past} the {thing}, and came back with {number} {things}.",
    "Where is the {adj} {thing}?",
    "Who {past} the {thing} {place}?",
    "Why did {who} {base} the {adj} {thing}?",
    "How many {things} did {name} {base} {time}?",
    "Would you rather {base} the {things} or {base} the {thing}?",
    "Is it {weather} {place}, or did {name} make that up?",
    "Have you ever seen a {color} {animal} {place}?",
    "Do you think {who} could {base} a {thing} without any {stuff}?",
    "What would you do with {number} {adj} {things}?",
    "Which {thing} is {adj}, the {color} one or the {color} one?",
    "You {past} the {thing}, didn't you?",
    "{wow}! The {thing} is {adj}!",
    "{wow}! {who} {past} all {number} {things}!",
    "{wow}, what a {adj} {animal}!",
    "What a {adj} {thing} that is!",
    "Don't {base} the {thing}!",
    "Stop! That {thing} is much too {adj}!",
    "Hurry up, {name}, the {animal} is {place}!",
    "Good morning, {name}. Did you {base} the {things}?",
    "Thank you, {name}. The {thing} is {adj}.",
    "Yes, {name}, {adv}.",
    "No, the {color} one.",
    "{number}, {number}, {number}, go!",
    "Maybe {time}.",
    "{feeling} and {feeling} are not the same thing.",
    "More {stuff}, less {stuff}.",
    "I can't {base} the {thing}, but I'll {base} the {things}.",
    "They never {moved} {place}, and they weren't going to start {time}.",
    "He'd have {past} the {adj} {thing} if she hadn't {past} it first.",
    "We're sure that it's {adj}; you'd say it's {adj}.",
    "As the {thing} grew {adj}, the {things} around it seemed {adj}.",
)

_ONES: Final = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SLOT: Final = re.compile(r"\{(\w+)\}")
_VOWEL_SOUND: Final = re.compile(r"^(?!u[^aeiou\W]*(?:[aeiou]|$)|eu|one|yo)[aeiou]|^(?:ugly|umbrella|hour|honest)")
_ARTICLE: Final = re.compile(r"\b([Aa]) (\w+)")


def sentences(seed: int) -> Iterator[str]:
    """Yield distinct sentences without end; the same ones, in the same order, for the same ``seed``."""
    chooser = random.Random(f"changeling sentences {seed}")
    seen: set[str] = set()
    while True:
        order = list(_TEMPLATES)
        chooser.shuffle(order)
        for template in order:
            sentence = _fill(template, chooser)
            if sentence not in seen:
                seen.add(sentence)
                yield sentence


def spell_number(value: int) -> str:
    """English words for 0 <= value < 1000000: 1204 -> "one thousand two hundred four"."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")
    unit, name = (100, "hundred") if value < 1000 else (1000, "thousand")
    head, rest = divmod(value, unit)
    return f"{spell_number(head)} {name}" + (f" {spell_number(rest)}" if rest else "")


def _fill(template: str, chooser: random.Random) -> str:
    used: set[str] = set()

    def choose(match: re.Match[str]) -> str:
        kind = match.group(1)
        word = _number(kind, chooser) if kind in ("number", "digits", "clock") else chooser.choice(_SLOTS[kind])
        while word in used:
            word = _number(kind, chooser) if kind not in _SLOTS else chooser.choice(_SLOTS[kind])
        used.add(word)
        return word

    text = _ARTICLE.sub(_agree, _SLOT.sub(choose, template))
    return re.sub(r"(^|[.!?] )([a-z])", lambda match: match.group(1) + match.group(2).upper(), text)


def _number(kind: str, chooser: random.Random) -> str:
    if kind == "digits":
        return ", ".join(" ".join(_ONES[chooser.randrange(10)] for _ in range(3)) for _ in range(2))
    if kind == "clock":
        minutes = chooser.choice(["", " fifteen", " thirty", " forty-five", " oh five", " twenty-two", " fifty-nine"])
        return _ONES[chooser.randrange(1, 13)] + (minutes or " o'clock")
    limit = chooser.choice([13, 13, 13, 100, 100, 100, 1000, 100_000])
    return spell_number(chooser.randrange(2, limit))


def _agree(match: re.Match[str]) -> str:
    """The article "a" or "an" before the word that follows it."""
    article, word = match.groups()
    return f"{article}n {word}" if _VOWEL_SOUND.match(word.lower()) else f"{article} {word}"
