"""Answers are remembered by the key of their question, so that nothing is ever judged twice.

One file of JSON lines for every judge: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from edge_runtime.errors import OutputError
from edge_runtime.files import make_folder


class Memory:
    """Answers of judges by the key of their question; read once, appended to."""

    def __init__(self, folder: Path) -> None:
        """Raises `OutputError` when the folder cannot be made."""
        self._folder = folder
        self._known: dict[str, dict[str, Any]] = {}
        make_folder(folder)

    def recall(self, judge: str, key: str) -> Any:
        """The answer, or None when it was never given."""
        if judge not in self._known:
            self._known[judge] = _read_lines(self._path(judge))
        return self._known[judge].get(key)

    def remember(self, judge: str, key: str, answer: Any) -> None:
        """Keep an answer of plain JSON values. Raises `OutputError`."""
        self._known.setdefault(judge, {})[key] = answer
        # The line break comes first: what was cut short by a crash must not spoil the line after it.
        try:
            with self._path(judge).open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps([key, answer], ensure_ascii=False))
        except OSError as error:
            raise OutputError(
                f"{self._folder} cannot be written ({error.strerror}); set CHANGELING_CACHE elsewhere"
            ) from None

    def _path(self, judge: str) -> Path:
        return self._folder / f"{re.sub(r'[^a-z0-9.-]+', '-', judge.lower())}.jsonl"


def _read_lines(path: Path) -> dict[str, Any]:
    """Pairs of key and answer; lines that are damaged are as if they were not there."""
    known: dict[str, Any] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return known
    for line in lines:
        try:
            key, answer = json.loads(line)
        except (ValueError, TypeError):
            continue
        known[str(key)] = answer
    return known
