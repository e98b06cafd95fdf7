"""Live faces in simulated time: the newest picture, evenly left out ones, bypass; and the command on a real clip."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.devices.camera import Picture
from edge_runtime.live.commands import BYPASS, MUTE
from edge_runtime.live.face_link import FaceLink, FaceTotals, face_ladder
from edge_runtime.live.latest import Latest
from tests.edge_runtime.face.tiny_face import picture, write_face

PERIOD_S = 1.0 / 30.0


class _Camera:
    waits = False

    def __init__(self, clock: Callable[[], float]) -> None:
        self.number, self.closed = 0, False
        self._clock = clock

    def read(self) -> Picture | None:
        self.number += 1
        return Picture(np.full((4, 4, 3), self.number % 256, np.uint8), self._clock())

    def close(self) -> None:
        self.closed = True


class _Screen:
    in_main_thread = False

    def __init__(self) -> None:
        self.shown: list[tuple[int, float]] = []

    def show(self, pixels: np.ndarray, time_s: float) -> None:
        self.shown.append((int(pixels[0, 0, 0]), time_s))

    def idle(self) -> None:
        return

    def close(self) -> None:
        return


class _Faces:
    """Adds one to every pixel, and takes its time; the camera goes on meanwhile."""

    faces = (object(),)

    def __init__(self, stage: _Stage, cost_s: Callable[[float], float]) -> None:
        self._stage, self._cost_s = stage, cost_s
        self.resets = 0

    def process(self, frame: np.ndarray, time_s: float) -> np.ndarray:
        self._stage.advance(self._cost_s(self._stage.now_s))
        return frame + 1

    def reset(self) -> None:
        self.resets += 1


class _Stage:
    """A camera of 30 pictures a second in simulated time."""

    def __init__(self, cost_s: Callable[[float], float]) -> None:
        self.now_s, self._due_s = 0.0, 0.0
        self.camera, self.screen = _Camera(lambda: self.now_s), _Screen()
        self.faces = _Faces(self, cost_s)
        self.link = FaceLink(
            self.camera, self.screen, [("faces", self.faces)], FaceTotals(0.0), clock=lambda: self.now_s
        )

    def advance(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self._due_s <= until_s:
            self.now_s = self._due_s
            self._due_s += PERIOD_S
            self.link.capture()
        self.now_s = until_s

    def run(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            if self.link.came._item is None:
                self.advance(max(0.0, self._due_s - self.now_s))
            else:
                self.link.convert()
                self.link.show(0.0)


def test_every_picture_is_changed_and_shown_while_there_is_time() -> None:
    """In order, none twice."""
    stage = _Stage(lambda now_s: 0.01)
    stage.run(3.0)
    shown = [value for value, _ in stage.screen.shown]
    assert shown == list(range(2, 2 + len(shown)))
    assert len(shown) == pytest.approx(90, abs=2)
    stats = stage.link.stats()
    assert (stats.dropped, stats.left_out, stats.faces) == (0, 0, 1)
    assert stats.age_ms == pytest.approx(10.0, abs=0.5)
    assert stats.load == pytest.approx(0.3, abs=0.02)


def test_too_slow_a_board_leaves_out_pictures_evenly() -> None:
    """45 ms for a picture every 33: every other one, at one distance, and none that waits longer than its turn."""
    stage = _Stage(lambda now_s: 0.045)
    stage.run(12.0)
    assert stage.link.rung.name == "faces 1/2"
    late = [time_s for _, time_s in stage.screen.shown if time_s > 4.0]
    np.testing.assert_allclose(np.diff(late), 2 * PERIOD_S, atol=1e-6)
    assert stage.link.stats().left_out > 100


def test_pictures_come_back_when_the_board_is_free_again() -> None:
    """After ten calm seconds."""
    stage = _Stage(lambda now_s: 0.05 if now_s < 5.0 else 0.01)
    stage.run(4.0)
    assert stage.link.rung.every == 2
    stage.run(20.0)
    assert stage.link.rung.every == 1


def test_bypass_shows_the_original_and_black_shows_nobody() -> None:
    """Both at once, by their keys."""
    stage = _Stage(lambda now_s: 0.01)
    stage.run(0.5)
    stage.link.command(BYPASS)
    before = stage.camera.number
    stage.run(0.5)
    assert stage.screen.shown[-1][0] > before
    assert stage.screen.shown[-1][0] in (stage.camera.number, stage.camera.number - 1)
    stage.link.command(MUTE)
    stage.run(0.5)
    assert stage.screen.shown[-1][0] == 0
    assert stage.link.stats().mode == "black"


def test_ladder_leaves_out_pictures_before_it_changes_models() -> None:
    """And takes the smaller model for all that is left out further."""
    faces: list[tuple[str, _Faces]] = [("big", None), ("small", None)]  # type: ignore[list-item]
    names = [rung.name for rung in face_ladder(faces)]
    assert names == ["big", "big 1/2", "small 1/2", "small 1/3", "small 1/4"]


def test_latest_keeps_the_newest_and_counts_what_it_replaced() -> None:
    """A queue would only make pictures late."""
    place: Latest[int] = Latest()
    assert place.take(0.001) is None
    for number in range(5):
        place.put(number)
    assert not place.wait_until_taken(0.001)
    assert place.take(0.0) == 4
    assert place.wait_until_taken(0.0)
    assert place.dropped == 4


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Half a second of a moving disc, and the model that takes it for a face."""
    av = pytest.importorskip("av")
    monkeypatch.setenv("CHANGELING_MODEL", str(write_face(tmp_path / "face.tflite")))
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(12):
            pixels = picture((70.0 + 2 * index, 60.0, 30.0))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_a_clip_goes_through_the_command_into_a_marked_file_and_a_recording(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A video file stands for the camera; what is written says that it was changed."""
    target, folder = tmp_path / "out.mp4", tmp_path / "take"
    code = main(
        ["live", "face", "--input", str(clip), "--output", str(target), "--smile", "0.8", "--record", str(folder)]
    )
    assert code == 0
    assert main(["verify", str(target)]) == 0
    assert main(["verify", str(folder / "out.mp4")]) == 0
    assert main(["verify", str(folder / "in.mp4")]) == 1
    assert "smile 0.8" in capsys.readouterr().out


def test_a_clip_stats_are_json_lines(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a second is shorter than the first line; the clip ends by itself, without one."""
    assert main(["live", "face", "--input", str(clip), "--output", "none", "--smile", "1", "--stats", "json"]) == 0
    assert all(json.loads(line)["faces"] >= 0 for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--output", "none"], "say what to change"),
        (["--smile", "1", "--output", "out.avi"], "is no output; say window, http:PORT"),
        (["--smile", "1", "--output", "http:x"], "is not http:PORT"),
        (["--smile", "1", "--output", "none", "--input", "missing.mp4"], "does not exist"),
        (["--smile", "1", "--output", "none", "--input", "/dev/video99"], "camera /dev/video99 cannot be opened"),
        (["--smile", "1", "--output", "/dev/video99"], "v4l2loopback"),
        (["--smile", "1", "--size", "big"], "is not WxH"),
        (["--smile", "7", "--output", "none"], "smile must be between"),
    ],
)
def test_wrong_wishes_are_one_line(
    clip: Path, arguments: list[str], text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """OpenCV's own warnings included."""
    pytest.importorskip("cv2")
    assert main(["live", "face", *arguments]) != 0
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("INFO")]
    assert len(lines) == 1
    assert text in lines[0]
