"""A live voice through a real sound server: PulseAudio's null sinks and their monitors.

A daemon of its own, with its own folder and socket; nothing of the user's is touched. Skipped, with the reason, where
PulseAudio is not installed (on Debian: ``apt install pulseaudio pulseaudio-utils``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.devices.pulse import PulseMicrophone
from edge_runtime.errors import DeviceError
from edge_runtime.media.audio import read_audio

REPOSITORY = Path(__file__).parents[3]
SPEECH = REPOSITORY / "tests" / "assets" / "real_male.wav"
_PROGRAMS = ("pulseaudio", "paplay", "pactl")
_MISSING = [name for name in _PROGRAMS if shutil.which(name) is None]

pytestmark = [
    pytest.mark.skipif(bool(_MISSING), reason=f"needs PulseAudio's programs: {', '.join(_MISSING)}"),
    pytest.mark.slow,
]


class _Server:
    """A PulseAudio daemon with the sinks ``mic`` and ``spk``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PULSE", "DBUS"))},
            "PULSE_SERVER": f"unix:{folder}/native",
            "XDG_RUNTIME_DIR": str(folder),
            "HOME": str(folder),
            "PYTHONPATH": str(REPOSITORY),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        modules = [f"module-native-protocol-unix socket={self._folder}/native auth-anonymous=1"]
        modules += [f"module-null-sink sink_name={name} rate=16000 channels=1" for name in ("mic", "spk")]
        command = ["pulseaudio", "-n", "--exit-idle-time=-1", "--use-pid-file=no", "--daemonize=no"]
        self._process = subprocess.Popen(
            [*command, *(part for module in modules for part in ("-L", module))],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            done = subprocess.run(["pactl", "info"], env=self.environment, capture_output=True)
            if done.returncode == 0:
                return
            time.sleep(0.05)
        pytest.skip("PulseAudio does not start here")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10.0)
            (self._folder / "native").unlink(missing_ok=True)
            self._process = None

    def play(self) -> subprocess.Popen[bytes]:
        """Speak into the microphone."""
        return subprocess.Popen(["paplay", "--device=mic", str(SPEECH)], env=self.environment)

    def live(self, *arguments: str) -> subprocess.Popen[str]:
        """``changeling live voice`` between the two."""
        command = [sys.executable, "-m", "edge_runtime", "live", "voice", "--stats", "json"]
        return subprocess.Popen(
            [*command, "--input", "pulse:mic.monitor", "--output", "pulse:spk", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def server() -> Iterator[_Server]:
    """A running one; its folder is short, since a socket's path has at most 108 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    server = _Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _figures(live: subprocess.Popen[str]) -> dict[str, Any]:
    """The next line of figures, once it comes."""
    assert live.stdout is not None
    line = live.stdout.readline()
    assert line, "the conversion ended"
    return dict(json.loads(line))


def _event(live: subprocess.Popen[str]) -> str:
    """The next thing it tells a person; what the interpreter prints is passed over."""
    assert live.stderr is not None
    while not (line := live.stderr.readline()).startswith("changeling:"):
        assert line, "the conversion ended"
    return line.strip()


def test_speech_goes_through_the_server_and_comes_out_converted(server: _Server, tmp_path: Path) -> None:
    """What the microphone's sink played is what was recorded; what comes out is as loud, and something else."""
    live = server.live("--record", str(tmp_path))
    lines = [_figures(live)]
    for _ in range(3):  # a busy machine may lose a part of one
        server.play().wait(30.0)
    live.terminate()
    out, err = live.communicate(timeout=30.0)
    assert live.returncode == 0, err
    lines += [json.loads(line) for line in out.splitlines()]
    heard = read_audio(tmp_path / "in.wav", max_seconds=60.0).samples[:, 0]
    spoken = read_audio(tmp_path / "out.wav", max_seconds=60.0).samples[:, 0]
    speech = read_audio(SPEECH, max_seconds=60.0).samples[:40_000, 0]
    match = np.correlate(heard, speech, "valid").max() / np.linalg.norm(speech)
    assert match > 0.9 * np.linalg.norm(speech)
    assert 0.3 < np.abs(spoken).max() / np.abs(heard).max() < 3.0
    assert len(lines) >= 3
    # the machine may be busy, so that an underrun is no failure; a latency that runs away would be one
    assert abs(lines[-1]["latency_ms"] - lines[-1]["target_ms"]) < 60.0


def test_a_server_that_goes_away_and_comes_back_is_taken_up_again(server: _Server) -> None:
    """One message for each, and the conversion goes on."""
    live = server.live("--seconds", "60")
    assert _figures(live)["reconnects"] == 0
    server.stop()
    gone = _event(live)
    assert "went away" in gone
    assert gone.endswith("; waiting for it to come back")
    server.start()
    assert _event(live) == "changeling: the device is back"
    while _figures(live)["reconnects"] == 0:
        pass
    live.terminate()
    _, err = live.communicate(timeout=30.0)
    assert live.returncode == 0, err


def test_a_source_that_is_not_there_is_one_line(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what lists those that are."""
    for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR", "HOME"):
        monkeypatch.setenv(name, server.environment[name])
    with pytest.raises(DeviceError, match=r"pulse:nobody cannot be opened \(no such entity\); `pactl list short`"):
        PulseMicrophone("nobody", 16_000)
