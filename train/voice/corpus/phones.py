"""The phone inventory, and which phone sounds in which 10 ms frame of a synthesised sentence.

The grapheme-to-phone converter gives one string a sentence in the alphabet of its model: one character a phone or
diphthong, stress and length marks, punctuation and spaces; the synthesiser gives each character a duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import WorkstationError
from train.voice.dataset import HOP_LENGTH

SILENCE: Final = 0
PHONES: Final = ("sil", *"bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ", *"AIOWYiuæɑɐɔəɛɜɪʊʌᵊᵻ")
"""Index = phone id. Capitals are diphthongs: A as in day, I as in my, O as in go, W as in cow, Y as in boy."""

_SAME_AS: Final = {"T": "ɾ"}
_BEFORE: Final = "ˈˌ"
_AFTER: Final = "ː"
_PAUSES: Final = ';:,.!?—…"()“”'
_IDS: Final = {phone: index for index, phone in enumerate(PHONES)}


def character_phones(characters: str) -> list[int]:
    """Phone id of every character of a phone string.

    Stress marks count as the phone after them and length marks as the one before. A space next to punctuation is
    silence; any other is the pause-free passage between two words and counts as the phone before it.
    Raises `WorkstationError` for a character outside the inventory.
    """
    ids = [_single(character) for character in characters]
    for i in reversed(range(len(ids))):
        if characters[i] in _BEFORE:
            ids[i] = ids[i + 1] if i + 1 < len(ids) else SILENCE
    for i, character in enumerate(characters):
        if character in _AFTER:
            ids[i] = ids[i - 1] if i else SILENCE
        elif character == " ":
            after = ids[i + 1] if i + 1 < len(ids) else SILENCE
            ids[i] = SILENCE if i == 0 or after == SILENCE else ids[i - 1]
    return ids


def sentence_phones(characters: str) -> list[int]:
    """Phone id of every character of a sentence and of the silence at both ends (len + 2)."""
    return [SILENCE, *character_phones(characters), SILENCE]


def frame_phones(ids: Sequence[int], lengths_samples: Sequence[int], lead_samples: int) -> NDArray[np.int16]:
    """Phone id of every whole 10 ms hop, int16 (sum(lengths) // 160,): the phone at the hop's middle sample.

    ``lead_samples`` is by how much the sound comes earlier than the lengths say.
    """
    ends = np.cumsum(np.asarray(lengths_samples, np.int64))
    middles = np.arange(int(ends[-1]) // HOP_LENGTH) * HOP_LENGTH + HOP_LENGTH // 2
    positions = np.searchsorted(ends - lead_samples, middles, side="right")
    return np.asarray(ids, np.int16)[np.minimum(positions, len(ids) - 1)]


def _single(character: str) -> int:
    character = _SAME_AS.get(character, character)
    if character in _IDS:
        return _IDS[character]
    if character in _PAUSES or character in _BEFORE or character in _AFTER or character == " ":
        return SILENCE
    raise WorkstationError(f"the phone {character!r} is not in the inventory; install the pinned hibari-tts again")
