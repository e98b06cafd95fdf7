"""PortAudio and ALSA behind libraries that the test plays: rates, faults that recover, devices that go away."""

from __future__ import annotations

import builtins
import ctypes
import errno
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edge_runtime.devices import alsa, portaudio
from edge_runtime.devices.sound import SoundNames, open_sound
from edge_runtime.errors import DeviceError, MissingDependencyError


class _PortAudioError(Exception):
    pass


class _Stream:
    """Of a device that gives ones, loses a block once, and is pulled when ``gone`` is set."""

    latency = 0.02
    gone = False
    opened: list[dict[str, Any]]

    def __init__(self, **options: Any) -> None:
        if options["device"] == "nobody":
            raise ValueError("No input device matching 'nobody'")
        self.opened.append(options)
        self.written: list[np.ndarray] = []
        self._reads = 0

    def start(self) -> None:
        return

    def read(self, count: int) -> tuple[np.ndarray, bool]:
        self._check()
        self._reads += 1
        return np.ones((count, 1), np.float32), self._reads == 2

    def write(self, samples: np.ndarray) -> bool:
        self._check()
        self.written.append(samples)
        return len(self.written) == 1

    def close(self, ignore_errors: bool) -> None:
        return

    def _check(self) -> None:
        if type(self).gone:
            raise _PortAudioError("Device\nunavailable")


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> type[_Stream]:
    """A module of that name whose devices take 48 kHz alone."""

    class Stream(_Stream):
        opened: list[dict[str, Any]] = []  # noqa: RUF012

    module: Any = ModuleType("sounddevice")
    module.PortAudioError = _PortAudioError
    module.InputStream = module.OutputStream = Stream

    def check(*, samplerate: int, **options: Any) -> None:
        if samplerate != 48_000:
            raise _PortAudioError("Invalid sample rate")

    module.check_input_settings = module.check_output_settings = check
    module.query_devices = lambda device, kind: {"default_samplerate": 48_000.0}
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return Stream


def test_a_device_that_refuses_the_models_rate_gets_its_own(sounddevice: type[_Stream]) -> None:
    """And blocks of ten milliseconds of it."""
    devices = open_sound(SoundNames("3", "USB", None), 16_000)
    assert (devices.microphone.rate_hz, devices.speaker.rate_hz) == (48_000, 48_000)
    assert [options["device"] for options in sounddevice.opened] == [3, "USB"]
    blocks = [devices.microphone.read() for _ in range(3)]
    assert [len(block) for block in blocks if block is not None] == [480, 480, 480]
    devices.speaker.write(np.zeros(480, np.float32))
    assert (devices.microphone.overruns, devices.speaker.underruns) == (1, 1)
    devices.close()
    devices.close()


def test_portaudio_devices_that_are_wrong_or_pulled_are_one_line(sounddevice: type[_Stream]) -> None:
    """Whatever PortAudio writes."""
    with pytest.raises(DeviceError, match=r"'nobody' cannot be opened \(No input device matching 'nobody'\); "):
        portaudio.PortAudioMicrophone("nobody", None, 16_000)
    microphone = portaudio.PortAudioMicrophone("default", 48_000, 16_000)
    sounddevice.gone = True
    with pytest.raises(DeviceError, match=r"'default' went away \(Device unavailable\)"):
        microphone.read()
    microphone.close()
    with pytest.raises(DeviceError, match="is closed"):
        microphone.read()


@pytest.mark.parametrize(("problem", "text"), [(ImportError(), "changeling.audio"), (OSError(), "libportaudio2")])
def test_what_is_missing_is_named(problem: Exception, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package, or the C library that its wheel does not bring."""
    real_import = builtins.__import__

    def refuse(name: str, *arguments: Any) -> Any:
        if name == "sounddevice":
            raise problem
        return real_import(name, *arguments)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingDependencyError, match=text):
        portaudio.PortAudioSpeaker("3", None, 16_000)


class _Alsa:
    """libasound: ``answers`` are what transfers give one after the other, then everything that is asked for."""

    def __init__(self, *answers: int, opens: int = 0, params: int = 0) -> None:
        self.answers = list(answers)
        self.opens, self.params = opens, params
        self.calls: list[str] = []
        self.played = b""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            return {"snd_pcm_open": self.opens, "snd_pcm_set_params": self.params}.get(name, 0)

        return call

    def snd_strerror(self, code: int) -> bytes:
        return {-errno.ENODEV: b"No such device", -errno.ENOENT: b"No such file"}.get(code, b"Invalid argument")

    def snd_pcm_readi(self, handle: Any, buffer: Any, frames: ctypes.c_ulong) -> int:
        return self.answers.pop(0) if self.answers else frames.value

    def snd_pcm_writei(self, handle: Any, data: bytes, frames: ctypes.c_ulong) -> int:
        done = self.answers.pop(0) if self.answers else frames.value
        self.played += data[: 2 * max(0, done)]
        return done


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[[_Alsa], _Alsa]:
    """Put a library in place of the system's."""

    def use(fake: _Alsa) -> _Alsa:
        monkeypatch.setattr(alsa, "_library", lambda: fake)
        return fake

    return use


def test_alsa_recovers_from_its_own_faults_and_counts_them(library: Callable[[_Alsa], _Alsa]) -> None:
    """A recording that ran over is started again; a playback that ran dry gets the rest of its block."""
    fake = library(_Alsa(-errno.EPIPE))
    microphone = alsa.AlsaMicrophone("plughw:1,0", 16_000)
    blocks = [microphone.read() for _ in range(2)]
    assert [len(block) for block in blocks if block is not None] == [0, 160]
    assert microphone.overruns == 1
    assert "snd_pcm_recover" in fake.calls
    assert fake.calls.count("snd_pcm_start") == 2

    fake = library(_Alsa(-errno.EPIPE, 100))
    speaker = alsa.AlsaSpeaker("", 16_000)
    speaker.write(np.full(160, 0.25, np.float32))
    assert fake.played == b"\x00\x20" * 160
    assert speaker.underruns == 1
    speaker.close()
    speaker.close()
    assert fake.calls.count("snd_pcm_close") == 1


def test_an_alsa_device_that_is_pulled_is_one_line(library: Callable[[_Alsa], _Alsa]) -> None:
    """With ALSA's own words."""
    library(_Alsa(-errno.ENODEV))
    microphone = alsa.AlsaMicrophone("plughw:1,0", 16_000)
    with pytest.raises(DeviceError, match=r"alsa:plughw:1,0 went away \(no such device\)"):
        microphone.read()


def test_an_alsa_device_that_cannot_be_opened_says_what_helps(library: Callable[[_Alsa], _Alsa]) -> None:
    """A wrong name, or hardware that takes no mono; nothing stays open."""
    library(_Alsa(opens=-errno.ENOENT))
    with pytest.raises(DeviceError, match=r"alsa:nobody cannot be opened .*`arecord -L`"):
        alsa.AlsaMicrophone("nobody", 16_000)
    fake = library(_Alsa(params=-errno.EINVAL))
    with pytest.raises(DeviceError, match=r"does not take mono at 16000 Hz .* use alsa:plughw:1,0"):
        alsa.AlsaSpeaker("hw:1,0", 16_000)
    assert "snd_pcm_close" in fake.calls
