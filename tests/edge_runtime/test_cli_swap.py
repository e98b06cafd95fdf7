"""``changeling convert --swap``, ``info``, ``selftest`` and ``verify`` with a model that turns red discs blue."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.media.image import Photo, read_photo, write_photo
from tests.edge_runtime.face.tiny_face import picture, write_face
from tests.edge_runtime.face.tiny_swap import CONSENT, load_swap, make_swap_manifest, person, write_swap

pytest.importorskip("PIL")


@pytest.fixture
def swap(tmp_path: Path) -> str:
    return str(write_swap(tmp_path / "model" / "swap.tflite", make_swap_manifest(identity=person())))


def _photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = picture((60.0, 60.0, 30.0), (220.0, 60.0, 30.0), width=280)
    write_photo(path, Photo(pixels, None, b"", b""), comment=None)
    return path


def test_a_photo_is_swapped_marked_and_told_of(tmp_path: Path, swap: str, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = _photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert main(["convert", str(source), str(target), "--swap", swap, "--opacity", "0.9", "--mouth-keep"]) == 0
    told = capsys.readouterr().err
    assert "consent of Anna of 2026-01-01: tests" in told
    assert "2 of 2 face(s) with the face of anna" in told
    assert (read_photo(target).pixels != read_photo(source).pixels).any()
    assert main(["verify", str(target)]) == 0
    assert "model test swap, the face of anna" in capsys.readouterr().out


def test_a_folder_is_swapped_and_goes_on(tmp_path: Path, swap: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        _photo(tmp_path / "in" / name)
    argv = ["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--swap", swap, "--faces", "left"]
    assert main(argv) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    capsys.readouterr()
    assert main(argv) == 0


def test_a_video_is_swapped_with_any_way_of_losing_a_face(tmp_path: Path, swap: str) -> None:
    av = pytest.importorskip("av")
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(picture((70.0 + 2 * index, 60.0, 30.0)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert main(["convert", str(source), str(target), "--swap", swap, "--on-lost", "blur"]) == 0
    with av.open(str(target)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 6
    assert all((frame[50:60, 70:80, 2] > frame[50:60, 70:80, 0]).mean() > 0.9 for frame in frames)


@pytest.mark.parametrize(
    ("extra", "code", "text"),
    [
        (["--smile", "1"], 2, "two conversions"),
        (["--expression", "happy"], 2, "two conversions"),
        (["--model", "x.tflite"], 2, "leave --model out"),
        (["--opacity", "2"], 2, "opacity must be between 0 and 1"),
        (["--follow", "-1"], 2, "follow must be between 0 and 1"),
        (["--colour-match", "rct"], 2, "colour match must be one of"),
        (["--on-lost", "x"], 2, "lost face must be one of"),
        (["--faces", "7"], 2, "only 2 of them"),
        (["--pitch", "2"], 2, "--pitch is for sound"),
    ],
)
def test_wrong_words_are_one_line_and_write_nothing(
    tmp_path: Path, swap: str, capsys: pytest.CaptureFixture[str], extra: list[str], code: int, text: str
) -> None:
    source, target = _photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert main(["convert", str(source), str(target), "--swap", swap, *extra]) == code
    told = capsys.readouterr().err.splitlines()
    assert text in told[-1]
    assert not target.exists()


@pytest.mark.parametrize("flag", ["--opacity=0.5", "--mouth-keep", "--on-lost=blur", "--like=x.png", "--follow=0.5"])
def test_a_swaps_flags_need_a_swap(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert main(["convert", str(_photo(tmp_path / "in.png")), str(tmp_path / "out.png"), flag, "--smile", "1"]) == 2
    assert "belongs to a swap" in capsys.readouterr().err


def test_other_models_and_sound_are_refused(tmp_path: Path, swap: str, capsys: pytest.CaptureFixture[str]) -> None:
    face = str(write_face(tmp_path / "face.tflite"))
    assert main(["convert", str(_photo(tmp_path / "in.png")), str(tmp_path / "out.png"), "--swap", face]) == 4
    assert "--swap needs a swap model" in capsys.readouterr().err
    wav = Path(__file__).parents[1] / "assets" / "real_male.wav"
    assert main(["convert", str(wav), str(tmp_path / "out.wav"), "--swap", swap]) == 2
    assert "--swap is for photos and video" in capsys.readouterr().err


def test_a_model_without_valid_consent_is_shown_and_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = person(dataclasses.replace(CONSENT, expires_on="2026-01-02"))
    path = str(write_swap(tmp_path / "swap.tflite", make_swap_manifest(identity=ended)))
    source, target = _photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert main(["convert", str(source), str(target), "--swap", path]) == 8
    assert capsys.readouterr().err == (
        "changeling: the consent of Anna ended on 2026-01-02; ask them and train again\n"
    )
    assert not target.exists()
    assert main(["info", path]) == 0
    assert "consent of Anna of 2026-01-01 until 2026-01-02: tests" in capsys.readouterr().out


def test_info_and_selftest_know_swaps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crop = picture((16.0, 16.0, 12.0), width=32, height=32)
    swapped = load_swap(tmp_path).swapper.run(crop)
    golden = io.BytesIO()
    stages = {"rgb": swapped.rgb, "mask": swapped.mask}
    np.savez(golden, crop=crop, names=np.array(["rgb", "mask"]), tolerance=np.full(2, 1e-4), **stages)
    path = str(write_swap(tmp_path / "swap.tflite", golden__npz=golden.getvalue()))
    assert main(["info", path]) == 0
    shown = capsys.readouterr().out
    assert "blue: a blue disc; belongs to no person" in shown
    assert "test swap (swap, fp32, .tflite)" in shown
    assert main(["info", path, "--json"]) == 0
    capsys.readouterr()
    assert main(["selftest", "--model", path]) == 0
    assert "agrees with its golden vectors" in capsys.readouterr().out
