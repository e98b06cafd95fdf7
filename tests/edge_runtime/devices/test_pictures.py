"""Cameras and screens that need no hardware: pipes, files, a browser, a virtual camera's bytes, a headless OpenCV."""

from __future__ import annotations

import http.client
import io
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.devices import screen as screens
from edge_runtime.devices.camera import FileCamera, PipeCamera
from edge_runtime.devices.mjpeg import MjpegScreen
from edge_runtime.devices.v4l2 import FORMAT_BYTES, VIDIOC_S_FMT, LoopbackCamera, format_request, to_yuyv
from edge_runtime.errors import DeviceError, MissingDependencyError
from tests.edge_runtime.media.test_video import make_video


def _picture(value: int = 200) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)


def test_raw_frames_come_and_go_as_they_are() -> None:
    """A frame that is cut off is none."""
    frames = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    camera, sink = PipeCamera(64, 48, io.BytesIO(frames.tobytes() + b"cut"), clock=lambda: 1.0), io.BytesIO()
    screen = screens.PipeScreen(sink)
    while (picture := camera.read()) is not None:
        screen.show(picture.pixels, picture.time_s)
    assert sink.getvalue() == frames.tobytes()


def test_a_file_plays_at_its_own_pace(tmp_path: Path) -> None:
    """As a camera would see it, and on time again after a pause of who reads it."""
    make_video(tmp_path / "clip.mp4")
    now_s = [50.0]

    def sleep(seconds: float) -> None:
        now_s[0] += seconds

    camera = FileCamera(tmp_path / "clip.mp4", clock=lambda: now_s[0], sleep=sleep)
    first, second = camera.read(), camera.read()
    assert first is not None
    assert second is not None
    assert first.time_s == 50.0
    step_s = second.time_s - first.time_s
    assert 0.0 < step_s < 1.0
    now_s[0] += 10.0
    third = camera.read()
    assert third is not None
    assert third.time_s == now_s[0]
    camera.close()


def _get(port: int, path: str, host: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    response = connection.getresponse()
    try:
        return response.status, response.read(2_000)
    finally:
        connection.close()


def test_a_browser_on_this_machine_gets_jpegs_and_a_foreign_name_gets_none() -> None:
    """Bound to the loopback address; a page of the web cannot look through a name of its own."""
    screen = MjpegScreen(0)
    stop = threading.Event()

    def show() -> None:
        while not stop.wait(0.01):
            screen.show(_picture(), 0.0)

    thread = threading.Thread(target=show)
    thread.start()
    try:
        assert screen._server.server_address[0] == "127.0.0.1"
        status, page = _get(screen.port, "/", f"localhost:{screen.port}")
        assert status == 200
        assert b"/stream" in page
        status, stream = _get(screen.port, "/stream", f"127.0.0.1:{screen.port}")
        assert status == 200
        assert b"Content-Type: image/jpeg" in stream
        assert b"\xff\xd8\xff" in stream
        assert _get(screen.port, "/stream", "evil.example:80")[0] == 403
        assert _get(screen.port, "/etc", f"localhost:{screen.port}")[0] == 404
    finally:
        stop.set()
        thread.join()
        screen.close()


def test_nothing_is_encoded_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board has better things to do."""
    screen = MjpegScreen(0)
    monkeypatch.setattr("edge_runtime.devices.mjpeg.encode_jpeg", lambda pixels: 1 / 0)
    screen.show(_picture(), 0.0)
    with pytest.raises(DeviceError, match=r"port \d+ cannot be opened"):
        MjpegScreen(screen.port)
    screen.close()


def test_virtual_camera_gets_its_format_once_and_then_pictures(tmp_path: Path) -> None:
    """The bytes of the kernel's own structure; another size afterwards is an error."""
    device = tmp_path / "video9"
    device.write_bytes(b"")
    asked: list[tuple[int, bytes]] = []
    camera = LoopbackCamera(str(device), ioctl=lambda number, request, data: asked.append((request, bytes(data))))
    camera.show(_picture(), 0.0)
    camera.show(_picture(), 0.1)
    assert [(request, len(data)) for request, data in asked] == [(VIDIOC_S_FMT, FORMAT_BYTES)]
    assert device.stat().st_size == 2 * 64 * 48 * 2
    with pytest.raises(DeviceError, match="changed its size"):
        camera.show(np.zeros((10, 10, 3), np.uint8), 0.2)
    camera.close()


def test_format_request_is_the_kernels_structure() -> None:
    """Of <linux/videodev2.h> on a 64-bit board: type, padding, then width, height, YUYV, no field, line, size, sRGB."""
    if struct.calcsize("P") != 8:
        pytest.skip("the numbers below are those of 64 bits")
    assert VIDIOC_S_FMT == 0xC0D05605
    words = struct.unpack_from("=II8I", format_request(640, 480))
    assert words == (2, 0, 640, 480, 0x56595559, 1, 1280, 614400, 8, 0)


def test_yuyv_has_the_values_of_bt601() -> None:
    """White, black, red, as every book has them."""
    colours = np.array([[[255, 255, 255]] * 2 + [[0, 0, 0]] * 2 + [[255, 0, 0]] * 2], np.uint8)
    values = np.frombuffer(to_yuyv(colours), np.uint8).reshape(3, 4)
    np.testing.assert_allclose(values, [[235, 128, 235, 128], [16, 128, 16, 128], [82, 90, 82, 240]], atol=1)


def test_an_opencv_without_windows_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headless build is the one the extra installs."""

    class Headless:
        WINDOW_NORMAL = 0
        error = RuntimeError

        @staticmethod
        def namedWindow(*arguments: object) -> None:  # noqa: N802
            raise RuntimeError("The function is not implemented. Rebuild the library")

    monkeypatch.setattr(screens, "opencv", Headless)
    with pytest.raises(MissingDependencyError, match=r"opencv-python, .* or use --output http:8080"):
        screens.Window()
    monkeypatch.setattr(screens, "opencv", lambda: None)
    with pytest.raises(MissingDependencyError, match="a window needs OpenCV"):
        screens.Window()
