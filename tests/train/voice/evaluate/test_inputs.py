"""Reading the recordings: what the table and the text files tell, and which recordings a limit leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import InputError
from edge_runtime.media.audio import read_audio, write_wav
from train.voice.evaluate.inputs import read_recordings, sound_digest

RATE_HZ = 16_000


def _tone(path: Path, seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    write_wav(path, (0.3 * np.sin(2.0 * np.pi * 200.0 * time)).astype(np.float32), rate_hz, comment="")
    return path


def test_the_table_tells_and_the_text_file_wins(tmp_path: Path) -> None:
    """Columns in any order, cells that are missing at the end of a line, an accent."""
    for name in ("a.wav", "b.wav", "deep/c d.wav"):
        _tone(tmp_path / name)
    table = "speaker\tfile\tlanguage\tsex\ttext\nann\ta.wav\tFR\tF\tdéjà vu\nbob\tb.wav\n"
    (tmp_path / "transcripts.tsv").write_text(table, encoding="utf-8")
    (tmp_path / "a.txt").write_text(" autre\n chose ", encoding="utf-8")
    recordings, skipped = read_recordings(tmp_path, language="it")
    assert skipped == []
    a, b, c = recordings
    assert (a.name, a.language, a.speaker, a.sex, a.text) == ("a", "fr", "ann", "f", "autre chose")
    assert (b.name, b.language, b.speaker, b.sex, b.text) == ("b", "it", "bob", "", "")
    assert (c.name, c.kind) == ("deep-c-d", "recording")


def test_outputs_do_not_take_each_others_names(tmp_path: Path) -> None:
    """`a b.wav`, `a-b.wav` and `a/b.wav` would all be called a-b."""
    for name in ("a b.wav", "a-b.wav", "a/b.wav"):
        _tone(tmp_path / name)
    recordings, _ = read_recordings(tmp_path)
    assert sorted(recording.name for recording in recordings) == ["a-b", "a-b-2", "a-b-3"]


def test_any_rate_becomes_16_khz(tmp_path: Path) -> None:
    """Judges and most models work there."""
    _tone(tmp_path / "a.wav", 2.0, 44_100)
    (recording,), _ = read_recordings(tmp_path)
    assert recording.seconds == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize(("limit", "speakers"), [(1, 1), (2, 2), (3, 3), (5, 3), (99, 3)])
def test_a_limit_is_spread_over_the_speakers(tmp_path: Path, limit: int, speakers: int) -> None:
    """Eight recordings of one speaker say little about a model."""
    lines = ["file\tspeaker"]
    for speaker, count in (("a", 5), ("b", 1), ("c", 3)):
        lines += [f"{_tone(tmp_path / f'{speaker}{i}.wav').name}\t{speaker}" for i in range(count)]
    (tmp_path / "transcripts.tsv").write_text("\n".join(lines))
    recordings, _ = read_recordings(tmp_path, limit=limit)
    assert len(recordings) == min(limit, 9)
    assert len({recording.speaker for recording in recordings}) == speakers


def test_a_small_limit_reaches_over_the_whole_list(tmp_path: Path) -> None:
    """Not the first names of the alphabet, which are all of one language."""
    for i in range(10):
        _tone(tmp_path / f"{i}.wav")
    lines = ["file\tspeaker", *(f"{i}.wav\tspeaker {i}" for i in range(10))]
    (tmp_path / "transcripts.tsv").write_text("\n".join(lines))
    recordings, _ = read_recordings(tmp_path, limit=5)
    assert [recording.name for recording in recordings] == ["0", "2", "4", "6", "8"]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("", "needs a first line"),
        ("a.wav\ten\n", "needs a first line"),
        ("file\ttext\nb.wav\thello\n", "names 'b.wav', which is not in"),
        ("file\ttext\na.wav\thello\tworld\n", "line 2"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, table: str, text: str) -> None:
    """Guessing would score against wrong words."""
    _tone(tmp_path / "a.wav")
    (tmp_path / "transcripts.tsv").write_text(table or " ")
    with pytest.raises(InputError, match=text):
        read_recordings(tmp_path)


def test_text_that_is_not_utf8_and_a_wrong_language_cost_one_recording(tmp_path: Path) -> None:
    """The others are judged."""
    for name in ("a.wav", "b.wav", "c.wav"):
        _tone(tmp_path / name)
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    (tmp_path / "transcripts.tsv").write_text("file\tlanguage\nb.wav\tEnglish\n")
    recordings, skipped = read_recordings(tmp_path)
    assert [recording.name for recording in recordings] == ["c"]
    assert "UTF-8" in skipped[0].reason
    assert "'english'" in skipped[1].reason


def test_a_folder_of_broken_recordings_says_why(tmp_path: Path) -> None:
    """The first reason stands for all."""
    (tmp_path / "a.wav").write_bytes(b"no sound at all")
    with pytest.raises(InputError, match=r"no recording .* can be used; the first: .*a\.wav"):
        read_recordings(tmp_path)


def test_a_sound_keeps_its_digest_through_a_wav(tmp_path: Path) -> None:
    """What was judged before it was written is known when it is read back."""
    samples = np.random.default_rng(0).uniform(-1.0, 1.0, 4_000).astype(np.float32)
    write_wav(tmp_path / "a.wav", samples, RATE_HZ, comment="")
    stored = read_audio(tmp_path / "a.wav", max_seconds=1).samples[:, 0]
    assert sound_digest(stored) == sound_digest(read_audio(tmp_path / "a.wav", max_seconds=1).samples[:, 0])
    changed = stored.copy()
    changed[100] += 2.0 / 32_767.0
    assert sound_digest(changed) != sound_digest(stored)
