"""``changeling evaluate face`` from its words to its files: a tiny face, the real runtime, judges that are stubs.

The tiny model moves the parts of red discs, so what it does is known; that its graphs find discs and no heads is why
rendered heads have tests of their own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.errors import MissingDependencyError
from edge_runtime.media.image import Photo, write_photo
from edge_runtime.media.video import Frame, PieceWriter, VideoFacts
from edge_runtime.provenance import read_mark
from tests.edge_runtime.face.tiny_face import picture, write_face
from tests.train.face.evaluate.judges_for_tests import StubEyes, StubRecogniser
from train.face.evaluate import cli
from train.face.evaluate.footage import PictureJudge


def _write_photo(path: Path, image: np.ndarray) -> None:
    write_photo(path, Photo(image, None, b"", b""), comment=None)


def _write_video(path: Path, frames: int = 24) -> None:
    facts = VideoFacts(frames, frames / 25.0, Fraction(1, 25), Fraction(25))
    shown = [picture((78.0 + 0.3 * number, 60.0, 36.0)) for number in range(frames)]
    with PieceWriter(str(path), facts, Frame(shown[0], 0, 1)) as writer:
        for number, image in enumerate(shown):
            writer.write(image, number)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Two photos with a face, one without, a file that is no photo, and a video."""
    folder = tmp_path / "in"
    folder.mkdir()
    _write_photo(folder / "one.png", picture((80.0, 60.0, 40.0)))
    _write_photo(folder / "two.png", picture((70.0, 62.0, 38.0), seed=3))
    _write_photo(folder / "none.png", picture())
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "read.me").write_text("no photo")
    _write_video(folder / "talk.mp4")
    return folder


@pytest.fixture
def recogniser() -> StubRecogniser:
    """Counts how often it was asked."""
    return StubRecogniser()


@pytest.fixture
def evaluate(
    tmp_path: Path, footage: Path, recogniser: StubRecogniser, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run the command with the tiny model."""
    monkeypatch.setenv("CHANGELING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli.main, "__defaults__", (lambda: recogniser, StubEyes))
    model = write_face(tmp_path / "face.tflite")

    def run(*more: str, folder: Path | None = footage) -> int:
        given = [] if folder is None else [str(folder)]
        words = ["--model", str(model), "-o", str(tmp_path / "out"), "--frames", "3", "--clip", "10"]
        return main(["evaluate", "face", *given, *words, *more])

    return run


def _scores(tmp_path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((tmp_path / "out" / "scores.json").read_text())
    return found


def test_everything_is_written(
    evaluate: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page, scores twice, a marked pair for every photo and edit, sheets, and a clip of the video."""
    assert evaluate() == 0
    out = tmp_path / "out"
    assert {"report.html", "scores.json", "scores.md", "sheet-1.png"} <= {path.name for path in out.iterdir()}
    for name in ("one-smile", "two-jaw_open", "one-surprised", "talk-00000-blink"):
        mark = read_mark(out / "pairs" / f"{name}.jpg")
        assert mark is not None, name
        assert f'src="pairs/{name}.jpg"' in (out / "report.html").read_text()
    assert (out / "videos" / "talk.mp4").stat().st_size > 1000
    scores = _scores(tmp_path)
    assert {file["file"] for file in scores["skipped_files"]} == {"none.png", "broken.jpg"}  # type: ignore[attr-defined]
    assert [clip["frames"] for clip in scores["real"]["clips"]] == [10, 10, 10]  # type: ignore[index]
    bars = {bar["name"]: bar for bar in scores["bars"]}  # type: ignore[attr-defined]
    assert bars["pixels changed outside the region"]["value"] == 0.0
    said = capsys.readouterr().out
    assert "report.html" in said
    assert "left out: none.png" in said


def test_identity_is_who_is_left(evaluate: Callable[..., int], tmp_path: Path, recogniser: StubRecogniser) -> None:
    """The stub sees the mean colour, which hardly changes; it is asked once for every picture it has not seen."""
    assert evaluate() == 0
    rows = {(row["edit"], row["kind"]): row for row in _scores(tmp_path)["real"]["rows"]}  # type: ignore[index]
    assert 0.0 <= rows["smile", "all"]["identity"]["mean"] < 0.3
    assert recogniser.asked > 0


def test_a_second_run_judges_nothing(
    evaluate: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was finished before Ctrl-C or yesterday is used again."""
    assert evaluate() == 0
    first = _scores(tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("was judged again")

    monkeypatch.setattr(PictureJudge, "edited", refuse)
    assert evaluate() == 0
    assert _scores(tmp_path) | {"created": ""} == first | {"created": ""}


def test_ctrl_c_keeps_what_was_done(
    evaluate: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A run that is stopped in the video goes on behind the photos, and leaves no half of a clip."""
    edited = PictureJudge.edited
    done: list[str] = []

    def stop_in_the_video(self: PictureJudge, subject: object, wish: object, *steady: object) -> object:
        done.append(subject.item)  # type: ignore[attr-defined]
        if done.count("talk") == 12:  # seven edits of the first frame, three for the clip, then the next one's
            raise KeyboardInterrupt
        return edited(self, subject, wish, *steady)  # type: ignore[arg-type]

    monkeypatch.setattr(PictureJudge, "edited", stop_in_the_video)
    assert evaluate() == 130
    assert capsys.readouterr().err.splitlines()[-1] == "changeling: stopped"
    assert not list((tmp_path / "out" / "videos").iterdir())
    assert done.count("one") == 7
    assert evaluate() == 0
    assert done.count("one") == 7
    assert (tmp_path / "out" / "videos" / "talk.mp4").is_file()


def test_without_dlib_the_rest_is_judged_and_said(
    evaluate: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most checkouts have no dlib."""

    def absent() -> None:
        raise MissingDependencyError("telling people apart needs the package dlib-bin; run `make evaluate`")

    monkeypatch.setattr(cli.main, "__defaults__", (absent, StubEyes))
    assert evaluate() == 0
    assert "Identity was not measured" in capsys.readouterr().out
    assert "Identity was not measured" in (tmp_path / "out" / "report.html").read_text()
    bars = {bar["name"]: bar for bar in _scores(tmp_path)["bars"]}  # type: ignore[attr-defined]
    assert next(bar for name, bar in bars.items() if name.startswith("identity"))["met"] is None


def test_a_single_photo_will_do(evaluate: Callable[..., int], footage: Path, tmp_path: Path) -> None:
    """And so will a model without all units, as this one has no frown."""
    assert evaluate("--skip", "identity", folder=footage / "one.png") == 0
    assert {score["edit"] for score in _scores(tmp_path)["real"]["scores"]} == {  # type: ignore[index]
        *("smile", "jaw_open", "brow_raise", "blink", "happy", "surprised", "neutral")
    }


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--skip", "taste"], "no measure 'taste'"),
        (["--limit", "0"], "--limit"),
        (["--data", "nowhere"], "collected.json"),
        (["--against", "nowhere.tflite"], "does not exist"),
    ],
)
def test_slips_are_one_line(
    evaluate: Callable[..., int], more: list[str], text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And nothing is written."""
    assert evaluate(*more) != 0
    assert text in _one_line(capsys)
    assert not (tmp_path / "out" / "scores.json").exists()


def test_nothing_to_judge_is_one_line(
    evaluate: Callable[..., int], footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No footage and no data, a folder without either, one without a face, and the folder of the results."""
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "faceless").mkdir()
    _write_photo(tmp_path / "faceless" / "a.png", picture())
    for folder, text in (
        (None, "give footage, or --data"),
        (empty, "holds no photo and no video"),
        (tmp_path / "none", "is not there"),
        (tmp_path / "faceless", "no photo or video can be used"),
        (tmp_path / "out", "is not there"),
    ):
        assert evaluate(folder=folder) == 2
        assert text in _one_line(capsys)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert evaluate("-o", str(footage)) == 2
    assert "choose another folder" in _one_line(capsys)


def test_a_voice_model_is_refused(evaluate: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """By the runtime's own words."""
    voice = Path(__file__).parents[3] / "assets" / "tiny_voice.fp16.tflite"
    assert evaluate("--model", str(voice)) == 4
    _one_line(capsys)


def _one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("changeling:")]
    assert len(lines) == 1
    return lines[0]


def test_a_shift_in_the_model_is_the_shift_that_is_told(evaluate: Callable[..., int], tmp_path: Path) -> None:
    """The tiny landmark model finds discs and no mouths, so nothing moves for it: what is told is 0, and not a wish."""
    assert evaluate("--skip", "identity") == 0
    rows = {(row["edit"], row["kind"]): row for row in _scores(tmp_path)["real"]["rows"]}  # type: ignore[index]
    assert abs(rows["smile", "photo"]["moved"]["mean"]) < 0.02
    assert rows["smile", "photo"]["reached"] is None  # nothing to compare with without --data
