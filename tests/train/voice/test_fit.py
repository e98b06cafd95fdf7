"""Training: the renderer is the device's synthesis, batches are reproducible, stopped runs go on as if they had not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edge_runtime.errors import WorkstationError
from edge_runtime.voice.synthesis import Gains, Synthesiser, window_sources
from tests.edge_runtime.voice.signals import SPEC, SYNTHESIS, speechlike
from tests.train.voice.test_model import tiny_config
from tests.train.voice.tiny_dataset import make_dataset
from train.voice.batches import Crop, Sampler, _balanced, company
from train.voice.dataset import Dataset
from train.voice.fit import Fit, FitOptions, prepare
from train.voice.perturb import SourcePerturbation, perturb, source_features
from train.voice.predict import convert
from train.voice.preprocess import features_folder, load_log_power, preprocess, source_power, target_features
from train.voice.render import Renderer
from train.voice.run import Run, load_run

pytestmark = pytest.mark.tensorflow

CROP = Crop(batch=2, hops=60, aligned_share=0.5)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def folder(dataset: Dataset) -> Path:
    return preprocess(dataset, SPEC, 2)


def test_renderer_equals_the_synthesis_of_the_device() -> None:
    """Losses must judge the sound that the board will make."""
    hops = 50
    rng = np.random.default_rng(0)
    log_f0 = np.full(hops, 5.0, np.float32)
    heads = {
        "harmonic": rng.uniform(-6, -2, (hops, SYNTHESIS.n_bands)).astype(np.float32),
        "noise": rng.uniform(-6, -2, (hops, SYNTHESIS.n_bands)).astype(np.float32),
        "residual": rng.uniform(-1, 1, (hops, 2 * SYNTHESIS.residual_bins)).astype(np.float32),
    }
    device = Synthesiser(SPEC, SYNTHESIS, seed=3)
    expected = device.process(Gains(**heads), log_f0, np.zeros(hops, np.float32))
    from edge_runtime.voice.excitation import Excitation

    block = Excitation(SPEC.sample_rate_hz, SPEC.hop_length, SYNTHESIS.pulse_taps, 3).process(log_f0)
    sources = np.stack([block.harmonic, block.noise]).reshape(2, hops, SPEC.hop_length)
    padded = np.concatenate([np.zeros((2, 1, SPEC.hop_length), np.float32), sources], axis=1)
    spectra = window_sources(padded, SYNTHESIS).astype(np.complex64)
    batch = {
        "harmonic_re": spectra[0].real[None],
        "harmonic_im": spectra[0].imag[None],
        "noise_re": spectra[1].real[None],
        "noise_im": spectra[1].imag[None],
    }
    found = np.asarray(Renderer(SPEC, SYNTHESIS)({k: v[None] for k, v in heads.items()}, batch))[0]
    start = (SYNTHESIS.n_fft - SYNTHESIS.win_length) // 2 + SPEC.hop_length
    usable = len(expected) - start
    assert np.abs(found[:usable] - expected[start:]).max() < 1e-4


def test_self_source_at_original_speed_is_what_the_device_reads(dataset: Dataset) -> None:
    """Training's cheap spectral path and the device's front end must agree where nothing is perturbed."""
    from edge_runtime.voice.front_end import FrontEnd

    samples = speechlike(3.0)
    unaligned = dataclasses.replace(SPEC, formant_minimum=1.0, formant_maximum=1.0001)
    device = FrontEnd(unaligned, 2).push(samples)
    mel, energy = source_features(source_power(samples, SPEC, 1.0), SPEC, 1.0, skip=0)
    assert np.abs(device.mel - mel).max() < 5e-2
    # The device tells the energy of the frame it answers for, two hops after it was heard.
    assert np.abs(device.energy[2:] - energy[:-2]).max() < 5e-2


def test_speed_moves_pitch_and_keeps_time() -> None:
    samples = speechlike(2.0)
    for speed in (0.5, 1.25):
        power = source_power(samples, SPEC, speed)
        plain = source_power(samples, SPEC, 1.0)
        assert power.shape == plain.shape
        envelope, reference = (np.log(p.mean(axis=1) + 1e-9) for p in (power, plain))
        assert np.corrcoef(envelope, reference)[0, 1] > 0.9


def test_perturbation_changes_the_sound_but_not_its_shape() -> None:
    power = source_power(speechlike(2.0), SPEC, 1.0)
    outputs = [perturb(power, SPEC, SourcePerturbation(), np.random.default_rng(seed)) for seed in range(30)]
    assert all(p.shape == power.shape and np.isfinite(p).all() and (p >= 0).all() for p in outputs)
    changed = sum(not np.array_equal(p, power) for p in outputs)
    assert 15 <= changed < 30


def test_background_speech_and_lossy_coding_do_what_they_say() -> None:
    """Babble must arrive at the level asked for, and coding must only take away."""
    power = source_power(speechlike(2.0), SPEC, 1.0)
    off = {"noise_probability": 0.0, "reverb_probability": 0.0, "band_limit_probability": 0.0, "clean_probability": 0.0}
    flat = {"equaliser_nats": 0.0, "level_db": 0.0}
    talk = SourcePerturbation(babble_snr_db=(10.0, 10.0), codec_probability=0.0, **off, **flat)
    mixed = perturb(power, SPEC, talk, np.random.default_rng(0), babble=power[::-1])
    assert np.isclose(10 * np.log10(power.mean() / (mixed - power).mean()), 10.0, atol=0.1)
    coded = perturb(power, SPEC, SourcePerturbation(codec_probability=1.0, **off, **flat), np.random.default_rng(0))
    assert (coded <= power * 1.0001).all()
    assert 0.1 < (coded < 0.5 * power).mean() < 0.95


def test_every_voice_is_trained_as_much_as_any_other(dataset: Dataset) -> None:
    """A voice with three times the sound must not be drawn three times as often."""
    clips = list(dataset.split("train"))
    uneven = [clip for clip in clips if clip.speaker == "low"] + [c for c in clips if c.speaker == "bright"][:1]
    weights = _balanced(uneven, ("low", "bright"))
    share = sum(w for w, clip in zip(weights, uneven, strict=True) if clip.speaker == "bright")
    assert np.isclose(weights.sum(), 1.0)
    assert np.isclose(share, 0.5)


def test_company_is_a_third_and_nobody_in_it_rules(dataset: Dataset) -> None:
    """Hours of one person must not make an encoder that knows this one person."""
    clip = dataset.split("train")[0]
    clips = [dataclasses.replace(clip, speaker=name, seconds=s) for name, s in (("low", 60), ("a", 900), ("b", 100))]
    voice, loud, quiet = _balanced(clips, ("low",))
    assert voice == pytest.approx(0.65)
    assert loud == pytest.approx(0.35 * 2 / 3)  # a fifth of 1000 seconds against all 100 of the other
    assert quiet == pytest.approx(0.35 / 3)


def test_company_is_trained_on_and_not_kept(dataset: Dataset, tmp_path: Path) -> None:
    """Who is no voice has a row of their own in training, and none in what is exported."""
    assert company(dataset, ("low",)) == ("bright",)
    config = dataclasses.replace(tiny_config(), n_voices=1, n_company=1)
    run = Run(tmp_path / "run")
    folder = prepare(dataset, config, ("low",), run)
    fit = Fit(run, dataset, folder, config, FitOptions(None, 2, 16, CROP.hops, 60.0, seed=1))
    drawn = Sampler(dataset, folder, config, ("low",), "train").batch(Crop(16, 60, 0.0), np.random.default_rng(0))
    assert set(drawn["voice"]) == {0, 1}
    fit.run()
    assert load_run(run.root).film.shape[0] == 1


def test_degraded_tracks_err_as_a_tracker_does_and_no_more() -> None:
    """They are there to teach mistrust: some voicing is lost, most of it stays."""
    features = target_features(speechlike(6.0), SPEC, 2, seed=3)
    lost = [float(np.mean(track.voiced != features.track.voiced)) for track in features.degraded]
    assert max(lost) > 0.02
    assert max(lost) < 0.6


def test_target_features_describe_their_own_frame() -> None:
    features = target_features(speechlike(2.0), SPEC, 2, seed=1)
    for track in (features.track, *features.degraded):
        assert len(track.log_f0) == len(track.voiced) == 200


def test_features_are_cached_under_the_front_end(dataset: Dataset, folder: Path) -> None:
    """Another front end must never read these numbers."""
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    preprocess(dataset, SPEC, 2)
    assert stamps == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert features_folder(dataset, dataclasses.replace(SPEC, power_floor=1e-8), 2) != folder
    assert features_folder(dataset, SPEC, 0) != folder
    assert load_log_power(dataset.clips[0], folder).dtype == np.float16


def test_a_batch_depends_on_seed_and_step_alone(dataset: Dataset, folder: Path) -> None:
    samplers = [Sampler(dataset, folder, tiny_config(), ("low", "bright"), "train") for _ in range(2)]
    samplers[0].batch(CROP, np.random.default_rng([1, 0]))
    first, second = (sampler.batch(CROP, np.random.default_rng([1, 7])) for sampler in samplers)
    for name in first:
        assert np.array_equal(first[name], second[name]), name


def test_held_out_clips_are_never_drawn(dataset: Dataset, folder: Path) -> None:
    sampler = Sampler(dataset, folder, tiny_config(), ("low", "bright"), "train")
    heldout = {clip.file for clip in dataset.split("heldout")}
    assert heldout
    assert not heldout & set(sampler.clip_files())


STEPS = 40


def _fit(root: Path, dataset: Dataset) -> Fit:
    run = Run(root)
    config = tiny_config()
    folder = prepare(dataset, config, ("low", "bright"), run)
    return Fit(run, dataset, folder, config, FitOptions(None, STEPS, CROP.batch, CROP.hops, 60.0, seed=1))


@pytest.mark.slow
def test_a_stopped_run_learns_and_ends_where_an_unbroken_one_does(dataset: Dataset, tmp_path: Path) -> None:
    """Weights, optimiser, average, schedule, data order and random state all have to come back."""
    unbroken = _fit(tmp_path / "whole", dataset)
    untrained = unbroken.heldout_loss()
    unbroken.run()
    assert unbroken.heldout_loss() < 0.9 * untrained

    stopped = _fit(tmp_path / "broken", dataset)
    stopped.stop_after(11)
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = _fit(tmp_path / "broken", dataset)
    assert resumed.position.step == 11
    resumed.run()
    assert resumed.position.step == STEPS

    whole, broken = load_run(tmp_path / "whole"), load_run(tmp_path / "broken")
    assert np.abs(whole.film - broken.film).max() < 1e-5
    for a, b in zip(whole.offline.get_weights(), broken.offline.get_weights(), strict=True):
        assert np.abs(a - b).max() < 1e-4
    assert (tmp_path / "broken" / "curves.png").stat().st_size > 1000
    assert list((tmp_path / "broken" / "samples").glob("*.png"))
    samples = speechlike(1.0)
    converted = convert(broken, samples)
    assert converted.shape == samples.shape
    assert np.isfinite(converted).all()
    assert np.abs(converted).max() > 1e-4


def test_a_loss_that_is_no_number_does_not_reach_the_checkpoint(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights that made it are spoilt; what was saved before must stay."""
    fit = _fit(tmp_path / "run", dataset)
    monkeypatch.setattr("train.voice.trainer.VoiceTrainer.step", lambda *_: {"loss": float("nan")})
    with pytest.raises(WorkstationError, match="goes on from the last checkpoint"):
        fit.run()
    assert not (tmp_path / "run" / "weights" / "last").exists()


def test_a_damaged_checkpoint_is_one_line(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.last.mkdir(parents=True)
    (run.last / "position.json").write_text("{")
    with pytest.raises(WorkstationError, match="--restart"):
        _fit(run.root, dataset)
