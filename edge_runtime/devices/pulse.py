"""PulseAudio and PipeWire (through its PulseAudio server), by libpulse-simple."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from edge_runtime.devices.shared_library import load_library
from edge_runtime.devices.sound import BLOCK_S
from edge_runtime.errors import DeviceError
from edge_runtime.media.pcm import Samples

_PLAY, _RECORD = 1, 2
_FLOAT32LE = 5
_UNSET = 0xFFFFFFFF
_BUFFER_S = 0.03
"""What the server may hold for us; less makes a small board miss its turn."""


class _SampleSpec(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _BufferAttributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


@functools.cache
def _library() -> Any:
    library = load_library("pulse-simple", "libpulse-simple.so.0", "libpulse0")
    library.pa_simple_new.restype = ctypes.c_void_p
    library.pa_simple_get_latency.restype = ctypes.c_uint64
    return library


@functools.cache
def _errors() -> Any:
    library = load_library("pulse", "libpulse.so.0", "libpulse0")
    library.pa_strerror.restype = ctypes.c_char_p
    return library


class _Connection:
    """One stream to the server."""

    def __init__(self, direction: int, name: str, rate_hz: int) -> None:
        self._what = f"pulse:{name}"
        self._handle: int | None = None
        spec = _SampleSpec(_FLOAT32LE, rate_hz, 1)
        block_bytes = 4 * round(BLOCK_S * rate_hz)
        buffer_bytes = 4 * round(_BUFFER_S * rate_hz)
        attributes = _BufferAttributes(_UNSET, buffer_bytes, _UNSET, block_bytes, block_bytes)
        error = ctypes.c_int(0)
        handle = _library().pa_simple_new(
            None,
            b"changeling",
            direction,
            name.encode() or None,
            b"live voice",
            ctypes.byref(spec),
            None,
            ctypes.byref(attributes),
            ctypes.byref(error),
        )
        if not handle:
            raise DeviceError(
                f"{self._what} cannot be opened ({_text(error)}); `pactl list short` shows sources and sinks"
            )
        self._handle = handle

    def call(self, function: Any, *arguments: Any) -> int:
        """Call with the stream first and the error last. Raises `DeviceError`."""
        if self._handle is None:
            raise DeviceError(f"{self._what} is closed")
        error = ctypes.c_int(0)
        result = function(ctypes.c_void_p(self._handle), *arguments, ctypes.byref(error))
        if error.value:
            raise DeviceError(f"{self._what} went away ({_text(error)})")
        return int(result)

    def close(self) -> None:
        """End the stream."""
        if self._handle is not None:
            _library().pa_simple_free(ctypes.c_void_p(self._handle))
            self._handle = None


def _text(error: ctypes.c_int) -> str:
    return str(_errors().pa_strerror(error).decode("utf-8", "replace")).lower()


class PulseMicrophone:
    """A source by its name; empty is the default source."""

    overruns = 0
    latency_s = 0.0
    waits = False

    def __init__(self, name: str, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._block = np.zeros(round(BLOCK_S * rate_hz), np.float32)
        self._connection = _Connection(_RECORD, name, rate_hz)

    def read(self) -> Samples | None:
        """See `Microphone.read`."""
        data = self._block.ctypes.data_as(ctypes.c_void_p)
        self._connection.call(_library().pa_simple_read, data, ctypes.c_size_t(self._block.nbytes))
        return self._block.copy()

    def close(self) -> None:
        """See `Microphone.close`."""
        self._connection.close()


class PulseSpeaker:
    """A sink by its name; empty is the default sink."""

    underruns = 0

    def __init__(self, name: str, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.block_samples = round(BLOCK_S * rate_hz)
        self._connection = _Connection(_PLAY, name, rate_hz)
        self.latency_s = _BUFFER_S

    def write(self, samples: Samples) -> None:
        """See `Speaker.write`."""
        block = np.ascontiguousarray(samples, np.float32)
        data = block.ctypes.data_as(ctypes.c_void_p)
        self._connection.call(_library().pa_simple_write, data, ctypes.c_size_t(block.nbytes))

    def close(self) -> None:
        """See `Speaker.close`."""
        self._connection.close()
