"""Photos from and to files, through Pillow, which is imported here and nowhere else.

Pillow and not OpenCV, because a photo is more than its pixels: Pillow tells a truncated file from a whole one, turns by
EXIF, converts CMYK by the file's own colour profile, keeps profile, EXIF and transparency, and has wheels for every
board. What a file is decides its content, not its name.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, MissingDependencyError, OutputError
from edge_runtime.files import Path, open_input, reason, shown, write_atomic
from edge_runtime.media.xmp import with_xmp
from edge_runtime.provenance import xmp_packet

Pixels = NDArray[np.uint8]

MAXIMUM_BYTES = 512_000_000
MAXIMUM_PIXELS = 170_000_000
"""16 bytes a pixel are needed at times; a photo of 12 000 x 9 000 has 108 million."""
READ_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp"})
"""What is taken from a folder."""
WRITE_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
"""Formats that carry the mark, by suffix."""

_READ_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_QUALITY = 95
_ORIENTATION = 0x0112
"""Number of that EXIF entry."""
_MAXIMUM_EXIF_BYTES = 65_000
_MAXIMUM_JPEG_SIDE = 65_500


@dataclass(frozen=True)
class Photo:
    """A photo as it is looked at: upright, 8 bits a channel."""

    pixels: Pixels
    """(H, W, 3) RGB."""
    alpha: Pixels | None
    """(H, W), or None where nothing is transparent."""
    icc_profile: bytes
    """The colour profile the pixels are in; empty is sRGB."""
    exif: bytes
    """Without its orientation, which the pixels have followed."""


class _Pillow(NamedTuple):
    image: Any
    colour: Any
    ops: Any


def _pillow() -> _Pillow:
    try:
        from PIL import Image, ImageCms, ImageOps
    except ImportError:
        raise MissingDependencyError('photos need the package Pillow: pip install "changeling[face]"') from None
    return _Pillow(Image, ImageCms, ImageOps)


def read_photo(path: Path) -> Photo:
    """Read a JPEG, PNG, WebP, TIFF, BMP or single GIF, whole.

    Raises `InputError` (in one line, for anything that is no photo, is damaged or too large) or
    `MissingDependencyError`.
    """
    name = shown(path)
    library = _pillow()
    file, _ = open_input(path, max_bytes=MAXIMUM_BYTES)
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images, whose size is checked here, and of odd metadata
        try:
            picture = library.image.open(file, formats=_READ_FORMATS)
        except library.image.DecompressionBombError:
            raise InputError(
                f"{name} has more than {MAXIMUM_PIXELS / 1e6:.0f} million pixels; make it smaller"
            ) from None
        except library.image.UnidentifiedImageError:
            raise InputError(
                f"{name} is not a photo (JPEG, PNG, WebP, TIFF, BMP), or is damaged; export it again"
            ) from None
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as problem:
            raise InputError(f"{name} cannot be read as a photo ({reason(problem)}); export it again") from None
        _check_size(picture, name)
        try:
            return _to_photo(library, picture, name)
        except InputError:
            raise
        except MemoryError:
            raise InputError(f"{name} does not fit into memory; make it smaller") from None
        except Exception as problem:  # a hostile file makes Pillow's decoders raise almost anything
            raise InputError(f"{name} is damaged or cut off ({reason(problem)}); export it again") from None


def write_photo(path: Path, photo: Photo, *, comment: str | None) -> None:
    """Write as the JPEG or PNG that the path's suffix says, marked with ``comment`` if any, whole or not at all.

    ``comment`` is what `edge_runtime.provenance.edit_comment` makes. A JPEG has no transparency: it is laid on white.
    Raises `OutputError`.
    """
    name = shown(path)
    library = _pillow()
    file_format = WRITE_FORMATS.get(_suffix(path))
    if file_format is None:
        raise OutputError(f"a photo is written as {', '.join(WRITE_FORMATS)}: {name} must end so")
    if file_format == "JPEG" and max(photo.pixels.shape) > _MAXIMUM_JPEG_SIDE:
        raise OutputError(f"{name} would be too large for a JPEG; write a .png")
    options: dict[str, Any] = {"quality": _QUALITY, "subsampling": 0} if file_format == "JPEG" else {}
    if photo.icc_profile:
        options["icc_profile"] = photo.icc_profile
    if photo.exif and len(photo.exif) <= _MAXIMUM_EXIF_BYTES:
        options["exif"] = photo.exif
    stream = io.BytesIO()
    try:
        _layers(library, photo, file_format).save(stream, file_format, **options)
        encoded = stream.getvalue()
        if comment is not None:
            encoded = with_xmp(encoded, xmp_packet(comment))
    except (OSError, ValueError, MemoryError) as problem:
        raise OutputError(f"{name} cannot be written ({reason(problem)}); try the other of .jpg and .png") from None
    write_atomic(path, [encoded])


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """(H, W, 3) RGB as an unmarked JPEG of ``quality`` 1..95, for showing and not for keeping."""
    stream = io.BytesIO()
    _pillow().image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _suffix(path: Path) -> str:
    name = shown(path).lower()
    return "." + name.rpartition(".")[2]


def _check_size(picture: Any, name: str) -> None:
    width, height = picture.size
    if width * height > MAXIMUM_PIXELS:
        raise InputError(
            f"{name} has {width} x {height} pixels and at most {MAXIMUM_PIXELS / 1e6:.0f} million are read; "
            "make it smaller"
        )
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # the second picture of an MPO is an aside
        raise InputError(f"{name} holds several pictures or an animation; save one of them as a .png or .jpg")


def _to_photo(library: _Pillow, picture: Any, name: str) -> Photo:
    picture.load()  # all of it: this is where a truncated file shows
    icc_profile = bytes(picture.info.get("icc_profile") or b"")
    picture, exif = _upright(library, picture)
    if picture.mode == "CMYK":
        picture, icc_profile = _from_cmyk(library, picture, icc_profile), b""
    elif picture.mode.startswith("I"):
        return Photo(_from_deep(picture, name), None, b"", exif)
    elif picture.mode == "F":
        raise InputError(f"{name} holds floating-point values; save it with 8 or 16 bits a channel")
    if picture.mode not in ("RGB", "RGBA", "P", "PA"):
        icc_profile = b""  # of another kind of colours
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layers = np.asarray(picture.convert("RGBA"))
        return Photo(np.ascontiguousarray(layers[..., :3]), np.ascontiguousarray(layers[..., 3]), icc_profile, exif)
    return Photo(np.array(picture if picture.mode == "RGB" else picture.convert("RGB")), None, icc_profile, exif)


def _upright(library: _Pillow, picture: Any) -> tuple[Any, bytes]:
    try:
        if picture.getexif().get(_ORIENTATION, 1) != 1:  # or a copy would be made for nothing
            picture = library.ops.exif_transpose(picture)
        return picture, bytes(picture.info.get("exif") or b"")
    except Exception:  # EXIF is written by a thousand programs; a damaged one is no reason to refuse a whole photo
        return picture, b""


def _from_cmyk(library: _Pillow, picture: Any, icc_profile: bytes) -> Any:
    if icc_profile:
        try:
            own = library.colour.ImageCmsProfile(io.BytesIO(icc_profile))
            return library.colour.profileToProfile(picture, own, library.colour.createProfile("sRGB"), outputMode="RGB")
        except (library.colour.PyCMSError, OSError, ValueError):
            pass  # a damaged profile: the plain formula is near enough
    return picture.convert("RGB")


def _from_deep(picture: Any, name: str) -> Pixels:
    """16-bit grey as 8-bit RGB."""
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise InputError(f"{name} has more than 16 bits a channel; save it with 8 or 16")
    grey = (values.astype(np.uint32) >> 8).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))


def _layers(library: _Pillow, photo: Photo, file_format: str) -> Any:
    if photo.alpha is None:
        return library.image.fromarray(photo.pixels)
    picture = library.image.fromarray(np.dstack([photo.pixels, photo.alpha]))
    if file_format == "PNG":
        return picture
    white = library.image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.alpha_composite(picture)
    return white.convert("RGB")
