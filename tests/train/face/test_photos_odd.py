"""Pictures as people have them, and worse: a line each, whatever is good is kept, and nothing is done twice."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import edge_runtime
from edge_runtime.cli.main import main
from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face.landmarks import Face
from train.face import pictures
from train.face.photos import (
    FOUND_FOLDER,
    PHOTOS_FILE,
    PHOTOS_FOLDER,
    PhotoSet,
    collect_photos,
    default_finder,
    load_photos,
    load_picture,
)
from train.records import load_json

Image = pytest.importorskip("PIL.Image")

FIVE = np.array(((0.378, 0.42), (0.622, 0.42), (0.5, 0.565), (0.40, 0.675), (0.60, 0.675)), np.float32)


def a_face(left: float = 30.0, top: float = 20.0, side_px: float = 160.0) -> Face:
    points = np.zeros((468, 3), np.float32)
    five = FIVE * side_px + (left, top)
    points[33, :2], points[263, :2] = five[0], five[1]
    points[10, :2], points[152, :2] = (left + side_px / 2, top), (left + side_px / 2, top + side_px)
    return Face(points, five.astype(np.float32), 0.9)


def one_face(picture: np.ndarray) -> Sequence[Face]:
    """A face in every picture that is large enough for one."""
    return [a_face()] if min(picture.shape[:2]) > 100 else []


def noise(seed: int = 1, shape: tuple[int, ...] = (220, 240, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def encoded(picture: np.ndarray, kind: str = "PNG", mode: str | None = None) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(picture)
    (image.convert(mode) if mode else image).save(stream, kind)
    return stream.getvalue()


def huge_png() -> bytes:
    """A header that promises 20000 x 20000 pixels."""
    data = bytearray(encoded(noise(shape=(4, 4, 3))))
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    return bytes(data)


BROKEN: dict[str, Callable[[], bytes]] = {
    "empty.jpg": lambda: b"",
    "cut.jpg": lambda: encoded(noise(), "JPEG")[:9000],
    "cut.png": lambda: encoded(noise())[:5000],
    "text.jpg": lambda: b"dear diary",
    "huge.png": huge_png,
    "text.mp4": lambda: b"dear diary",
    "empty.mov": lambda: b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line_and_the_others_are_kept(tmp_path: Path, name: str) -> None:
    """A folder of three files, one of them broken."""
    if Path(name).suffix in (".mp4", ".mov"):
        pytest.importorskip("av")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(BROKEN[name]())
    for seed in (1, 2):
        (folder / f"good{seed}.png").write_bytes(encoded(noise(seed)))
    photos = collect_photos([folder], tmp_path / "out", one_face)
    assert len(photos.faces) == 2
    (left_out,) = photos.left_out
    assert left_out.source == name
    assert left_out.reason.startswith("unreadable: ")
    assert "\n" not in left_out.reason
    alone = tmp_path / "alone"
    with pytest.raises(InputError, match="no usable face") as caught:
        collect_photos([folder / name], alone, one_face)
    assert "unreadable" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (alone / PHOTOS_FILE).exists()
    assert not list((alone / PHOTOS_FOLDER).iterdir())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cmyk.jpg", lambda: encoded(noise(), "JPEG", "CMYK")),
        ("grey.png", lambda: encoded(noise(shape=(220, 240)))),
        ("deep.png", lambda: encoded(noise(shape=(220, 240)).astype(np.uint16) << 8)),
        ("clear.png", lambda: encoded(noise(shape=(220, 240, 4)))),
    ],
)
def test_odd_colours_are_photos_too(tmp_path: Path, name: str, data: Callable[[], bytes]) -> None:
    (tmp_path / name).write_bytes(data())
    photos = collect_photos([tmp_path / name], tmp_path / "out", one_face)
    picture = load_picture(tmp_path / "out", photos.faces[0])
    assert picture.std() > 20.0


def test_one_pixel_is_no_face(tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(encoded(noise(shape=(1, 1, 3))))
    with pytest.raises(InputError, match="no face found"):
        collect_photos([tmp_path / "dot.png"], tmp_path / "out", one_face)


def test_twenty_faces_are_twenty_faces(tmp_path: Path) -> None:
    """Each with its own picture; the small ones of the back row with their own reason."""
    (tmp_path / "class.png").write_bytes(encoded(noise(shape=(700, 900, 3))))
    front = [a_face(170.0 * i, 170.0 * j) for i in range(5) for j in range(4)]
    back = [a_face(20.0 * i, 680.0, 20.0) for i in range(5)]
    photos = collect_photos([tmp_path / "class.png"], tmp_path / "out", lambda picture: [*front, *back])
    assert len(photos.faces) == 20
    assert len({face.file for face in photos.faces}) == 20
    assert [entry.reason.split(":")[0] for entry in photos.left_out] == ["too small"] * 5


def test_a_name_that_is_no_text_can_be_listed(tmp_path: Path) -> None:
    """A file of another system's alphabet must not end in an error of its own."""
    odd = tmp_path / "in" / b"\xff\n.png".decode("utf-8", "surrogateescape")
    odd.parent.mkdir()
    try:
        odd.write_bytes(encoded(noise()))
    except OSError:
        pytest.skip("this file system has no such names")
    (tmp_path / "in" / "bad.png").write_bytes(b"")
    photos = collect_photos([tmp_path / "in"], tmp_path / "out", one_face)
    assert load_json(tmp_path / "out" / PHOTOS_FILE, PhotoSet) == photos
    assert photos.faces[0].source.isprintable()


def test_what_was_searched_is_not_searched_again(tmp_path: Path) -> None:
    """A run that is stopped goes on; a file that has changed is looked at anew."""
    folder, seen = tmp_path / "in", []
    folder.mkdir()
    for seed in range(4):
        (folder / f"{seed}.png").write_bytes(encoded(noise(seed)))

    def stopping(picture: np.ndarray) -> Sequence[Face]:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(picture)
        return one_face(picture)

    with pytest.raises(KeyboardInterrupt):
        collect_photos([folder], tmp_path / "out", stopping)
    assert not (tmp_path / "out" / PHOTOS_FILE).exists()
    assert not list(tmp_path.rglob("*.part"))

    def counting(picture: np.ndarray) -> Sequence[Face]:
        seen.append(picture)
        return one_face(picture)

    photos = collect_photos([folder], tmp_path / "out", counting)
    assert (len(seen), len(photos.faces)) == (4, 4)
    (folder / "3.png").write_bytes(encoded(noise(9, (300, 300, 3))))
    (tmp_path / "out" / photos.faces[0].file).unlink()
    assert len(collect_photos([folder], tmp_path / "out", counting).faces) == 4
    assert len(seen) == 6
    for memory in (tmp_path / "out" / FOUND_FOLDER).iterdir():
        memory.write_text("{")
    collect_photos([folder], tmp_path / "out", counting)
    assert len(seen) == 10


def video(path: Path, seconds: int) -> Path:
    """Another pattern every half second, ten frames a second."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 240, 224, "yuv420p"
        for index in range(10 * seconds):
            coarse = noise(index // 5, (28, 30, 3))
            frame = av.VideoFrame.from_ndarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_video_without_faces_is_one_line(tmp_path: Path) -> None:
    """And not one for each of its frames."""
    film = video(tmp_path / "film.mp4", 3)
    with pytest.raises(InputError, match="no face found: in 6 of its pictures") as caught:
        collect_photos([film], tmp_path / "out", lambda picture: [])
    assert "\n" not in str(caught.value)


def test_a_long_video_goes_on_at_the_minute_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With seconds for minutes; the same frames as in one go."""
    monkeypatch.setattr(pictures, "PIECE_S", 1.0)
    film, seen = video(tmp_path / "film.mp4", 4), []

    def stopping(picture: np.ndarray) -> Sequence[Face]:
        if len(seen) == 5:
            raise KeyboardInterrupt
        seen.append(picture)
        return one_face(picture)

    with pytest.raises(KeyboardInterrupt):
        collect_photos([film], tmp_path / "out", stopping)
    assert len(list((tmp_path / "out" / FOUND_FOLDER).iterdir())) == 2
    again: list[np.ndarray] = []

    def counting(picture: np.ndarray) -> Sequence[Face]:
        again.append(picture)
        return one_face(picture)

    photos = collect_photos([film], tmp_path / "out", counting)
    assert len(again) == 4, "two seconds were done"
    whole = collect_photos([film], tmp_path / "whole", one_face)
    assert [face.source for face in photos.faces] == [face.source for face in whole.faces]
    assert photos.faces == whole.faces
    assert photos.faces[-1].source == "film.mp4@3.50s"


def test_no_face_model_has_to_come_with_changeling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first model is trained before there is one; from the command line."""

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("no model is shipped yet")

    monkeypatch.setattr(edge_runtime, "load", refuse)
    parts = SimpleNamespace(finder=lambda: SimpleNamespace(find=one_face))
    monkeypatch.setattr("train.face.parts.load_parts", lambda: parts)
    assert default_finder() is one_face
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    assert main(["train", "face", "collect", str(tmp_path / "a.png"), "-o", str(tmp_path / "out")]) == 0
    assert "1 faces kept" in capsys.readouterr().out
    photos = load_photos(tmp_path / "out")
    (tmp_path / "out" / photos.faces[0].file).write_bytes(b"")
    with pytest.raises(WorkstationError, match="collect the photos again"):
        load_picture(tmp_path / "out", photos.faces[0])
