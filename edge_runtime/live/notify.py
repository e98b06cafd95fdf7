"""What systemd is told: ready, alive, stopping: the protocol of sd_notify(3), by a datagram socket.

Outside of systemd there is no ``NOTIFY_SOCKET``, and nothing is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping


class Notifier:
    """Made from the environment of the process."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        environment = os.environ if environment is None else environment
        self._clock = clock
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        if self._address.startswith(("/", "@")) and hasattr(socket, "AF_UNIX"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)  # a manager that does not read must not hold up the conversion
        microseconds = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._interval_s = int(microseconds) / 2e6 if microseconds.isdigit() and meant else None
        self._next_s = -float("inf")

    def ready(self) -> None:
        """Devices and model are open."""
        self._send("READY=1")

    def alive(self) -> None:
        """Call it often, and only while things move: systemd is told twice in every watchdog interval."""
        now_s = self._clock()
        if self._interval_s is not None and now_s >= self._next_s:
            self._next_s = now_s + self._interval_s
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={' '.join(text.split())}")

    def stopping(self) -> None:
        """It ends on purpose."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError):  # a manager that is gone must not end the conversion
            self._socket.sendto(text.encode(), address)
