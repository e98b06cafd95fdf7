"""Pictures for a browser on this machine: Motion JPEG over HTTP, bound to the loopback address and to nothing else.

Faces are nobody else's business, so no other address can be chosen, and a page of the web that has its own name point
here (DNS rebinding) is turned away by the name it asks for. To look from elsewhere: ``ssh -L 8080:localhost:8080``.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DeviceError
from edge_runtime.face.remap import opencv
from edge_runtime.files import reason

ADDRESS = "127.0.0.1"
_NAMES = frozenset({"127.0.0.1", "localhost"})
_QUALITY = 85
_BOUNDARY = "changeling"
_MAXIMUM_VIEWERS = 8
_WAIT_S = 1.0
_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Changeling</title>"
    b"<style>body{margin:0;background:#111}img{display:block;margin:auto;max-width:100vw;max-height:100vh}</style>"
    b'<img src="/stream" alt="live">'
)


class MjpegScreen:
    """Serves the latest picture to whoever looks; encodes none while nobody does."""

    in_main_thread = False

    def __init__(self, port: int) -> None:
        """Port 0 takes one that is free. Raises `DeviceError`."""
        self.viewers = 0
        self._changed = threading.Condition()
        self._jpeg, self._number = b"", 0
        self.closed = False
        try:
            self._server = _Server((ADDRESS, port), self)
        except OSError as problem:
            raise DeviceError(f"port {port} cannot be opened ({reason(problem)}); choose another") from None
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="http", daemon=True).start()

    def show(self, pixels: NDArray[np.uint8], time_s: float) -> None:
        """See `Screen.show`."""
        if self.viewers:
            jpeg = encode_jpeg(pixels)
            with self._changed:
                self._jpeg, self._number = jpeg, self._number + 1
                self._changed.notify_all()

    def idle(self) -> None:
        """The server has threads of its own."""

    def close(self) -> None:
        """See `Screen.close`."""
        if not self.closed:
            self.closed = True
            self._server.shutdown()
            self._server.server_close()

    def after(self, number: int) -> tuple[bytes, int]:
        """The first picture after that number, and its own; empty when none came in a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number, _WAIT_S)
            return (self._jpeg, self._number) if self._number > number else (b"", number)


def encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """By OpenCV where it is, in a few milliseconds, else by Pillow. Raises `MissingDependencyError` without both."""
    library = opencv()
    if library is None:
        from edge_runtime.media.image import encode_jpeg as encode_by_pillow

        return encode_by_pillow(pixels, _QUALITY)
    options = [library.IMWRITE_JPEG_QUALITY, _QUALITY]
    return bytes(library.imencode(".jpg", library.cvtColor(pixels, library.COLOR_RGB2BGR), options)[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], screen: MjpegScreen) -> None:
        self.screen = screen
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10.0

    def do_GET(self) -> None:
        if self.headers.get("Host", "").rpartition(":")[0] not in _NAMES:
            self.send_error(403)
        elif self.path == "/":
            self._send_head("text/html")
            self.wfile.write(_PAGE)
        elif self.path == "/stream" and self.server.screen.viewers < _MAXIMUM_VIEWERS:
            self._stream(self.server.screen)
        else:
            self.send_error(404)

    def _stream(self, screen: MjpegScreen) -> None:
        self._send_head(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        screen.viewers += 1
        try:
            number = 0
            while not screen.closed:
                jpeg, number = screen.after(number)
                if jpeg:
                    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
        finally:
            screen.viewers -= 1

    def _send_head(self, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """stderr is for people."""
