"""ALSA devices by libasound, with the plugs' own conversion of rate and channels: what every board has."""

from __future__ import annotations

import ctypes
import errno
import functools
from typing import Any

import numpy as np

from edge_runtime.devices.shared_library import load_library
from edge_runtime.devices.sound import BLOCK_S
from edge_runtime.errors import DeviceError
from edge_runtime.media.pcm import Samples, decode, encode_pcm16

_PLAY, _RECORD = 0, 1
_S16_LE, _INTERLEAVED = 2, 3
_BUFFER_S = 0.04
_RECOVERABLE = (errno.EPIPE, errno.ESTRPIPE, errno.EINTR)

_QUIET = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)


_say_nothing = _QUIET(lambda file, line, function, code, text: None)
"""libasound would write to stderr what the exception says already."""


@functools.cache
def _library() -> Any:
    library = load_library("asound", "libasound.so.2", "libasound2")
    library.snd_strerror.restype = ctypes.c_char_p
    for name in ("snd_pcm_readi", "snd_pcm_writei"):
        getattr(library, name).restype = ctypes.c_long
    library.snd_lib_error_set_handler(_say_nothing)
    return library


class _Pcm:
    """One open PCM, and how often it ran over or dry."""

    def __init__(self, direction: int, name: str, rate_hz: int) -> None:
        self.name = name or "default"
        self.faults = 0
        self._handle: ctypes.c_void_p | None = None
        handle = ctypes.c_void_p()
        self._check(
            _library().snd_pcm_open(ctypes.byref(handle), self.name.encode(), direction, 0),
            "cannot be opened",
            "; `arecord -L` and `aplay -L` list them",
        )
        self._handle = handle
        microseconds = round(_BUFFER_S * 1e6)
        code = _library().snd_pcm_set_params(handle, _S16_LE, _INTERLEAVED, 1, rate_hz, 1, microseconds)
        if code < 0:
            self.close()
            plug = f"; use alsa:plug{self.name}" if self.name.startswith("hw") else "; try --rate"
            self._check(code, f"does not take mono at {rate_hz} Hz", plug)
        if direction == _RECORD:
            self._check(_library().snd_pcm_start(handle), "does not start", "")

    def transfer(self, function: Any, buffer: Any, frames: int) -> int:
        """Read or write ``frames``; gives how many. Raises `DeviceError` when the device is gone."""
        if self._handle is None:
            raise DeviceError(f"alsa:{self.name} is closed")
        done = int(function(self._handle, buffer, ctypes.c_ulong(frames)))
        if done >= 0:
            return done
        if -done in _RECOVERABLE:
            self.faults += 1
            self._check(_library().snd_pcm_recover(self._handle, done, 1), "went away", "")
            return 0
        self._check(done, "went away", "")
        return 0

    def start(self) -> None:
        """Run a recording again after it ran over; one that runs stays as it is."""
        _library().snd_pcm_start(self._handle)

    def close(self) -> None:
        """Give the device back."""
        if self._handle is not None:
            _library().snd_pcm_close(self._handle)
            self._handle = None

    def _check(self, code: int, what: str, remedy: str) -> None:
        if code < 0:
            text = _library().snd_strerror(code).decode("utf-8", "replace").lower()
            raise DeviceError(f"alsa:{self.name} {what} ({text}){remedy}")


class AlsaMicrophone:
    """A capture PCM by its ALSA name, such as ``plughw:1,0``; empty is ``default``."""

    latency_s = 0.0
    waits = False

    def __init__(self, name: str, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._frames = round(BLOCK_S * rate_hz)
        self._buffer = ctypes.create_string_buffer(2 * self._frames)
        self._pcm = _Pcm(_RECORD, name, rate_hz)

    @property
    def overruns(self) -> int:
        """See `Microphone.overruns`."""
        return self._pcm.faults

    def read(self) -> Samples | None:
        """See `Microphone.read`."""
        got = self._pcm.transfer(_library().snd_pcm_readi, self._buffer, self._frames)
        if got == 0:
            self._pcm.start()
        return decode(self._buffer.raw[: 2 * got], is_float=False, width=2)

    def close(self) -> None:
        """See `Microphone.close`."""
        self._pcm.close()


class AlsaSpeaker:
    """A playback PCM by its ALSA name; empty is ``default``."""

    def __init__(self, name: str, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.block_samples = round(BLOCK_S * rate_hz)
        self._pcm = _Pcm(_PLAY, name, rate_hz)
        self.latency_s = _BUFFER_S

    @property
    def underruns(self) -> int:
        """See `Speaker.underruns`."""
        return self._pcm.faults

    def write(self, samples: Samples) -> None:
        """See `Speaker.write`."""
        data = encode_pcm16(np.asarray(samples))
        while data:
            done = self._pcm.transfer(_library().snd_pcm_writei, data, len(data) // 2)
            data = data[2 * done :]

    def close(self) -> None:
        """See `Speaker.close`."""
        self._pcm.close()
