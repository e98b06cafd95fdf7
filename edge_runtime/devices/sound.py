"""Microphones and speakers by name: what they are like, and who opens them.

Names: ``pulse:NAME`` and ``alsa:NAME`` (the system's own libraries, no package needed; an empty NAME is the default
device), ``-`` (raw 16-bit mono PCM on stdin or stdout), anything else PortAudio's, by number or part of the name (the
extra ``audio``). ``default`` is PortAudio's where sounddevice is installed, else ALSA's.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Protocol

from edge_runtime.media.pcm import Samples

DEFAULT = "default"
PIPE = "-"
BLOCK_S = 0.01
"""What is read and written at once."""


class Microphone(Protocol):
    """An open source of mono sound; float32 in [-1, 1]."""

    @property
    def rate_hz(self) -> int:
        """Of what `read` gives."""

    @property
    def latency_s(self) -> float:
        """How old the newest sample is when `read` gives it, as far as the device tells."""

    @property
    def overruns(self) -> int:
        """How often the device lost sound because nobody read in time."""

    @property
    def waits(self) -> bool:
        """Whether it waits to be read, as a pipe does, instead of losing sound."""

    def read(self) -> Samples | None:
        """The next block (n,), once it is there; None when the source has ended. Raises `DeviceError`."""

    def close(self) -> None:
        """Give the device back; may be called twice."""


class Speaker(Protocol):
    """An open sink of mono sound."""

    @property
    def rate_hz(self) -> int:
        """Of what `write` takes."""

    @property
    def latency_s(self) -> float:
        """How long a sample takes to be heard after `write` took it."""

    @property
    def block_samples(self) -> int:
        """How many samples it is given at once."""

    @property
    def underruns(self) -> int:
        """How often the device had nothing to play."""

    def write(self, samples: Samples) -> None:
        """Take a block (n,), once there is room for it. Raises `DeviceError`."""

    def close(self) -> None:
        """Give the device back; may be called twice."""


@dataclass(frozen=True)
class SoundNames:
    """Which devices are meant."""

    microphone: str
    speaker: str
    rate_hz: int | None
    """Asked for by the user; None lets the device choose, the model's rate first."""


@dataclass(frozen=True)
class SoundDevices:
    """Both ends, open."""

    microphone: Microphone
    speaker: Speaker

    def close(self) -> None:
        """Give both back."""
        self.microphone.close()
        self.speaker.close()


def open_sound(names: SoundNames, model_rate_hz: int) -> SoundDevices:
    """Open both devices. Raises `DeviceError`, and `MissingDependencyError` when a library for them is not there."""
    microphone = open_microphone(names.microphone, names.rate_hz, model_rate_hz)
    try:
        return SoundDevices(microphone, open_speaker(names.speaker, names.rate_hz, model_rate_hz))
    except BaseException:
        microphone.close()
        raise


def open_microphone(name: str, rate_hz: int | None, model_rate_hz: int) -> Microphone:
    """One microphone by its name; see `open_sound`."""
    library, name = split_name(name)
    if library == "pipe":
        from edge_runtime.devices.pipes import PipeMicrophone

        return PipeMicrophone(rate_hz or model_rate_hz)
    if library == "pulse":
        from edge_runtime.devices.pulse import PulseMicrophone

        return PulseMicrophone(name, rate_hz or model_rate_hz)
    if library == "alsa":
        from edge_runtime.devices.alsa import AlsaMicrophone

        return AlsaMicrophone(name, rate_hz or model_rate_hz)
    from edge_runtime.devices.portaudio import PortAudioMicrophone

    return PortAudioMicrophone(name, rate_hz, model_rate_hz)


def open_speaker(name: str, rate_hz: int | None, model_rate_hz: int) -> Speaker:
    """One speaker by its name; see `open_sound`."""
    library, name = split_name(name)
    if library == "pipe":
        from edge_runtime.devices.pipes import PipeSpeaker

        return PipeSpeaker(rate_hz or model_rate_hz)
    if library == "pulse":
        from edge_runtime.devices.pulse import PulseSpeaker

        return PulseSpeaker(name, rate_hz or model_rate_hz)
    if library == "alsa":
        from edge_runtime.devices.alsa import AlsaSpeaker

        return AlsaSpeaker(name, rate_hz or model_rate_hz)
    from edge_runtime.devices.portaudio import PortAudioSpeaker

    return PortAudioSpeaker(name, rate_hz, model_rate_hz)


def rescan(names: SoundNames) -> None:
    """Look for devices that were not there before; none may be open."""
    if "portaudio" in {split_name(names.microphone)[0], split_name(names.speaker)[0]}:
        from edge_runtime.devices import portaudio

        portaudio.rescan()


def split_name(name: str) -> tuple[str, str]:
    """The library ("pipe", "pulse", "alsa" or "portaudio") and its own name of the device."""
    if name == PIPE:
        return "pipe", ""
    library, colon, rest = name.partition(":")
    if colon and library in ("pulse", "alsa"):
        return library, rest
    if name == DEFAULT and importlib.util.find_spec("sounddevice") is None:
        return "alsa", ""
    return "portaudio", name
