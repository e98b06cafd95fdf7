"""The README's commands run as they stand: a newcomer copies them."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from edge_runtime.cli.main import main
from edge_runtime.media.image import read_photo

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "edge_runtime" / "models" / "voices.tflite"
SPEECH = REPOSITORY / "tests" / "assets" / "real_male.wav"
PHOTO = REPOSITORY / "tests" / "assets" / "astronaut.jpg"


def _commands(text: str) -> list[str]:
    """Lines of shell blocks that begin with ``changeling``, without their comments; pipes are left to their users."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("changeling ") and "|" not in line]


def _arguments(command: str) -> list[str]:
    """Those of a live conversion with one more, that prints a unit in place of opening devices."""
    arguments = shlex.split(command)[1:]
    return [*arguments, "--print-unit"] if arguments[0] == "live" else arguments


def _make_clip(path: Path) -> None:
    """Four frames of the photo."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(read_photo(PHOTO).pixels, format="rgb24")))
        container.mux(stream.encode())


def test_commands_are_found() -> None:
    """Guards the test below against seeing nothing."""
    text = "```sh\nls\nchangeling info           # all\nchangeling convert a b \\\n  --voice c\na | changeling x\n```\n"
    assert _commands(text) == ["changeling info", "changeling convert a b    --voice c"]


def test_every_command_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, in a folder that has the files they name; ``--voice`` names what the shipped model has."""
    shutil.copy(SPEECH, tmp_path / "talk.wav")
    (tmp_path / "recordings").mkdir()
    shutil.copy(SPEECH, tmp_path / "recordings")
    shutil.copy(MODEL, tmp_path / "voice.dynamic_int8.tflite")
    shutil.copy(PHOTO, tmp_path / "photo.jpg")
    (tmp_path / "photos").mkdir()
    shutil.copy(PHOTO, tmp_path / "photos")
    _make_clip(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHANGELING_MODEL", raising=False)
    # what runs until it is stopped is only read: its flags are checked, and a unit is printed that would run it
    commands = _commands((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert len(commands) > 6
    codes = {command: main(_arguments(command)) for command in commands}
    assert {command: code for command, code in codes.items() if code} == {}
