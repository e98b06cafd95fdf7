"""A file that is written by a thread of its own while a live conversion runs, so that a slow card delays nobody.

It gets its name when it is whole. A card that cannot keep up ends the file, and says so; nothing is dropped from its
middle.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from edge_runtime.errors import ChangelingError, OutputError
from edge_runtime.files import atomic_path, shown

T = TypeVar("T")


class BackgroundFile(Generic[T]):
    """Takes items with `add`; ``fill(name, items)`` writes all of them, on the thread, to a file that is new."""

    def __init__(self, path: Path, fill: Callable[[str, Iterator[T]], None], *, waiting: int) -> None:
        """At most ``waiting`` items wait to be written. Raises `OutputError` when something has the name already."""
        if path.exists():
            raise OutputError(f"{shown(path)} is there already; choose another name or folder")
        self._path, self._fill = path, fill
        self._items: queue.Queue[T | None] = queue.Queue(waiting)
        self._thread: threading.Thread | None = None
        self._closed = False
        self.failure: ChangelingError | None = None
        """Why the file ends early or is not there."""

    def add(self, item: T) -> None:
        """The next item; ignored after a failure."""
        if self.failure is not None or self._closed:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
            self._thread.start()
        try:
            self._items.put_nowait(item)
        except queue.Full:
            self.end_with("the disk or the encoder cannot keep up")

    def end_with(self, text: str) -> None:
        """Take no more, and say why; what was added before is written."""
        self.failure = self.failure or OutputError(f"{shown(self._path)} ends early: {text}")

    def close(self) -> None:
        """Write what waits and finish the file."""
        self._closed = True
        if self._thread is not None:
            self._items.put(None)
            self._thread.join()
            self._thread = None

    def _write(self) -> None:
        items = self._waiting_items()
        try:
            with atomic_path(self._path) as temporary:
                self._fill(temporary, items)
        except ChangelingError as error:
            self.failure = error
        except Exception as error:  # an encoder's own; the conversion goes on without the recording
            self.failure = OutputError(f"{shown(self._path)} cannot be written ({' '.join(str(error).split())})")
        for _ in items:  # `close` must not wait for a queue that nobody empties
            pass

    def _waiting_items(self) -> Iterator[T]:
        while (item := self._items.get()) is not None:
            yield item
