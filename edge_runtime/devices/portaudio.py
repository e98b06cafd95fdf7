"""Sound devices of PortAudio, through sounddevice, which is imported here and nowhere else."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from edge_runtime.devices.sound import BLOCK_S, DEFAULT
from edge_runtime.errors import DeviceError, MissingDependencyError
from edge_runtime.media.pcm import Samples

_LATENCY_S = 0.03


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ImportError:
        raise MissingDependencyError(
            'this device needs sounddevice: pip install "changeling[audio]"; or name alsa:NAME or pulse:NAME'
        ) from None
    except OSError:  # the package is there and its C library is not
        raise MissingDependencyError(
            "sounddevice needs the library PortAudio: sudo apt install libportaudio2; or name alsa:NAME or pulse:NAME"
        ) from None
    module: ModuleType = sounddevice
    return module


def rescan() -> None:
    """Look for devices again: PortAudio lists them once. No stream may be open."""
    library = _sounddevice()
    library._terminate()  # the documented way is to restart the process
    library._initialize()


def list_devices() -> list[tuple[str, int, int]]:
    """Name, inputs and outputs of every device."""
    return [
        (str(entry["name"]), int(entry["max_input_channels"]), int(entry["max_output_channels"]))
        for entry in _sounddevice().query_devices()
    ]


def _device(name: str) -> int | str | None:
    if name == DEFAULT:
        return None
    return int(name) if name.isdigit() else name


class _Stream:
    """What both directions share: the rate that the device takes, and its errors in one line."""

    def __init__(self, kind: str, name: str, rate_hz: int | None, model_rate_hz: int) -> None:
        self._library = library = _sounddevice()
        self._name = name
        self._stream: Any = None
        device = _device(name)
        check = getattr(library, f"check_{kind}_settings")
        try:
            self.rate_hz = rate_hz or model_rate_hz
            if rate_hz is None and not _accepts(library, check, device, model_rate_hz):
                self.rate_hz = round(library.query_devices(device, kind)["default_samplerate"])
            stream_class = library.InputStream if kind == "input" else library.OutputStream
            block = round(BLOCK_S * self.rate_hz)
            self._stream = stream_class(
                samplerate=self.rate_hz, device=device, channels=1, dtype="float32", blocksize=block, latency=_LATENCY_S
            )
            self._stream.start()
        except (library.PortAudioError, ValueError) as problem:
            self.close()
            text = " ".join(str(problem).split())
            raise DeviceError(
                f"{kind} device {name!r} cannot be opened ({text}); `changeling doctor` lists what there is"
            ) from None
        self.block_samples = block
        self.latency_s = float(self._stream.latency)

    def call(self, method: str, argument: Any) -> Any:
        """Read or write. Raises `DeviceError`."""
        if self._stream is None:
            raise DeviceError(f"device {self._name!r} is closed")
        try:
            return getattr(self._stream, method)(argument)
        except self._library.PortAudioError as problem:
            raise DeviceError(f"device {self._name!r} went away ({' '.join(str(problem).split())})") from None

    def close(self) -> None:
        """Give the device back at once."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)


def _accepts(library: ModuleType, check: Any, device: int | str | None, rate_hz: int) -> bool:
    try:
        check(device=device, channels=1, dtype="float32", samplerate=rate_hz)
    except library.PortAudioError:
        return False
    return True


class PortAudioMicrophone(_Stream):
    """An input device by number or part of its name."""

    waits = False

    def __init__(self, name: str, rate_hz: int | None, model_rate_hz: int) -> None:
        self.overruns = 0
        super().__init__("input", name, rate_hz, model_rate_hz)

    def read(self) -> Samples | None:
        """See `Microphone.read`."""
        data, overflowed = self.call("read", self.block_samples)
        self.overruns += bool(overflowed)
        return np.array(data[:, 0])


class PortAudioSpeaker(_Stream):
    """An output device by number or part of its name."""

    def __init__(self, name: str, rate_hz: int | None, model_rate_hz: int) -> None:
        self.underruns = 0
        super().__init__("output", name, rate_hz, model_rate_hz)

    def write(self, samples: Samples) -> None:
        """See `Speaker.write`."""
        self.underruns += bool(self.call("write", np.ascontiguousarray(samples, np.float32)[:, None]))
