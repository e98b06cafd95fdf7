"""Collecting recordings: what a user has on disk, in whatever state, becomes clips or a reason."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import ChangelingError, InputError
from edge_runtime.media.audio import read_audio, write_wav
from edge_runtime.media.resample import resample
from train.voice import collect as collect_module
from train.voice import recordings
from train.voice.clips import CutSpec, find_activity
from train.voice.collect import Collected, add_arguments, choose_heldout, collect, run
from train.voice.corpus.tiny import TinySynthesiser
from train.voice.dataset import load_dataset, read_clip
from train.voice.recordings import ClipFacts, RecordingResult

RATE = 16_000
REAL_MALE = Path(__file__).parents[2] / "assets" / "real_male.wav"


def babble(n_sentences: int, *, first: int = 0, pause_s: float = 1.0, gain: float = 0.3) -> np.ndarray:
    """Sentences of a toy voice with pauses and a little noise, float32 (n,) at 16 kHz."""
    engine = TinySynthesiser()
    pause = np.zeros(round(pause_s * RATE), np.float32)
    parts = [pause]
    for index in range(first, first + n_sentences):
        utterance = engine.synthesise(f"sentence {index}", index)
        assert utterance is not None
        parts += [gain * utterance.sounds["tiny_male"] / np.abs(utterance.sounds["tiny_male"]).max(), pause]
    samples = np.concatenate(parts)
    return (samples + 1e-4 * np.random.default_rng(5).standard_normal(len(samples))).astype(np.float32)


def save(path: Path, samples: np.ndarray, rate_hz: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, samples.astype(np.float32), rate_hz, comment="a recording")
    return path


def gather(source: Path, out: Path, **options) -> Collected:
    return collect([source], out, speaker="ada", **options)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A folder of five recordings in three places, rates and shapes."""
    folder = tmp_path / "voice"
    for index in range(3):
        save(folder / f"take {index}.wav", babble(3, first=10 * index))
    stereo = np.stack([babble(3, first=40)] * 2, axis=1)
    save(folder / "more" / "stereo.wav", stereo)
    save(folder / "more" / "studio.WAV", resample(babble(3, first=50), RATE, 48_000), 48_000)
    return folder


def test_recordings_of_any_rate_become_level_16_khz_mono_clips(voice: Path, tmp_path: Path) -> None:
    collected = gather(voice, tmp_path / "data")
    dataset = load_dataset(tmp_path / "data")
    assert dataset == collected.dataset
    assert {result.source for result in collected.results if result.clips} == {
        "take 0.wav", "take 1.wav", "take 2.wav", "stereo.wav", "studio.WAV",
    }  # fmt: skip
    for clip in dataset.clips:
        samples = read_clip(dataset.path(clip))
        assert len(samples) == round(clip.seconds * RATE)
        assert 2.0 <= clip.seconds <= 12.0
        assert find_activity(samples).speech_dbfs == pytest.approx(-26.0, abs=0.3)
    assert dataset.people == dataset.speakers


def test_heldout_recordings_share_nothing_with_training(voice: Path, tmp_path: Path) -> None:
    collected = gather(voice, tmp_path / "data")
    split_of = {clip.file: clip.split for clip in collected.dataset.clips}
    splits = [{split_of[clip.file] for clip in result.clips} for result in collected.results]
    assert all(len(names) == 1 for names in splits)
    assert {"train"} in splits
    assert {"heldout"} in splits


def test_everything_left_out_is_named_with_its_reason(voice: Path, tmp_path: Path) -> None:
    loud = babble(3, first=60)
    save(voice / "loud.wav", np.clip(20.0 * loud, -0.9, 0.9))
    hiss = np.random.default_rng(1).standard_normal(3 * RATE) * 0.05
    save(voice / "hiss.wav", hiss)
    save(voice / "nothing.wav", 1e-5 * hiss)
    save(voice / "word.wav", babble(1, first=3)[: round(1.9 * RATE)])
    (voice / "broken.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEjunk")
    (voice / "text.flac").write_bytes(b"this is no sound")
    (voice / "phone.m4a").write_bytes(b"\0")
    (voice / "notes.txt").write_text("not a recording")
    (voice / "copy.wav").write_bytes((voice / "take 0.wav").read_bytes())
    collected = gather(voice, tmp_path / "data")
    reasons = {entry.source: entry.reason for entry in collected.left_out}
    assert reasons == {
        "loud.wav": "clipped",
        "hiss.wav": "too noisy",
        "nothing.wav": "silent",
        "word.wav": "too short",
        "broken.wav": "unreadable",
        "text.flac": "unreadable",
        "phone.m4a": "unreadable",
        "take 0.wav": "duplicate",
    }
    assert len({clip.file for clip in collected.dataset.clips}) == len(collected.dataset.clips)


def test_a_second_run_does_only_what_is_new(voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = gather(voice, tmp_path / "data")
    save(voice / "new.wav", babble(3, first=70))
    processed = []

    def counting(path: Path, *args, **options) -> RecordingResult:
        processed.append(path.name)
        return recordings.process(path, *args, **options)

    monkeypatch.setattr(collect_module, "process", counting)
    second = gather(voice, tmp_path / "data")
    assert processed == ["new.wav"]
    assert second.reused == len(first.results)
    assert {clip.file for clip in first.dataset.clips} < {clip.file for clip in second.dataset.clips}


def test_a_stopped_run_resumes_to_the_same_dataset(
    voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle, and a clip lost from a finished recording: the result must not tell."""
    whole = gather(voice, tmp_path / "whole").dataset
    calls = []

    def stopping(path: Path, *args, **options) -> RecordingResult:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return recordings.process(path, *args, **options)

    monkeypatch.setattr(collect_module, "process", stopping)
    with pytest.raises(KeyboardInterrupt):
        gather(voice, tmp_path / "data")
    monkeypatch.undo()
    next((tmp_path / "data" / "clips").glob("*.wav")).unlink()
    resumed = gather(voice, tmp_path / "data").dataset
    assert resumed.clips == whole.clips
    for clip in whole.clips:
        assert resumed.path(clip).read_bytes() == whole.path(clip).read_bytes()
    assert not list((tmp_path / "data").rglob("*.part"))


def test_clips_of_recordings_that_went_away_are_removed_and_other_files_stay(voice: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    gather(voice, out)
    (out / "clips" / "mine.wav").write_bytes(b"kept")
    (voice / "take 1.wav").unlink()
    dataset = gather(voice, out).dataset
    on_disk = {path.name for path in (out / "clips").iterdir()}
    assert on_disk == {Path(clip.file).name for clip in dataset.clips} | {"mine.wav"}


def test_changed_settings_are_not_served_from_finished_work(voice: Path, tmp_path: Path) -> None:
    gather(voice, tmp_path / "data")
    again = gather(voice, tmp_path / "data", spec=CutSpec(maximum_s=4.0))
    assert again.reused == 0
    assert max(clip.seconds for clip in again.dataset.clips) <= 4.0


def test_one_long_recording_holds_out_its_end(tmp_path: Path) -> None:
    path = save(tmp_path / "long.wav", babble(30))
    dataset = gather(path, tmp_path / "data").dataset
    splits = [clip.split for clip in dataset.clips]
    assert splits == sorted(splits, reverse=True)
    heldout_s = sum(clip.seconds for clip in dataset.split("heldout"))
    assert 0.05 <= heldout_s / (60.0 * dataset.minutes) <= 0.05 + 12.0 / (60.0 * dataset.minutes)


def _result(name: str, seconds: list[float]) -> RecordingResult:
    clips = tuple(
        ClipFacts(f"clips/{name}-{i}.wav", 0.0, length, -20.0, 40.0, 0.0, 8000.0) for i, length in enumerate(seconds)
    )
    return RecordingResult(name, name, sum(seconds), RATE, 1, -70.0, clips, ())


def test_heldout_choice_does_not_depend_on_order_and_always_leaves_training_data() -> None:
    many = [_result(f"r{i}", [5.0, 5.0]) for i in range(30)]
    assert choose_heldout(many, 0.05) == choose_heldout(many[::-1], 0.05)
    assert len(choose_heldout(many, 0.05)) == 4
    for few in ([_result("a", [5.0, 5.0])], [_result("a", [5.0]), _result("b", [5.0])], [_result("a", [3.0] * 40)]):
        n_clips = sum(len(result.clips) for result in few)
        assert 1 <= len(choose_heldout(few, 0.05)) < n_clips


def test_nothing_usable_is_one_line_with_the_reasons(tmp_path: Path) -> None:
    save(tmp_path / "voice" / "word.wav", babble(1)[: round(1.9 * RATE)])
    with pytest.raises(InputError, match="1 too short") as caught:
        gather(tmp_path / "voice", tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data" / "collected.json").exists()


def test_sources_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        gather(tmp_path / "nowhere", tmp_path / "data")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no WAV"):
        gather(tmp_path / "empty", tmp_path / "data")
    save(tmp_path / "data" / "mine.wav", babble(2))
    with pytest.raises(InputError, match="lies in the dataset folder"):
        gather(tmp_path / "data", tmp_path / "data")


def test_a_dataset_inside_the_source_folder_is_not_collected_again(voice: Path) -> None:
    first = gather(voice, voice / "data").dataset
    assert gather(voice, voice / "data").dataset.clips == first.clips


def test_compressed_recordings_are_read(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    folder = tmp_path / "voice"
    folder.mkdir()
    for index, kind in enumerate(("flac", "ogg", "mp3")):
        soundfile.write(folder / f"take.{kind}", resample(babble(3, first=20 * index), RATE, 44_100), 44_100)
    collected = gather(folder, tmp_path / "data")
    assert len([result for result in collected.results if result.clips]) == 3
    assert not collected.left_out


def _parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_the_command_reports_in_text_and_picture(
    voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(voice / "word.wav", babble(1, first=3)[: round(1.9 * RATE)])
    telephone = resample(babble(3, first=80), RATE, 8000)
    save(voice / "telephone.wav", telephone, 8000)
    assert run(_parse(str(voice), str(REAL_MALE), "-o", str(tmp_path / "data"), "--speaker", "Ada")) == 0
    text = capsys.readouterr().out
    assert "minutes of Ada" in text
    assert "left out  1 too short" in text
    assert "no sound above 7 kHz" in text
    assert (tmp_path / "data" / "collect.txt").read_text() == text
    assert (tmp_path / "data" / "collect.png").read_bytes().startswith(b"\x89PNG")
    assert "Ada" in (tmp_path / "data" / "LICENCE.txt").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("folder", "--corpus", "tiny"),
        ("--corpus", "tiny", "--voices", "af_heart"),
        ("--corpus", "tiny", "--minutes", "0"),
        ("--corpus", "tiny", "--minutes", "nan"),
        ("folder", "--min-seconds", "8"),
        ("folder", "--heldout", "0.9"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ChangelingError) as caught:
        run(_parse(*arguments, "-o", str(tmp_path / "data")))
    assert "\n" not in str(caught.value)


def test_the_real_recording_of_the_repository_is_what_it_claims() -> None:
    """Tests and the demo convert it: a wideband male voice of 4 to 6 s in a small file."""
    audio = read_audio(REAL_MALE, max_seconds=10.0)
    assert audio.sample_rate_hz == RATE
    assert audio.samples.shape[1] == 1
    assert 4.0 <= audio.seconds <= 6.0
    assert REAL_MALE.stat().st_size <= 200_000
    assert find_activity(audio.samples[:, 0]).snr_db > 20.0
    assert "selfish" in REAL_MALE.with_suffix(".txt").read_text()
