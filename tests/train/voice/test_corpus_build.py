"""Building a corpus: aligned, labelled, resumable, the same every time, and never mixed with another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from train.voice.clips import find_activity, frame_levels
from train.voice.collect import collect_corpus
from train.voice.corpus.build import Utterance, build_corpus
from train.voice.corpus.phones import PHONES, SILENCE
from train.voice.corpus.tiny import TinySynthesiser
from train.voice.dataset import Dataset, load_dataset, read_clip


def _bytes(dataset: Dataset) -> dict[str, bytes]:
    return {clip.file: dataset.path(clip).read_bytes() for clip in dataset.clips}


def test_the_voices_of_a_sentence_are_aligned_labelled_and_level(tmp_path: Path) -> None:
    dataset = collect_corpus("tiny", tmp_path, minutes=0.15)
    assert dataset == load_dataset(tmp_path)
    assert dataset.phone_names() == PHONES
    assert dataset.people == ()
    by_group: dict[str, list] = {}
    for clip in dataset.clips:
        by_group.setdefault(clip.group, []).append(clip)
    for clips in by_group.values():
        assert {clip.speaker for clip in clips} == {"tiny_female", "tiny_male"}
        assert len({clip.split for clip in clips}) == 1
        sounds = [read_clip(dataset.path(clip)) for clip in clips]
        assert len(sounds[0]) == len(sounds[1])
        labels = dataset.phone_ids(clips[0])
        assert labels is not None
        assert len(labels) == len(sounds[0]) // 160
        for sound in sounds:
            assert find_activity(sound).speech_dbfs == pytest.approx(-26.0, abs=0.3)
            levels = frame_levels(sound)
            assert np.median(levels[labels == SILENCE]) < np.median(levels[labels != SILENCE]) - 20.0


def test_two_builds_are_equal_byte_for_byte(tmp_path: Path) -> None:
    first, second = (collect_corpus("tiny", tmp_path / name, minutes=0.1) for name in "ab")
    assert first.clips == second.clips
    assert _bytes(first) == _bytes(second)
    other = collect_corpus("tiny", tmp_path / "c", minutes=0.1, seed=2)
    assert set(_bytes(other).values()).isdisjoint(_bytes(first).values())


class _Stopping(TinySynthesiser):
    """Is stopped by Ctrl-C at a given sentence and counts what it was asked for."""

    def __init__(self, stop_at: int) -> None:
        self.stop_at = stop_at
        self.asked: list[int] = []

    def synthesise(self, text: str, index: int) -> Utterance | None:
        if index == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(index)
        return super().synthesise(text, index)


def test_a_stopped_build_goes_on_where_it_was_and_ends_the_same(tmp_path: Path) -> None:
    whole = build_corpus(TinySynthesiser(), tmp_path / "whole", minutes=0.2, seed=1)
    with pytest.raises(KeyboardInterrupt):
        build_corpus(_Stopping(4), tmp_path / "part", minutes=0.2, seed=1)
    engine = _Stopping(-1)
    resumed = build_corpus(engine, tmp_path / "part", minutes=0.2, seed=1)
    assert engine.asked[0] == 4
    assert resumed.clips == whole.clips
    assert _bytes(resumed) == _bytes(whole)


def test_a_corpus_grows_without_changing_what_is_held_out(tmp_path: Path) -> None:
    """A sentence that was trained on must not become a test sentence later, nor the reverse."""
    small = collect_corpus("tiny", tmp_path, minutes=0.1)
    large = collect_corpus("tiny", tmp_path, minutes=0.9)
    assert large.clips[: len(small.clips)] == small.clips
    heldout = {clip.group for clip in large.split("heldout")}
    assert 0.03 < len(heldout) / len({clip.group for clip in large.clips}) < 0.12
    assert small.split("heldout")


def test_another_corpus_is_not_mixed_into_a_folder(tmp_path: Path) -> None:
    collect_corpus("tiny", tmp_path, minutes=0.1)
    with pytest.raises(WorkstationError, match="choose another folder"):
        collect_corpus("tiny", tmp_path, minutes=0.1, seed=2)


def test_voices_that_lost_their_alignment_are_not_written(tmp_path: Path) -> None:
    class Broken(TinySynthesiser):
        def synthesise(self, text: str, index: int) -> Utterance | None:
            utterance = super().synthesise(text, index)
            assert utterance is not None
            sounds = {name: sound[: len(sound) - 7 * i] for i, (name, sound) in enumerate(utterance.sounds.items())}
            return Utterance(sounds, utterance.phones)

    with pytest.raises(WorkstationError, match="differ in length"):
        build_corpus(Broken(), tmp_path, minutes=0.1, seed=1)
    assert not list((tmp_path / "clips").iterdir())


def test_hibari_reads_the_same_sentence_the_same_way(tmp_path: Path) -> None:
    """The demo's target voice: noise in the synthesiser is seeded, so a corpus can be made again."""
    pytest.importorskip("hibari")
    first, second = (collect_corpus("hibari", tmp_path / name, minutes=0.05) for name in "ab")
    assert first.speakers == ("heart",)
    assert _bytes(first) == _bytes(second)
    assert all(clip.phones is None for clip in first.clips)
    assert "Apache License 2.0" in (tmp_path / "a" / "LICENCE.txt").read_text()
