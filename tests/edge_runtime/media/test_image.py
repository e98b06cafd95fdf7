"""Photos as the world makes them: a right picture or one clear line, and nothing half written."""

from __future__ import annotations

import contextlib
import io
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import InputError, MissingDependencyError, OutputError
from edge_runtime.media import image as module
from edge_runtime.media.image import Photo, read_photo, write_photo
from edge_runtime.media.xmp import with_xmp
from edge_runtime.provenance import DIGITAL_SOURCE_TYPE, edit_comment, read_mark

Image = pytest.importorskip("PIL.Image")

WIDTH, HEIGHT = 24, 16


def pixels() -> np.ndarray:
    """Left red, right blue, brighter towards the bottom."""
    out = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    out[:, : WIDTH // 2, 0] = np.linspace(100, 250, HEIGHT).astype(np.uint8)[:, None]
    out[:, WIDTH // 2 :, 2] = np.linspace(100, 250, HEIGHT).astype(np.uint8)[:, None]
    return out


def saved(path: Path, picture: Any, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_photo(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".bmp"])
def test_lossless_formats_come_in_exactly(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == ".webp" else {}
    photo = read_photo(saved(tmp_path / f"a{suffix}", Image.fromarray(pixels()), **options))
    np.testing.assert_array_equal(photo.pixels, pixels())
    assert photo.alpha is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_followed_and_then_gone(tmp_path: Path, orientation: int) -> None:
    """All eight: the sensor's picture is stored so that undoing the orientation gives the one looked at."""
    to_sensor = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # PIL's Transpose numbers
    picture = Image.fromarray(pixels())
    stored = picture if to_sensor is None else picture.transpose(to_sensor)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Camera"
    photo = read_photo(saved(tmp_path / "a.png", stored, exif=exif))
    np.testing.assert_array_equal(photo.pixels, pixels())
    write_photo(tmp_path / "b.jpg", photo, comment="c")
    with Image.open(tmp_path / "b.jpg") as again:
        assert again.getexif().get(0x0112, 1) == 1
        assert orientation == 1 or again.getexif()[0x010F] == "Camera"


def test_grey_palette_alpha_and_16_bit(tmp_path: Path) -> None:
    grey = pixels().max(axis=2)
    np.testing.assert_array_equal(read_photo(saved(tmp_path / "g.png", Image.fromarray(grey))).pixels[..., 1], grey)
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(saved(tmp_path / "d.png", deep)).pixels[..., 2], grey)
    palette = Image.fromarray(pixels()).convert("P", palette=Image.Palette.ADAPTIVE)
    assert np.abs(read_photo(saved(tmp_path / "p.gif", palette)).pixels.astype(int) - pixels()).mean() < 12
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    photo = read_photo(saved(tmp_path / "a.png", Image.fromarray(np.dstack([pixels(), alpha]))))
    np.testing.assert_array_equal(photo.pixels, pixels())
    np.testing.assert_array_equal(photo.alpha, alpha)
    write_photo(tmp_path / "b.png", photo, comment="c")
    np.testing.assert_array_equal(read_photo(tmp_path / "b.png").alpha, alpha)
    write_photo(tmp_path / "b.jpg", photo, comment="c")
    assert (read_photo(tmp_path / "b.jpg").pixels[:, 0] > 230).all()  # laid on white where nothing was


def test_cmyk_becomes_the_colours_it_shows(tmp_path: Path) -> None:
    """What a print shop sends: red must not become its negative."""
    photo = read_photo(saved(tmp_path / "c.jpg", Image.fromarray(pixels()).convert("CMYK"), quality=95))
    assert np.abs(photo.pixels.astype(int) - pixels()).mean() < 10


def test_colour_profile_is_kept(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(saved(tmp_path / "a.jpg", Image.fromarray(pixels()), icc_profile=profile))
    write_photo(tmp_path / "b.png", photo, comment="c")
    with Image.open(tmp_path / "b.png") as again:
        assert again.info["icc_profile"] == profile


def test_large_and_tiny_photos(tmp_path: Path) -> None:
    """12 000 x 9 000 pixels, which Pillow alone warns of, are read; one pixel too."""
    flat = Image.new("L", (12_000, 9_000), 9)
    assert read_photo(saved(tmp_path / "big.png", flat, compress_level=1)).pixels.shape == (9_000, 12_000, 3)
    assert read_photo(saved(tmp_path / "one.png", Image.new("RGB", (1, 1)))).pixels.shape == (1, 1, 3)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    for side, name in ((13_500, "a.png"), (100_000, "b.png")):
        header = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
        (tmp_path / name).write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        )
        assert "million" in refusal(tmp_path / name)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_truncated_files_are_one_line(tmp_path: Path, suffix: str, share: float) -> None:
    """A grey lower half would be worse than no picture."""
    rng = np.random.default_rng(0)
    whole = saved(tmp_path / f"w{suffix}", Image.fromarray(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)))
    (tmp_path / f"t{suffix}").write_bytes(whole.read_bytes()[: round(whole.stat().st_size * share)])
    refusal(tmp_path / f"t{suffix}")


def test_damaged_bytes_never_escape_as_another_error(tmp_path: Path) -> None:
    """Random damage gives a picture or one line; decoders raise almost anything on their own."""
    rng = np.random.default_rng(1)
    for name, options in (("a.jpg", {}), ("a.png", {}), ("a.tif", {"compression": "tiff_lzw"}), ("a.webp", {})):
        whole = bytearray(saved(tmp_path / name, Image.fromarray(pixels()), **options).read_bytes())
        for _ in range(40):
            damaged = bytearray(whole)
            for place in rng.integers(0, len(whole), 4):
                damaged[place] = rng.integers(256)
            (tmp_path / "d").write_bytes(damaged)
            with contextlib.suppress(InputError):
                assert read_photo(tmp_path / "d").pixels.ndim == 3


def test_what_is_no_photo_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    assert "is empty" in refusal(tmp_path / "empty.jpg")
    (tmp_path / "text.jpg").write_text("hello")
    assert "not a photo" in refusal(tmp_path / "text.jpg")
    assert "does not exist" in refusal(tmp_path / "none.jpg")
    assert "is a folder" in refusal(tmp_path)
    with (tmp_path / "huge.jpg").open("wb") as file:
        os.truncate(file.fileno(), 4 << 30)
    assert "4295 MB" in refusal(tmp_path / "huge.jpg")
    frames = [Image.new("RGB", (8, 8), (i, 0, 0)) for i in (0, 99, 200)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert "animation" in refusal(tmp_path / "moving.gif")
    saved(tmp_path / "f.tif", Image.fromarray(np.ones((4, 4), np.float32)))
    assert "floating-point" in refusal(tmp_path / "f.tif")


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingDependencyError, match=r"changeling\[face\]"):
        read_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_mark_is_written_and_read(tmp_path: Path, suffix: str) -> None:
    """IPTC's property, where every reader of XMP finds it, and our own words."""
    comment = edit_comment(model='a "good" <model> & more; x=y', edit="smile 0.8, blink")
    write_photo(tmp_path / f"a{suffix}", Photo(pixels(), None, b"", b""), comment=comment)
    mark = read_mark(tmp_path / f"a{suffix}")
    assert mark is not None
    assert mark.edit == "smile 0.8, blink"
    assert mark.model == 'a "good" <model> & more, x-y'
    with Image.open(tmp_path / f"a{suffix}") as picture:
        picture.load()
        xmp = picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"].encode()
    assert DIGITAL_SOURCE_TYPE.encode() in xmp
    assert b"Iptc4xmpExt:DigitalSourceType" in xmp
    saved(tmp_path / f"plain{suffix}", Image.fromarray(pixels()))
    assert read_mark(tmp_path / f"plain{suffix}") is None


def test_another_programs_mark_is_no_mark_of_ours_but_a_mark(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels()).save(stream, "JPEG")
    packet = f'<x Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/>'.encode()
    (tmp_path / "a.jpg").write_bytes(with_xmp(stream.getvalue(), packet))
    mark = read_mark(tmp_path / "a.jpg")
    assert mark is not None
    assert (mark.software, mark.model, mark.edit) == ("", "", "")


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    photo = Photo(pixels(), None, b"", b"")
    with pytest.raises(OutputError, match=r"must end so"):
        write_photo(tmp_path / "a.webp", photo, comment="c")
    with pytest.raises(OutputError, match="create the folder"):
        write_photo(tmp_path / "no" / "a.jpg", photo, comment="c")
    assert list(tmp_path.iterdir()) == []


def test_read_formats_are_those_of_the_names() -> None:
    assert set(module.WRITE_FORMATS) <= module.READ_SUFFIXES
