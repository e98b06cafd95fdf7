"""The threads of one connection: the first that fails stops the others, and what it failed of is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Crew:
    """Runs loops on threads of their own until one says that it is done, fails, or all are told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, name: str, step: Callable[[], bool]) -> None:
        """Call ``step`` again and again, until it gives False or the crew stops."""

        def work() -> None:
            try:
                while not self.stopping.is_set() and step():
                    pass
            except BaseException as error:
                with self._lock:
                    self.failure = self.failure or error
                self.stopping.set()

        # A daemon: a driver that never returns from a read must not keep the process from ending.
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    @property
    def ended(self) -> bool:
        """Whether no thread works any more."""
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self, timeout_s: float) -> bool:
        """Tell all to stop; gives whether all did within ``timeout_s``."""
        self.stopping.set()
        until_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        return self.ended
