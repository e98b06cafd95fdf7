"""Writes tiny_voice.fp16.tflite: a whole model file of two voices that is small enough to keep in the repository.

Trained for a few steps on arithmetic, so it says nothing; it is for tests of everything around the network, which then
need neither TensorFlow nor a training run. Run from the repository's root: python -m tests.assets.make_tiny_voice
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path

from export.exporter import Options, export_run
from export.recipes import select
from export.voice_trial import VoiceTrial
from tests.train.voice.test_model import tiny_config
from tests.train.voice.tiny_dataset import make_dataset
from train.voice.fit import Fit, FitOptions, prepare
from train.voice.run import Run, load_run

ASSET = Path(__file__).parent / "tiny_voice.fp16.tflite"


def main() -> None:
    """Train, export, copy."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        dataset = make_dataset(root / "data", sentences=6)
        run = Run(root / "run")
        config = dataclasses.replace(tiny_config(), name="tiny")
        features = prepare(dataset, config, ("low", "bright"), run)
        Fit(run, dataset, features, config, FitOptions(None, 150, 4, 80, 60.0, seed=1)).run()
        recipes = select(("fp16",), ("tflite",))
        export_run(VoiceTrial(load_run(run.root)), Options(root / "model", recipes), print)
        shutil.copyfile(root / "model" / "tiny.fp16.tflite", ASSET)


if __name__ == "__main__":
    main()
