"""``changeling convert``, ``extract``, ``info`` and ``verify`` for faces, with a model whose faces are red discs."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.media.image import Photo, read_photo, write_photo
from edge_runtime.media.video import VideoReader
from tests.edge_runtime.face.tiny_face import UNITS, picture, write_face
from tests.edge_runtime.media.test_video import make_video

pytest.importorskip("PIL")
ASSETS = Path(__file__).parents[1] / "assets"
TWO = ((60.0, 60.0, 30.0), (220.0, 60.0, 30.0))


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model, named by the environment, in a folder of its own."""
    (tmp_path / "model").mkdir()
    path = write_face(tmp_path / "model" / "face.tflite")
    monkeypatch.setenv("CHANGELING_MODEL", str(path))
    return path


def _photo(path: Path, pixels: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_photo(path, Photo(picture(*TWO, width=280) if pixels is None else pixels, None, b"", b""), comment=None)
    return path


def _video(path: Path) -> Path:
    """Six frames of one disc that moves; a colour's edges survive the codec well enough for the tiny detector."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(6):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(picture((70.0 + 2 * index, 60.0, 30.0)), format="rgb24"))
            )
        container.mux(stream.encode())
    return path


def test_a_photo_is_changed_and_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = _photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert main(["convert", str(source), str(target), "--smile", "0.8", "--brow-raise=0.4", "--blink"]) == 0
    assert "2 of 2 face(s) with smile 0.8, brow-raise 0.4, blink 1" in capsys.readouterr().err
    assert (read_photo(target).pixels != read_photo(source).pixels).any()
    assert main(["verify", str(target)]) == 0
    assert "face edited (model test face, smile 0.8, brow-raise 0.4, blink 1)" in capsys.readouterr().out
    assert main(["verify", str(source)]) == 1


def test_flags_stand_anywhere_and_take_negative_numbers(tmp_path: Path) -> None:
    """``--blink IN`` must not take the file for its number, nor ``--smile -0.5`` the number for a flag."""
    source, target = _photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert main(["convert", "--blink", str(source), str(target), "--smile", "-0.5"]) == 0
    assert target.exists()


def test_a_feature_is_a_flag_like_any_other(tmp_path: Path) -> None:
    """And goes with an expression: darker skin and a smile in one photo."""
    source = _photo(tmp_path / "in.png")
    both, smile = tmp_path / "both.png", tmp_path / "smile.png"
    assert main(["convert", str(source), str(both), "--smile", "0.5", "--skin-tone", "0.8"]) == 0
    assert main(["convert", str(source), str(smile), "--smile", "0.5"]) == 0
    means = [float(read_photo(path).pixels.mean()) for path in (both, smile)]
    assert means[0] < means[1] - 1.0


def test_only_the_chosen_face_changes(tmp_path: Path) -> None:
    source, target = _photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert main(["convert", str(source), str(target), "--expression", "happy:1", "--faces", "2"]) == 0
    changed = (read_photo(target).pixels != read_photo(source).pixels).any(axis=(0, 2))
    assert changed[140:].any()
    assert not changed[:140].any()


@pytest.mark.parametrize(
    ("extra", "code", "text"),
    [
        ([], 2, "say what to change"),
        (["--grin", "1"], 2, "no unit 'grin'; it has: smile"),
        (["--smile", "7"], 2, "smile must be between"),
        (["--smile=x"], 2, "--smile needs a number"),
        (["--expression", "bored"], 2, "no expression"),
        (["--smile", "1", "--faces", "nobody"], 2, "faces must be"),
        (["--smile", "1", "--faces", "3"], 2, "only 2 of them"),
        (["--smile", "1", "--pitch", "2"], 2, "--pitch is for sound"),
        (["--smile", "1", "--voice", "anna"], 2, "--voice is for sound"),
        (["--smile", "1", "--model", str(ASSETS / "tiny.tflite")], 4, "not"),
    ],
)
def test_wrong_wishes_are_one_line_and_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], code: int, text: str
) -> None:
    source = _photo(tmp_path / "in.png")
    assert main(["convert", str(source), str(tmp_path / "out.png"), *extra]) == code
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_sound_takes_no_face_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = ASSETS / "real_male.wav"
    for extra, text in ((["--smile", "1"], "sound has no --smile"), (["--expression", "happy"], "is for photos")):
        assert main(["convert", str(sound), str(tmp_path / "out.wav"), *extra]) == 2
        assert text in capsys.readouterr().err


def test_sound_with_a_face_model_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(ASSETS / "real_male.wav"), str(tmp_path / "out.wav")]) == 4
    assert "is a face model; sound needs a voice model" in capsys.readouterr().err


def test_without_a_face_model_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As long as, or wherever, the wheel has none."""
    from importlib import resources

    monkeypatch.delenv("CHANGELING_MODEL")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    assert main(["convert", str(_photo(tmp_path / "in.png")), str(tmp_path / "out.png"), "--smile", "1"]) == 4
    assert "lacks the face model that comes with changeling" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jpg", b""),
        ("text.png", b"hello"),
        ("cut.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        ("cut.mp4", b"\0\0\0\x20ftypisom"),
    ],
)
def test_broken_files_are_one_line_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / name).write_bytes(content)
    assert main(["convert", str(tmp_path / name), str(folder), "--smile", "1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_no_face_is_one_line_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _photo(tmp_path / "in.png", picture())
    assert main(["convert", str(source), str(tmp_path / "out.png"), "--smile", "1"]) == 2
    assert "no face that can be found; nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_video_keeps_its_frames_and_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = _video(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    assert main(["convert", str(source), str(target), "--expression", "surprised"]) == 0
    assert "6 frames, 6 with faces, with surprised" in capsys.readouterr().err
    with VideoReader(source) as before, VideoReader(target) as after:
        pairs = list(zip(before.frames(), after.frames(), strict=True))
    assert len(pairs) == 6
    for old, new in pairs:
        difference = np.abs(old.pixels.astype(int) - new.pixels).mean(axis=-1)
        assert difference[60:90, 50:100].mean() > 10.0  # the mouth
        assert difference[:, 135:].mean() < 4.0  # the codec alone
    assert main(["verify", str(target)]) == 0
    assert "surprised" in capsys.readouterr().out


def test_a_folder_goes_on_after_a_bad_file_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    _photo(source / "a.png")
    _photo(source / "deep" / "b.jpg")
    _photo(source / "nobody.png", picture())
    _video(source / "c.mp4")
    (source / "notes.txt").write_text("no photo")
    argv = ["convert", str(source), str(target), "--smile", "0.5"]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert "nobody.png shows no face" in error
    assert "3 converted, 0 already there, 1 failed" in error
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == ["a.png", "c.mp4", "deep/b.jpg"]
    assert main(argv) == 2
    assert "0 converted, 3 already there, 1 failed" in capsys.readouterr().err


def test_a_folder_of_both_kinds_needs_a_word(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _photo(tmp_path / "in" / "a.png")
    shutil.copy(ASSETS / "real_male.wav", tmp_path / "in")
    monkeypatch.delenv("CHANGELING_MODEL")
    argv = ["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--smile", "0.5"]
    assert main(argv) == 2
    assert "name the --model that is meant" in capsys.readouterr().err
    assert main([*argv, "--model", str(model)]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_input_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _photo(tmp_path / "in.png")
    before = source.read_bytes()
    assert main(["convert", str(source), str(source), "--smile", "1"]) == 3
    assert "is the input itself" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_extract_writes_crops_and_numbers(tmp_path: Path) -> None:
    source, folder = tmp_path / "in", tmp_path / "out"
    _photo(source / "a.png")
    _video(source / "b.mp4")
    assert main(["extract", str(source), "-o", str(folder), "--every", "2"]) == 0
    with (folder / "faces.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["file"]).name, row["face"]) for row in rows] == [("a.png", "1"), ("a.png", "2")] + [
        ("b.mp4", "1")
    ] * 3
    assert [float(row["time_s"]) for row in rows[2:]] == pytest.approx([0.0, 0.08, 0.16], abs=1e-3)
    middles = [(float(row["right_eye_x"]) + float(row["left_eye_x"])) / 2.0 for row in rows]
    assert middles[:2] == pytest.approx([60.0, 220.0], abs=29.0)  # within its disc
    assert middles[2:] == pytest.approx([70.0, 74.0, 78.0], abs=2.0)
    assert rows[0]["brow_raise"] == ""  # landmarks cannot tell
    assert 0.0 <= float(rows[0]["smile"]) <= 1.0
    arrays = np.load(folder / "faces.npz", allow_pickle=False)
    assert arrays["landmarks"].shape == (5, 468, 3)
    assert arrays["features"].shape == (5, 3 * 468)
    assert list(arrays["unit_names"]) == list(UNITS)
    # the same face at another place has the same features
    assert np.linalg.norm(arrays["features"][0] - arrays["features"][1]) < 0.05 * np.linalg.norm(arrays["features"][0])
    for row in rows:
        assert read_photo(folder / row["crop"]).pixels.shape == (32, 32, 3)


def test_extract_counts_from_the_persons_own_rest(tmp_path: Path) -> None:
    """Against themselves at rest, nothing is expressed."""
    source = _photo(tmp_path / "a.png")
    assert main(["extract", str(source), "-o", str(tmp_path / "out"), "--neutral", str(source)]) == 0
    units = np.load(tmp_path / "out" / "faces.npz")["units"]
    assert np.nanmax(units) < 0.1


def test_extract_without_a_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extract", str(_photo(tmp_path / "a.png", picture())), "-o", str(tmp_path / "out")]) == 2
    assert "no face" in capsys.readouterr().err
    assert not (tmp_path / "out" / "faces.csv").exists()


def test_info_tells_units_expressions_and_parts(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(model)]) == 0
    out = capsys.readouterr().out
    for text in ("test face (face, fp32, .tflite)", "smile", "-1 .. 1", "surprised", "detector.tflite: arithmetic"):
        assert text in out
    units, features = out.index("units    (--NAME VALUE)"), out.index("features (--NAME VALUE)")
    assert units < out.index("  smile") < features < out.index("  skin_tone")
    assert main(["info", str(model), "--json"]) == 0
    assert '"kind": "face"' in capsys.readouterr().out


def test_a_video_without_faces_leaves_nothing(tmp_path: Path) -> None:
    """A video without any face is refused after its last frame, and its half-done work goes too."""
    pytest.importorskip("av")
    make_video(tmp_path / "grey.mp4", frames=4)
    assert main(["convert", str(tmp_path / "grey.mp4"), str(tmp_path / "out.mp4"), "--smile", "1"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grey.mp4", "model"]
