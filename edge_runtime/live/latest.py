"""A place for one thing between two threads: the newest is kept, and what nobody took is dropped."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Safe between one writer and one reader."""

    def __init__(self) -> None:
        self._item: T | None = None
        self._changed = threading.Condition()
        self.dropped = 0
        """How many were replaced before they were taken."""

    def put(self, item: T) -> None:
        """Offer it in place of whatever waits."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def take(self, timeout_s: float) -> T | None:
        """What waits, at the latest after ``timeout_s``, else None."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
        return item

    def wait_until_taken(self, timeout_s: float) -> bool:
        """Whether nothing waits, at the latest after ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._item is None, timeout_s)
