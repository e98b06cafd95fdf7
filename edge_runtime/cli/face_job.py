"""One photo or video through a loaded face or swap model, with its mark: what ``convert`` does for either."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli.media_kind import VIDEO
from edge_runtime.cli.progress import ProgressLine
from edge_runtime.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_runtime.face.landmarks import Face
    from edge_runtime.media.video_conversion import FrameStream

    Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Job:
    """A loaded model and what is asked of it."""

    model: str
    """Its name, for the mark."""
    text: str
    """What is asked for, as the mark says it."""
    recipe: str
    """All that makes the frames of a video what they become: an interrupted one is resumed under the same alone."""
    find: Callable[[Image], list[Face]]
    choose: Callable[[Image, list[Face]], list[Face]]
    """Those of the found faces that are meant."""
    change: Callable[[Image, list[Face]], Image]
    stream: Callable[[], FrameStream]

    def convert(self, source: Path, target: Path, kind: str) -> str:
        """Convert one file; gives what was done, for a person."""
        return self._convert_video(source, target) if kind == VIDEO else self._convert_photo(source, target)

    def _comment(self) -> str:
        from edge_runtime.provenance import edit_comment

        return edit_comment(model=self.model, edit=self.text)

    def _convert_photo(self, source: Path, target: Path) -> str:
        from edge_runtime.media.image import read_photo, write_photo

        photo = read_photo(source)
        found = self.find(photo.pixels)
        chosen = self.choose(photo.pixels, found)
        if not chosen:
            what = f"only {len(found)} of them" if found else "no face that can be found"
            raise InputError(f"{source} shows {what}; nothing was written")
        pixels = self.change(photo.pixels, chosen)
        write_photo(target, dataclasses.replace(photo, pixels=pixels), comment=self._comment())
        return f"{len(chosen)} of {len(found)} face(s) with {self.text}"

    def _convert_video(self, source: Path, target: Path) -> str:
        from edge_runtime.media.video_conversion import convert_video

        progress = ProgressLine(source.name)
        try:
            result = convert_video(
                source, target, self.stream(), recipe=self.recipe, comment=self._comment(), progress=progress
            )
        finally:
            progress.close()
        again = f", {result.resumed_frames} of them from before" if result.resumed_frames else ""
        return f"{result.frames} frames{again}, {result.frames_with_faces} with faces, with {self.text}"
