"""A dataset of a few seconds made by arithmetic: two 'speakers' saying the same, frame-aligned."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_runtime.contract import DataSource
from tests.edge_runtime.voice.signals import speechlike
from train.voice.dataset import Clip, Dataset, save_dataset, write_clip

SECONDS = 2.5


def make_dataset(root: Path, sentences: int = 4) -> Dataset:
    """``sentences`` groups of two aligned clips; the last group is held out."""
    (root / "clips").mkdir(parents=True)
    clips = []
    for sentence in range(sentences):
        low = speechlike(SECONDS, seed=sentence)
        # The other speaker: the same timing with the spectrum tilted.
        bright = np.concatenate([[0.0], np.diff(low)]).astype(np.float32)
        bright *= np.float32(np.sqrt(np.mean(low**2) / np.mean(bright**2)))
        for speaker, samples in (("low", low), ("bright", bright)):
            name = f"clips/{sentence:03d}-{speaker}.wav"
            write_clip(root / name, samples)
            split = "heldout" if sentence == sentences - 1 else "train"
            clips.append(Clip(name, speaker, SECONDS, split, f"sentence-{sentence}", None))
    dataset = Dataset(root, tuple(clips), (DataSource("arithmetic", "CC0-1.0", SECONDS * len(clips) / 60),), ())
    save_dataset(dataset)
    return dataset
