"""Adaptation: a new run takes over what a base knows, says so, and refuses a base that does not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.errors import WorkstationError
from tests.train.voice.test_model import tiny_config
from tests.train.voice.tiny_dataset import make_dataset
from train.records import load_json
from train.voice.base import check_fits, find_base, keep_base
from train.voice.dataset import Dataset
from train.voice.describe import said_of_voices
from train.voice.fit import Fit, FitOptions, prepare
from train.voice.run import Run, TrainedVoice, Voices, load_run

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def base(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainedVoice:
    root = tmp_path_factory.mktemp("base")
    run, config = Run(root), tiny_config()
    folder = prepare(dataset, config, ("low", "bright"), run)
    Fit(run, dataset, folder, config, FitOptions(None, 30, 2, 60, 60.0, seed=1)).run()
    return load_run(root)


def test_an_adapted_voice_starts_from_the_base_and_says_so(
    dataset: Dataset, base: TrainedVoice, tmp_path: Path
) -> None:
    """A fresh voice must not throw away what the base learnt; its licence chain must stay visible."""
    one = dataclasses.replace(tiny_config(), n_voices=1, n_company=1, base=base.name)
    run = Run(tmp_path / "run")
    folder = prepare(dataset, one, ("bright",), run, base=base)
    adapted = Fit(run, dataset, folder, one, FitOptions(None, 10, 2, 60, 60.0, seed=1, base=base))
    scratch = Fit(
        Run(tmp_path / "other"), dataset, _prepared(dataset, tmp_path / "other"), tiny_config(), _options(seed=2)
    )
    assert adapted.heldout_loss() < scratch.heldout_loss()
    voices: Voices = load_json(run.voices, Voices)
    assert voices.sources == dataset.sources + base.sources
    adapted.run()
    changed = load_run(run.root)
    first = base.offline.get_layer("enc_in").get_weights()[0]
    after = changed.offline.get_layer("enc_in").get_weights()[0]
    assert 0.0 < np.abs(first - after).max() < 0.05


def test_what_is_kept_of_a_base_is_small_and_says_the_same(base: TrainedVoice, tmp_path: Path) -> None:
    """Half floats in the repository must start an adaptation from where whole ones would."""
    keep_base(base, tmp_path / "kept")
    kept = load_run(tmp_path / "kept")
    assert (kept.config, kept.voices, kept.sources) == (base.config, base.voices, base.sources)
    assert np.array_equal(kept.film, base.film)
    assert Run(kept.root).weights.stat().st_size < Run(base.root).weights.stat().st_size
    for half, whole in zip(kept.offline.get_weights(), base.offline.get_weights(), strict=True):
        assert half.dtype == np.float32
        np.testing.assert_allclose(half, whole, rtol=1e-3, atol=1e-6)


def _options(seed: int) -> FitOptions:
    return FitOptions(None, 4, 2, 60, 60.0, seed=seed)


def _prepared(dataset: Dataset, root: Path) -> Path:
    return prepare(dataset, tiny_config(), ("low", "bright"), Run(root))


def test_a_base_of_another_size_is_refused_in_one_line(base: TrainedVoice) -> None:
    wider = dataclasses.replace(tiny_config(), preset=dataclasses.replace(tiny_config().preset, decoder_width=40))
    with pytest.raises(WorkstationError, match="another preset") as caught:
        check_fits(base, wider)
    assert "\n" not in str(caught.value)


def test_no_base_is_no_base_and_a_wrong_folder_says_what_to_give(tmp_path: Path) -> None:
    assert find_base("none") is None
    with pytest.raises(WorkstationError, match="folder"):
        find_base(str(tmp_path / "missing"))


def test_descriptions_are_kept_when_a_run_goes_on(base: TrainedVoice) -> None:
    run = Run(base.root)
    assert said_of_voices([], run) == {"low": "synthetic voice", "bright": "synthetic voice"}
    assert said_of_voices(["low=a deep voice"], run)["low"] == "a deep voice"
    with pytest.raises(WorkstationError, match="NAME=TEXT"):
        said_of_voices(["low"], run)


def test_the_shipped_base_is_the_model_of_the_shipped_voices() -> None:
    """What a voice of one's own starts from must be what the package speaks with, and fit the default preset."""
    import edge_runtime
    from train.voice.config import make_config

    shipped = find_base("shipped")
    assert shipped is not None
    check_fits(shipped, make_config("own", "small", "default", n_voices=1, n_phones=0))
    converter = edge_runtime.load()
    assert converter.manifest.voices == shipped.voices
    assert converter.manifest.front_end == shipped.front_end
    converter.close()
    assert np.isfinite(shipped.film).all()
    assert shipped.offline.count_params() > 1_500_000
