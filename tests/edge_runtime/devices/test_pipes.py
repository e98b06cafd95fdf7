"""Raw sound as a device, and the names that choose a library."""

from __future__ import annotations

import importlib.util
import io

import numpy as np
import pytest

from edge_runtime.devices.pipes import PipeMicrophone, PipeSpeaker
from edge_runtime.devices.sound import split_name
from edge_runtime.media.pcm import encode_pcm16


def test_microphone_reads_blocks_until_the_pipe_ends() -> None:
    """Ten milliseconds at once; the rest, then the end; an odd byte is no sample."""
    sound = (np.arange(200) / 1024.0).astype(np.float32)
    microphone = PipeMicrophone(16_000, io.BytesIO(encode_pcm16(sound) + b"\x01"))
    blocks = [microphone.read() for _ in range(3)]
    assert [None if block is None else len(block) for block in blocks] == [160, 40, None]
    np.testing.assert_array_equal(np.concatenate(blocks[:2]), sound)  # type: ignore[arg-type]


def test_speaker_keeps_the_pace_of_its_clock() -> None:
    """A second of sound takes a second, however fast the pipe is; after a pause it does not rush."""
    now_s, sink = [0.0], io.BytesIO()

    def sleep(seconds: float) -> None:
        now_s[0] += seconds

    speaker = PipeSpeaker(16_000, sink, clock=lambda: now_s[0], sleep=sleep)
    for _ in range(101):
        speaker.write(np.zeros(160, np.float32))
    assert now_s[0] == pytest.approx(1.0)
    assert len(sink.getvalue()) == 101 * 320
    now_s[0] += 60.0
    for _ in range(201):
        speaker.write(np.zeros(160, np.float32))
    assert now_s[0] == pytest.approx(61.0 + 1.01, abs=0.02)


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("-", ("pipe", "")),
        ("pulse:", ("pulse", "")),
        ("pulse:mic.monitor", ("pulse", "mic.monitor")),
        ("alsa:plughw:1,0", ("alsa", "plughw:1,0")),
        ("USB Audio: - (hw:1,0)", ("portaudio", "USB Audio: - (hw:1,0)")),
        ("3", ("portaudio", "3")),
    ],
)
def test_a_name_says_which_library_is_meant(name: str, library: tuple[str, str]) -> None:
    """ALSA's own names have colons too."""
    assert split_name(name) == library


def test_default_is_alsa_where_sounddevice_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board needs no package for its own microphone."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert split_name("default") == ("alsa", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert split_name("default") == ("portaudio", "default")
