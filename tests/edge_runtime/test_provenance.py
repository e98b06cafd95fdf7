"""Every converted WAV says that it is one, and the mark can be read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import InputError
from edge_runtime.media.audio import write_wav
from edge_runtime.provenance import DIGITAL_SOURCE_TYPE, Mark, conversion_comment, read_mark
from tests.edge_runtime.media.wav_files import FLOAT, PCM, chunk, fmt, riff, simple

SILENCE = np.zeros(101, np.float32)


def test_the_mark_is_read_back_from_a_written_file(tmp_path: Path) -> None:
    comment = conversion_comment(model="robots", voice="Zoë")
    write_wav(tmp_path / "a.wav", SILENCE, 16_000, comment=comment)
    assert read_mark(tmp_path / "a.wav") == Mark("Changeling", comment, "robots", "Zoë")
    assert DIGITAL_SOURCE_TYPE in comment


def test_the_mark_survives_truncation_of_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, SILENCE, 16_000, comment=conversion_comment(model="m", voice="v"))
    path.write_bytes(path.read_bytes()[:-150])
    mark = read_mark(path)
    assert mark is not None
    assert mark.model == "m"


def test_names_cannot_forge_fields_or_lines(tmp_path: Path) -> None:
    comment = conversion_comment(model="m; voice=other\nICMT", voice="v" * 5_000)
    write_wav(tmp_path / "a.wav", SILENCE, 16_000, comment=comment + "\0\x1b[31m")
    mark = read_mark(tmp_path / "a.wav")
    assert mark is not None
    assert (mark.model, mark.voice) == ("m, voice-otherICMT", "v" * 200)
    assert mark.comment.isprintable()


def test_an_unmarked_file_has_no_mark_and_other_software_is_no_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(simple(np.zeros((10, 1))))
    assert read_mark(path) is None
    info = b"INFO" + chunk(b"ISFT", b"Lavf61\0\0") + chunk(b"ICMT", b"hello\0")
    path.write_bytes(riff(fmt(PCM, 1, 16_000, 16), chunk(b"LIST", info), chunk(b"data", bytes(20))))
    assert read_mark(path) is None


def test_the_source_type_alone_is_a_mark_even_after_the_data(tmp_path: Path) -> None:
    """Editors rewrite ISFT with their own name and move the chunk to the end."""
    info = b"INFO" + chunk(b"ISFT", b"Lavf61") + chunk(b"ICMT", conversion_comment(model="m", voice="v").encode())
    path = tmp_path / "a.wav"
    path.write_bytes(riff(fmt(FLOAT, 1, 16_000, 32), chunk(b"data", bytes(20)), chunk(b"LIST", info)))
    assert read_mark(path) == Mark("Lavf61", conversion_comment(model="m", voice="v"), "m", "v")


@pytest.mark.parametrize("claimed", [0, 5, 2**31, 2**32 - 1])
def test_a_lying_info_chunk_is_harmless(tmp_path: Path, claimed: int) -> None:
    body = b"INFO" + chunk(b"ICMT", b"\xff\xfe\x1b[2J", claimed)
    path = tmp_path / "a.wav"
    path.write_bytes(riff(fmt(PCM, 1, 16_000, 16), chunk(b"LIST", body), chunk(b"data", bytes(20))))
    assert read_mark(path) is None


def test_what_is_not_a_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"not a wav at all")
    with pytest.raises(InputError, match="not a WAV"):
        read_mark(tmp_path / "a.wav")
