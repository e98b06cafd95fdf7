"""The speech that calibrates and proves an export: kept apart, prepared as the runtime prepares it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.media.audio import write_wav
from export.calibrate import CLIP_SECONDS, MAXIMUM_CLIPS, clip_feeds, load_clips, make_clip, split_heldout
from tests.export.toy_model import SAMPLE_RATE_HZ, ToyRun, hum, make_toy_description


@pytest.fixture(scope="module")
def run() -> ToyRun:
    """The toy without its network: no TensorFlow is needed here."""
    return make_toy_description()


def test_calibration_and_proof_never_share_a_recording() -> None:
    paths = [Path(f"{i:02d}.wav") for i in range(20)]
    calibration, test = split_heldout(paths, None)
    assert not set(calibration) & set(test)
    assert len(calibration) == len(test) == MAXIMUM_CLIPS


def test_a_folder_of_recordings_replaces_the_held_out_ones(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.WAV").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    calibration, test = split_heldout([Path("h.wav")], tmp_path)
    assert calibration == [tmp_path / "deep" / "a.WAV"]
    assert test == [Path("h.wav")]
    with pytest.raises(InputError, match="no recordings"):
        split_heldout([Path("h.wav")], tmp_path / "deep" / "none")


def test_nothing_held_out_is_said() -> None:
    with pytest.raises(WorkstationError, match="no held-out recordings"):
        split_heldout([], None)


def test_clips_are_of_any_rate_short_and_in_every_voice(run: ToyRun, tmp_path: Path) -> None:
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    write_wav(paths[0], np.repeat(hum(6.0, 120.0, 0), 2), 2 * SAMPLE_RATE_HZ, comment="")
    write_wav(paths[1], hum(1.0, 120.0, 1), SAMPLE_RATE_HZ, comment="")
    clips = load_clips(paths, run)
    assert [clip.voice for clip in clips] == [voice.name for voice in run.voices]
    assert len(clips[0].samples) == CLIP_SECONDS * SAMPLE_RATE_HZ
    for clip in clips:
        assert len(clip.mel) == len(clip.aux) == len(clip.samples) // run.front_end.hop_length
        np.testing.assert_array_equal(clip.film[0], run.film[[v.name for v in run.voices].index(clip.voice)])


def test_the_loudest_stretch_is_taken(run: ToyRun, tmp_path: Path) -> None:
    """Calibrating on the silence before a speaker starts would fit the ranges to silence."""
    silence = np.zeros(8 * SAMPLE_RATE_HZ, np.float32)
    write_wav(tmp_path / "late.wav", np.concatenate([silence, hum(4.0, 120.0, 0)]), SAMPLE_RATE_HZ, comment="")
    (clip,) = load_clips([tmp_path / "late.wav"], run)
    assert np.abs(clip.samples[:SAMPLE_RATE_HZ]).max() > 0.01


def test_recordings_that_are_too_short_are_named(run: ToyRun, tmp_path: Path) -> None:
    write_wav(tmp_path / "blip.wav", hum(0.1, 120.0, 0), SAMPLE_RATE_HZ, comment="")
    with pytest.raises(InputError, match=r"at least 0\.5 s"):
        load_clips([tmp_path / "blip.wav"], run)


def test_pitch_goes_to_the_voice_as_on_the_board(run: ToyRun) -> None:
    """Feeding the speaker's own pitch would calibrate and prove something that never happens at run time."""
    samples = hum(2.0, 120.0, 0)
    low, high = (make_clip("x", samples, run, voice).aux for voice in ("low", "high"))
    assert np.mean(high[:, 0]) > np.mean(low[:, 0]) + 0.5
    np.testing.assert_array_equal(high[:, 1:], low[:, 1:])


def test_feeds_are_whole_calls_with_zero_states(run: ToyRun) -> None:
    clip = make_clip("x", hum(1.0, 120.0, 0)[:-7], run, "low")
    feeds = clip_feeds(clip, {"mel": (2, 80), "aux": (2, 3), "film": (1, 64), "enc0_state": (4, 24)})
    calls = len(clip.mel) // 2
    assert feeds["mel"].shape == (calls, 2, 80)
    assert feeds["enc0_state"].shape == (calls, 4, 24)
    assert not feeds["enc0_state"].any()
    np.testing.assert_array_equal(feeds["mel"][3], clip.mel[6:8])
