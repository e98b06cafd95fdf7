"""``changeling live voice`` as a command: pipes, the service's watchdog, the unit, and wrong wishes in one line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main

REPOSITORY = Path(__file__).parents[2]
SPEECH = REPOSITORY / "tests" / "assets" / "real_male.wav"


def _raw_speech(seconds: float) -> bytes:
    with wave.open(str(SPEECH)) as file:
        return file.readframes(round(seconds * file.getframerate()))


def _live(*arguments: str, sound: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """``changeling live voice`` between two pipes, with the shipped voices."""
    inherited = {name: value for name, value in os.environ.items() if name != "CHANGELING_MODEL"}
    return subprocess.run(
        [sys.executable, "-m", "edge_runtime", "live", "voice", "--input", "-", "--output", "-", *arguments],
        input=sound,
        capture_output=True,
        timeout=120,
        env={**inherited, "PYTHONPATH": str(REPOSITORY), **environment},
    )


class _Manager:
    """Reads what it is told, as systemd does: a socket that nobody reads holds ten messages."""

    def __init__(self, address: str, told: list[str]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(0.1)
        self._told, self._closing = told, threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                self._told.append(self._socket.recv(4096).decode())
            except TimeoutError:
                if self._closing.is_set():
                    return

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()


def test_a_pipe_is_converted_live_to_its_end_and_systemd_is_told() -> None:
    """Two seconds: all of it comes out, later; the service says ready, alive and stopping over its socket."""
    sound, told = _raw_speech(2.0), list[str]()
    with tempfile.TemporaryDirectory(prefix="cl-") as folder:
        manager = _Manager(f"{folder}/notify", told)
        done = _live("--stats", "json", sound=sound, NOTIFY_SOCKET=f"{folder}/notify", WATCHDOG_USEC="400000")
        manager.close()
    assert done.returncode == 0, done.stderr
    heard = np.frombuffer(done.stdout, "<i2").astype(np.float64)
    # silence may be added where a busy machine kept the converter waiting; nothing may be missing
    assert len(sound) / 2 - 0.05 * 16_000 < len(heard)
    assert np.abs(heard).max() > 1_000
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("{")]
    assert all(json.loads(line)["mode"] == "converting" for line in lines)
    assert told[0] == "READY=1"
    assert told.count("WATCHDOG=1") >= 3
    assert told[-1] == "STOPPING=1"


def test_print_unit_prints_this_command_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Even where there is no device at all."""
    assert main(["live", "voice", "--input", "alsa:plughw:9,9", "--voice", "ivy", "--print-unit"]) == 0
    out = capsys.readouterr().out
    assert "-m edge_runtime live voice --input alsa:plughw:9,9 --voice ivy\n" in out
    assert main(["live", "face", "--smile", "0.8", "--output", "http:8080", "--print-unit"]) == 0
    assert "-m edge_runtime live face --smile 0.8 --output http:8080\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["dance"], "'dance' cannot be converted live; say voice or face"),
        (["voice", "--latency", "none"], "--latency"),
        (["voice", "--latency", "5", "--input", "-", "--output", "-"], "stdin is a terminal"),
        (["voice", "--voice", "nobody"], "no voice 'nobody'"),
        (["voice", "--smaller", "missing.tflite"], "missing.tflite does not exist"),
        (["voice", "--priority", "realtime"], "needs OPENBLAS_NUM_THREADS=1"),
        (["voice", "--stats", "xml"], "invalid choice"),
        (["voice", "--seconds", "-3"], "-3 is not above 0"),
    ],
)
def test_wrong_wishes_are_one_line(
    arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is opened."""
    for name in ("CHANGELING_MODEL", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["live", *arguments]) != 0
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1


def test_a_latency_that_cannot_be_names_one_that_can() -> None:
    """Of this model and these devices."""
    done = _live("--latency", "30", sound=b"\0" * 32_000)
    assert done.returncode == 2
    line = done.stderr.decode().strip().splitlines()[-1]
    assert line.startswith("changeling: --latency 30 is less than this model and these devices need; ")


def test_a_recording_folder_is_refused_when_it_holds_one(tmp_path: Path) -> None:
    """Before a word is said."""
    (tmp_path / "in.wav").write_bytes(b"mine")
    done = _live("--record", str(tmp_path), sound=b"\0" * 32_000)
    assert done.returncode == 3
    assert b"is there already" in done.stderr
    assert (tmp_path / "in.wav").read_bytes() == b"mine"


def test_help_tells_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a device or a model."""
    assert main(["live", "--help"]) == 0
    assert "microphone to speaker" in capsys.readouterr().out
