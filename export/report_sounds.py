"""The part of an export's report that is heard: recordings, Keras and every file beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from export.listen import KERAS, SOURCE, Sounds
from export.report_media import level_db, picture_uri, wav_uri


def listening(model: str, sounds: Sequence[Sounds], sample_rate_hz: int) -> str:
    """Part of the report's page: the recordings of ``sounds`` by every maker, at ``sample_rate_hz``."""
    parts = []
    ordered = sorted(sounds, key=lambda sound: sound.clip)  # stable: the makers keep their order
    for clip, group in groupby(ordered, key=lambda sound: sound.clip):
        entries = list(group)
        levels = [level_db(sound.samples) for sound in entries]
        # the recording has its own loudness; what was made from it is compared on one scale
        top = max(float(picture.max()) for picture in levels)
        seconds = len(entries[0].samples) / sample_rate_hz
        figures = "".join(
            _figure(model, sound, picture_uri(picture, top), sample_rate_hz)
            for sound, picture in zip(entries, levels, strict=True)
        )
        voice = escape(entries[0].voice)
        parts.append(f"<h3>{escape(clip)} → {voice}</h3><div class=grid>{figures}</div>")
        parts.append(f'<p class="soft">0 to {seconds:.1f} s, 0 to {sample_rate_hz / 2000:.0f} kHz, 75 dB.</p>')
    return f"<h2>Listen and compare</h2>{''.join(parts)}" if parts else ""


def _figure(model: str, sound: Sounds, picture: str, sample_rate_hz: int) -> str:
    mark = "" if sound.label == SOURCE else model
    audio = wav_uri(sound.samples, sample_rate_hz, model=mark, voice=sound.voice)
    label = {SOURCE: "the recording", KERAS: "Keras (float32, workstation)"}.get(sound.label, sound.label)
    return (
        f"<figure><figcaption>{escape(label)}</figcaption>"
        f'<img alt="spectrogram of {escape(label)}" src="{picture}">'
        f'<audio controls preload="none" src="{audio}"></audio></figure>'
    )
