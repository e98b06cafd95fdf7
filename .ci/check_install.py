"""Convert a recording as a board would: ``python -I check_install.py MODEL RECORDING INTERPRETER``.

Runs with the environment that it checks. That must hold the wheel and one interpreter and nothing of training.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from importlib import metadata, util
from pathlib import Path

import numpy as np

FORBIDDEN = ("tensorflow", "keras", "librosa", "cv2", "soxr", "scipy", "onnx", "torch", "train", "export")
QUIETEST = 1e-4


def main(model: Path, recording: Path, interpreter: str) -> None:
    """Check the environment, then convert, and read the result with the standard library."""
    present = [name for name in FORBIDDEN if util.find_spec(name) is not None]
    assert not present, f"a board must not have {present}"
    metadata.version(interpreter)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "converted.wav"
        changeling("convert", str(recording), str(output), "--model", str(model))
        changeling("verify", str(output))
        before, after = read(recording), read(output)
        assert after[1] == before[1], f"rate {after[1]} in place of {before[1]}"
        assert len(after[0]) == len(before[0]), f"{len(after[0])} samples in place of {len(before[0])}"
        level = float(np.sqrt(np.mean(after[0] ** 2)))
        assert level > QUIETEST, "the result is silent"
        piped = changeling("convert", "-", "-", "--model", str(model), stdin=bytes(32_000))
        assert len(piped) == 32_000, f"{len(piped)} bytes out of the pipe in place of 32000"
    changeling("info", str(model))
    changeling("selftest", "--model", str(model))
    bench = json.loads(changeling("bench", "--model", str(model), "--seconds", "2", "--json"))
    assert bench["backend"].startswith(interpreter), bench["backend"]
    print(
        f"{model.name}: converted on {bench['backend']}, numpy {np.__version__}; level {level:.3f}, "
        f"real-time factor {bench['stream_real_time_factor']:.3f}, memory {bench['peak_memory_mb']:.0f} MB"
    )


def changeling(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run the installed command; its output."""
    command = [str(Path(sys.executable).with_name("changeling")), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=300)
    said = (done.stdout if len(done.stdout) < 10_000 else b"") + done.stderr
    assert done.returncode == 0, f"{' '.join(command)}: {said.decode(errors='replace')}"
    return done.stdout


def read(path: Path) -> tuple[np.ndarray, int]:
    """Samples (n,) in [-1, 1] of a 16-bit mono WAV, and its rate."""
    with wave.open(str(path)) as file:
        assert (file.getsampwidth(), file.getnchannels()) == (2, 1), "16-bit mono is wanted here"
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0, file.getframerate()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
