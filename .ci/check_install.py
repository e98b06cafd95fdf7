"""Convert a recording as a board would: ``python -I check_install.py RECORDING INTERPRETER [MODEL]``.

Runs with the environment that it checks. That must hold the wheel and one interpreter and nothing of training. Without
MODEL the voices that come with the wheel are checked, each by its name.
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


def main(recording: Path, interpreter: str, model: Path | None) -> None:
    """Check the environment, then convert into every voice, and read the results with the standard library."""
    present = [name for name in FORBIDDEN if util.find_spec(name) is not None]
    assert not present, f"a board must not have {present}"
    metadata.version(interpreter)
    named = [] if model is None else ["--model", str(model)]
    manifest = json.loads(changeling("info", "--json", *named[1:]))["manifest"]
    voices = [voice["name"] for voice in manifest["voices"]]
    levels = [convert(recording, voice, named) for voice in voices]
    piped = changeling("convert", "-", "-", *named, stdin=bytes(32_000))
    assert len(piped) == 32_000, f"{len(piped)} bytes out of the pipe in place of 32000"
    changeling("selftest", *named)
    bench = json.loads(changeling("bench", *named, "--seconds", "2", "--json"))
    assert bench["backend"].startswith(interpreter), bench["backend"]
    spoken = ", ".join(f"{voice} {level:.3f}" for voice, level in zip(voices, levels, strict=True))
    print(
        f"{model.name if model else 'the default model'}: converted on {bench['backend']}, numpy {np.__version__}; "
        f"levels: {spoken}; real-time factor {bench['stream_real_time_factor']:.3f}, "
        f"memory {bench['peak_memory_mb']:.0f} MB"
    )


def convert(recording: Path, voice: str, named: list[str]) -> float:
    """Convert into ``voice`` with the model ``named``; the level of the result, RMS of full scale."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "converted.wav"
        changeling("convert", str(recording), str(output), "--voice", voice, *named)
        changeling("verify", str(output))
        before, after = read(recording), read(output)
    assert after[1] == before[1], f"rate {after[1]} in place of {before[1]}"
    assert len(after[0]) == len(before[0]), f"{len(after[0])} samples in place of {len(before[0])}"
    level = float(np.sqrt(np.mean(after[0] ** 2)))
    assert level > QUIETEST, f"{voice} is silent"
    return level


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
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None)
