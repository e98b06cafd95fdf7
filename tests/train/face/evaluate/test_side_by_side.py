"""A video of panes beside each other: as many frames, as wide as all of them, and nothing half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av")

from edge_runtime.errors import InputError
from edge_runtime.media.video import VideoReader
from train.face.evaluate.side_by_side import SideBySide


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 96, 64
        for level in (40, 120, 200):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _show(video: Path, out: Path, fails: bool = False) -> None:
    with SideBySide(out, "test") as clip, VideoReader(video) as reader:
        for frame in reader.frames():
            clip.add((frame.pixels, 255 - frame.pixels), frame, reader.facts)
            if fails:
                raise InputError("no face")


def test_every_frame_is_there_with_both_panes(video: Path, tmp_path: Path) -> None:
    _show(video, tmp_path / "out" / "both.mp4")
    with VideoReader(tmp_path / "out" / "both.mp4") as reader:
        frames = [frame.pixels.astype(int) for frame in reader.frames()]
    assert [frame.shape for frame in frames] == [(64, 192, 3)] * 3
    for frame, level in zip(frames, (40, 120, 200), strict=True):
        assert abs(frame[:, :80].mean() - level) < 12
        assert abs(frame[:, 112:].mean() - (255 - level)) < 12


def test_a_failure_and_a_video_without_frames_leave_no_file(video: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        _show(video, tmp_path / "out" / "both.mp4", fails=True)
    with SideBySide(tmp_path / "out" / "none.mp4", "test"):
        pass
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
