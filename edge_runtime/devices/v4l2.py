"""A virtual camera that other programs can look through: a device of the kernel module v4l2loopback, in YUYV.

The ioctl and its structure are those of <linux/videodev2.h>.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DeviceError
from edge_runtime.files import reason

Image = NDArray[np.uint8]

_OUTPUT, _FIELD_NONE, _SRGB = 2, 1, 8
_YUYV = int.from_bytes(b"YUYV", "little")
_POINTER = struct.calcsize("P")
_HEAD = 4 if _POINTER == 4 else 8
"""The type, padded to where the union of pointers begins."""
FORMAT_BYTES = _HEAD + 200
VIDIOC_S_FMT = 3 << 30 | FORMAT_BYTES << 16 | ord("V") << 8 | 5

_RGB_TO_YUV = np.array([[66, 129, 25], [-38, -74, 112], [112, -94, -18]], np.int32)  # BT.601, in 1/256


def _ioctl(descriptor: int, request: int, argument: bytearray) -> Any:
    import fcntl

    return fcntl.ioctl(descriptor, request, argument)


class LoopbackCamera:
    """Its format is set by the first picture; pictures of another size afterwards are a `DeviceError`."""

    in_main_thread = False

    def __init__(self, name: str, *, ioctl: Callable[[int, int, bytearray], Any] = _ioctl) -> None:
        """Raises `DeviceError`."""
        self._name, self._ioctl = name, ioctl
        self._size: tuple[int, int] | None = None
        self._descriptor = -1
        try:
            self._descriptor = os.open(name, os.O_RDWR)
        except OSError as problem:
            raise DeviceError(
                f"{name} cannot be opened ({reason(problem)}); make it: "
                "sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback exclusive_caps=1"
            ) from None

    def show(self, pixels: Image, time_s: float) -> None:
        """See `Screen.show`."""
        try:
            if self._size is None:
                self._ioctl(self._descriptor, VIDIOC_S_FMT, format_request(pixels.shape[1] // 2 * 2, pixels.shape[0]))
                self._size = pixels.shape[:2]
            if pixels.shape[:2] != self._size:
                raise DeviceError(f"{self._name} has {self._size[1]} x {self._size[0]}; the camera changed its size")
            os.write(self._descriptor, to_yuyv(pixels))
        except OSError as problem:
            text = reason(problem)
            raise DeviceError(f"{self._name} takes no pictures ({text}); is it a v4l2loopback device?") from None

    def idle(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """See `Screen.close`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def format_request(width: int, height: int) -> bytearray:
    """``struct v4l2_format`` for YUYV pictures of that size, given by a program."""
    pixel_format = struct.pack("=8I", width, height, _YUYV, _FIELD_NONE, 2 * width, 2 * width * height, _SRGB, 0)
    return bytearray(struct.pack("=I", _OUTPUT).ljust(_HEAD, b"\0") + pixel_format.ljust(200, b"\0"))


def to_yuyv(pixels: Image) -> bytes:
    """(H, W, 3) RGB as YUYV, BT.601 of limited range; an odd last column is left out."""
    wide = pixels[:, : pixels.shape[1] // 2 * 2].astype(np.int32)
    luma = ((wide @ _RGB_TO_YUV[0] + 128) >> 8) + 16
    pairs = wide[:, 0::2] + wide[:, 1::2]
    out = np.empty((*luma.shape, 2), np.uint8)
    out[..., 0] = luma
    out[:, 0::2, 1] = ((pairs @ _RGB_TO_YUV[1] + 256) >> 9) + 128
    out[:, 1::2, 1] = ((pairs @ _RGB_TO_YUV[2] + 256) >> 9) + 128
    return out.tobytes()
