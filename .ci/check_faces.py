"""Change a photo as a board would: ``python -I check_faces.py PHOTO INTERPRETER``, with the face model of the wheel.

Runs with the environment that it checks. That must hold the wheel, one interpreter, what photos and videos need, and
nothing of training.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib import metadata, util
from pathlib import Path

import cv2
import numpy as np

FORBIDDEN = ("tensorflow", "keras", "librosa", "scipy", "onnx", "torch", "train", "export")
EDITS = (["--brow-raise", "1"], ["--expression", "surprised"], ["--blink", "1"])
"""Not a smile: whoever smiles fully already is left as they are."""


def main(photo: Path, interpreter: str) -> None:
    """Check the environment, then change the photo, and a video of it, and look at what came out."""
    present = [name for name in FORBIDDEN if util.find_spec(name) is not None]
    assert not present, f"a board must not have {present}"
    metadata.version(interpreter)
    units = json.loads(changeling("info", "--kind", "face", "--json"))["manifest"]["units"]
    changeling("selftest", "--kind", "face")
    with tempfile.TemporaryDirectory() as folder:
        shares = [changed(photo, Path(folder) / f"{number}.png", edit) for number, edit in enumerate(EDITS)]
        frames = film(photo, Path(folder))
    told = ", ".join(f"{' '.join(edit)} {share:.1%}" for edit, share in zip(EDITS, shares, strict=True))
    print(f"faces: {len(units)} sliders on {interpreter}, numpy {np.__version__}; changed: {told}; {frames}")


def changed(photo: Path, output: Path, edit: list[str]) -> float:
    """Make the edit; the share of the photo's pixels that it changed."""
    changeling("convert", str(photo), str(output), *edit)
    changeling("verify", str(output))
    before, after = cv2.imread(str(photo)), cv2.imread(str(output))
    assert before.shape == after.shape, f"{after.shape} in place of {before.shape}"
    share = float((np.abs(before.astype(int) - after).max(axis=2) > 8).mean())
    assert 0.0005 < share < 0.2, f"{edit} changed {share:.2%} of the photo"
    return share


def film(photo: Path, folder: Path) -> str:
    """Close the eyes in a short video; what was written."""
    still = cv2.imread(str(photo))
    height, width = (side // 2 * 2 for side in still.shape[:2])
    source = folder / "source.mp4"
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (width, height))
    for _ in range(10):
        writer.write(still[:height, :width])
    writer.release()
    changeling("convert", str(source), str(folder / "out.mp4"), "--blink", "1")
    reader = cv2.VideoCapture(str(folder / "out.mp4"))
    count = 0
    while reader.read()[0]:
        count += 1
    assert count == 10, f"{count} frames in place of 10"
    return f"a video of {count} frames"


def changeling(*arguments: str) -> bytes:
    """Run the installed command; its output."""
    command = [str(Path(sys.executable).with_name("changeling")), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}: {(done.stdout + done.stderr)[-4000:].decode(errors='replace')}"
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
