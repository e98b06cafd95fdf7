"""Video in and out: every frame at its time, the sound as it was, rotation followed, interruptions survived."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import InputError, MissingDependencyError, OutputError
from edge_runtime.media import video_conversion
from edge_runtime.media.video import VideoReader, read_comment
from edge_runtime.media.video_conversion import convert_video
from edge_runtime.provenance import edit_comment, read_mark

av = pytest.importorskip("av")

SIZE = (64, 48)
BASE = Fraction(1, 30_000)
STEADY = (1000,)
JUMPY = (500, 1500, 2500)


def make_video(
    path: Path,
    frames: int = 40,
    steps: Sequence[int] = STEADY,
    sound: bool = True,
    size: tuple[int, int] = SIZE,
    pixel_format: str = "yuv420p",
) -> Path:
    """Frame i is grey of 5 * i, and brighter in its upper left corner."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "12", "g": "10", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.time_base = BASE
        voice = container.add_stream("aac", rate=16_000) if sound else None
        tick = 0
        for index in range(frames):
            pixels = np.full((size[1], size[0], 3), 5 * index % 200, np.uint8)
            pixels[: size[1] // 2, : size[0] // 2] += 50
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = tick, BASE
            tick += steps[index % len(steps)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if voice is not None:
            tone = np.sin(np.arange(tick * 16_000 // 30_000) / 8.0).astype(np.float32)[None] * 0.3
            for start in range(0, tone.shape[1] - 1024, 1024):
                block = av.AudioFrame.from_ndarray(tone[:, start : start + 1024], format="fltp", layout="mono")
                block.sample_rate, block.pts = 16_000, start
                container.mux(voice.encode(block))
            container.mux(voice.encode())
    return path


class Inverter:
    """Turns every frame into its negative; sees a face in all of them, and stops after some if asked to."""

    def __init__(self, stop_after: int | None = None, blind: bool = False) -> None:
        self.faces: list[object] = [] if blind else [1]
        self.times: list[float] = []
        self._stop_after = stop_after

    def process(self, frame: np.ndarray, time_s: float) -> np.ndarray:
        """255 minus the frame."""
        if len(self.times) == self._stop_after:
            raise KeyboardInterrupt
        self.times.append(time_s)
        return 255 - frame


def contents(path: Path) -> tuple[list[float], list[int], list[bytes]]:
    """Times and mean grey of all frames, and the packets of sound that are played."""
    with VideoReader(path) as reader:
        frames = [
            (float(f.tick * reader.facts.time_base), round(float(f.pixels[-8:, -8:].mean()))) for f in reader.frames()
        ]
    with av.open(str(path)) as container:
        audio = container.streams.audio
        packets = [bytes(p) for p in container.demux(*audio) if p.dts is not None and not p.is_discard] if audio else []
    return [time for time, _ in frames], [grey for _, grey in frames], packets


def convert(source: Path, target: Path, stream: Any = None, **options: Any) -> Any:
    return convert_video(
        source, target, stream or Inverter(), recipe="r", comment=edit_comment(model="m", edit="e"), **options
    )


@pytest.mark.parametrize("steps", [STEADY, JUMPY], ids=["constant rate", "variable rate"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_frames_keep_their_times_and_sound_its_bytes(tmp_path: Path, suffix: str, steps: Sequence[int]) -> None:
    source = make_video(tmp_path / "in.mp4", steps=steps)
    result = convert(source, tmp_path / f"out{suffix}")
    assert (result.frames, result.frames_with_faces, result.resumed_frames) == (40, 40, 0)
    times, greys, sound = contents(source)
    new_times, new_greys, new_sound = contents(tmp_path / f"out{suffix}")
    np.testing.assert_allclose(new_times, times, atol=1e-3 if suffix == ".mkv" else 1e-6)  # Matroska counts in ms
    np.testing.assert_allclose(new_greys, 255 - np.array(greys), atol=4)
    assert new_sound == sound
    assert len(sound) > 10
    mark = read_mark(tmp_path / f"out{suffix}")
    assert mark is not None
    assert mark.edit == "e"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"in.mp4", f"out{suffix}"})


def test_an_interrupted_conversion_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped twice, it looks again at the last second only, and the result is the one of an undisturbed run."""
    monkeypatch.setattr(video_conversion, "PIECE_S", 0.5)
    monkeypatch.setattr(video_conversion, "WARM_UP_S", 0.2)
    source = make_video(tmp_path / "in.mp4", frames=60, steps=JUMPY)
    convert(source, tmp_path / "whole.mp4")
    for stop_after in (20, 40):
        with pytest.raises(KeyboardInterrupt):
            convert(source, tmp_path / "out.mp4", Inverter(stop_after))
        assert not (tmp_path / "out.mp4").exists()
    last = Inverter()
    result = convert(source, tmp_path / "out.mp4", last)
    assert result.frames == 60
    assert result.resumed_frames >= 30
    assert len(last.times) <= 60 - result.resumed_frames + 6
    assert contents(tmp_path / "out.mp4") == contents(tmp_path / "whole.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "whole.mp4"]


def test_another_wish_starts_afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_conversion, "PIECE_S", 0.3)
    source = make_video(tmp_path / "in.mp4")
    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "out.mp4", Inverter(30))
    result = convert_video(source, tmp_path / "out.mp4", Inverter(), recipe="another", comment="")
    assert (result.frames, result.resumed_frames) == (40, 0)


def test_a_damaged_state_starts_afresh(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=8)
    folder = tmp_path / ".out.mp4.changeling"
    folder.mkdir()
    (folder / "state.json").write_text('{"key": 3')
    assert convert(source, tmp_path / "out.mp4").resumed_frames == 0


@pytest.mark.parametrize(("degrees", "quarters"), [(90, 3), (180, 2), (270, 1)])
def test_rotation_of_a_phone_is_followed(tmp_path: Path, degrees: int, quarters: int) -> None:
    """The bright corner is where a player shows it: turned clockwise by the file's degrees."""
    source = make_video(tmp_path / "in.mp4", frames=3)
    data = bytearray(source.read_bytes())
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    place = data.index(b"tkhd") + 4 + 4 + 20 + 16
    struct.pack_into(">9i", data, place, cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    source.write_bytes(data)
    with VideoReader(source) as reader:
        first = next(reader.frames()).pixels
    upright = np.zeros((48, 64))
    upright[:24, :32] = 1.0
    expected = np.rot90(upright, quarters)
    assert first.shape[:2] == expected.shape
    assert first[expected > 0].mean() > first[expected == 0].mean() + 30
    convert(source, tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert next(reader.frames()).pixels.shape == first.shape


def test_odd_sizes_and_silent_videos(tmp_path: Path) -> None:
    """4:2:0 colour has even sizes only; the last row and column are doubled where they must be."""
    source = make_video(tmp_path / "in.mkv", frames=4, sound=False, size=(63, 47), pixel_format="yuv444p")
    convert(source, tmp_path / "out.mp4")
    assert contents(tmp_path / "out.mp4")[2] == []
    with VideoReader(source) as before, VideoReader(tmp_path / "out.mp4") as after:
        old, new = next(before.frames()).pixels, next(after.frames()).pixels
    assert old.shape == (47, 63, 3)
    assert new.shape == (48, 64, 3)
    assert np.abs(255 - old.astype(int) - new[:47, :63]).mean() < 3


def test_progress_rises_to_one(tmp_path: Path) -> None:
    shares: list[float] = []
    convert(make_video(tmp_path / "in.mp4"), tmp_path / "out.mp4", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) == 40


def _refused(source: Path, target: Path, stream: Any = None) -> str:
    before = set(target.parent.iterdir())
    with pytest.raises(InputError) as caught:
        convert(source, target, stream)
    assert set(target.parent.iterdir()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_videos_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "in.mp4", frames=60).read_bytes()
    bad = tmp_path / "bad.mp4"
    for share in (0.01, 0.5, 0.9):
        bad.write_bytes(whole[: round(len(whole) * share)])
        assert "cut off" in _refused(bad, tmp_path / "out.mp4")
    bad.write_bytes(b"")
    assert "is empty" in _refused(bad, tmp_path / "out.mp4")
    bad.write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 100)
    assert "no video" in _refused(bad, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        voice = container.add_stream("aac", rate=16_000)
        block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        block.sample_rate = 16_000
        container.mux(voice.encode(block))
        container.mux(voice.encode())
    assert "holds no picture" in _refused(tmp_path / "sound.mp4", tmp_path / "out.mp4")


def test_a_video_cut_off_behind_its_index_is_refused(tmp_path: Path) -> None:
    """With the index in front the file opens; what it promises and does not hold must not go unsaid."""
    source = make_video(tmp_path / "in.mp4", frames=60)
    convert(source, tmp_path / "fast.mp4")  # our own files have the index in front
    whole = (tmp_path / "fast.mp4").read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    assert "cut off" in _refused(tmp_path / "cut.mp4", tmp_path / "out.mp4")


def test_no_face_writes_nothing(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=5)
    assert "no face" in _refused(source, tmp_path / "out.mp4", Inverter(blind=True))


def test_bad_places_are_refused(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=5)
    with pytest.raises(OutputError, match="must end so"):
        convert(source, tmp_path / "out.gif")
    with pytest.raises(OutputError):
        convert(source, tmp_path / "no" / "deep" / "out.mp4")
    os.mkdir(tmp_path / "out.mp4")
    with pytest.raises(OutputError, match="not a regular file"):
        convert(source, tmp_path / "out.mp4")


def test_a_name_like_a_protocol_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg would open `concat:` and `http:`; a name is a name here."""
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "in.mp4", frames=3)
    os.rename("in.mp4", "concat:in.mp4")
    assert read_comment("concat:in.mp4") == ""


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    (tmp_path / "in.mp4").write_bytes(b"x")
    with pytest.raises(MissingDependencyError, match=r"changeling\[face\]"):
        VideoReader(tmp_path / "in.mp4")
