"""A video of pictures beside each other, such as before and after: whole, at the end of its ``with`` block."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.files import atomic_path, make_folder
from edge_runtime.media.video import Frame, PieceWriter, VideoFacts

Image = NDArray[np.uint8]

_PANE_PX: Final = 360


class SideBySide:
    """Writes such a video; without a frame there is no file."""

    def __init__(self, path: Path, comment: str) -> None:
        self._path, self._comment = path, comment
        self._stack = contextlib.ExitStack()
        self._writer: PieceWriter | None = None

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, panes: Sequence[Image], frame: Frame, facts: VideoFacts) -> None:
        """The next frame: pictures (H, W, 3) of one size, at the moment of ``frame`` of a video with ``facts``."""
        wide = np.concatenate([_pane(pane) for pane in panes], axis=1)
        shown = Frame(np.ascontiguousarray(wide), frame.tick, frame.matrix)
        if self._writer is None:
            make_folder(self._path.parent)
            temporary = self._stack.enter_context(atomic_path(self._path))
            writer = PieceWriter(temporary, facts, shown, comment=self._comment)
            self._writer = self._stack.enter_context(writer)
        self._writer.write(shown.pixels, shown.tick)


def _pane(image: Image) -> Image:
    """No wider than `_PANE_PX`, or four of them would fill no screen."""
    scale = min(1.0, _PANE_PX / image.shape[1])
    size = (max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
