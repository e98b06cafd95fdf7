"""What a user tells a running conversion: single keys on a terminal, and signals where there is none.

Keys: ``b`` bypass, ``m`` mute, ``q`` quit. SIGUSR1 is bypass, SIGUSR2 mute; SIGTERM ends as Ctrl-C does.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

BYPASS, MUTE, QUIT = "bypass", "mute", "quit"
_KEYS = {b"b": BYPASS, b"m": MUTE, b"q": QUIT}
_SIGNALS = {"SIGUSR1": BYPASS, "SIGUSR2": MUTE, "SIGTERM": QUIT, "SIGINT": QUIT}


class Commands:
    """Use it in a ``with`` block, from the main thread; outside of it, signals and terminal are as they were."""

    def __init__(self, *, keys: bool = True) -> None:
        """Without ``keys``, stdin is left alone: it carries sound, or nobody sits there."""
        self._wants_keys = keys
        self._told: list[str] = []
        self._terminal: list[Any] | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Commands:
        if threading.current_thread() is threading.main_thread():
            for name, command in _SIGNALS.items():
                if number := getattr(signal, name, None):
                    self._handlers[number] = signal.signal(number, self._handler(command))
        if self._wants_keys and sys.stdin is not None and sys.stdin.isatty():
            self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._terminal is not None:
            import termios

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._terminal)

    def tell(self, command: str) -> None:
        """Say it as if a key had been pressed."""
        self._told.append(command)

    def poll(self) -> list[str]:
        """What was told since the last call, in its order."""
        if self._terminal is not None:
            while select.select([sys.stdin], [], [], 0)[0]:
                key = os.read(sys.stdin.fileno(), 1)
                if not key:
                    break
                if key in _KEYS:
                    self._told.append(_KEYS[key])
        told, self._told = self._told, []
        return told

    def _listen(self) -> None:
        try:
            import termios
            import tty
        except ImportError:  # Windows
            return
        self._terminal = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)

    def _handler(self, command: str) -> Any:
        def handle(number: int, frame: FrameType | None) -> None:
            self._told.append(command)

        return handle
