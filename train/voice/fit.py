"""Step 4: train. Shows progress, keeps checkpoints and samples, and can be stopped and resumed (`train.loop`)."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser
from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import WorkstationError
from edge_runtime.files import make_folder
from train.bases import NONE
from train.consent import FLAG
from train.log import Log, draw_curves
from train.loop import Loop
from train.prefetch import Batch
from train.quiet import import_keras
from train.records import load_json, save_json
from train.voice.base import check_fits, find_base, start_from
from train.voice.batches import Crop, Sampler, company, stream_batches
from train.voice.config import VoiceConfig, make_config
from train.voice.consent import record_consent
from train.voice.dataset import Dataset, load_dataset, read_clip
from train.voice.describe import describe_voices, said_of_voices
from train.voice.preprocess import preprocess
from train.voice.presets import LATENCIES, PRESETS
from train.voice.run import Position, Run, TrainedVoice, Voices

_ALIGNED_SHARE = 0.0
"""Pairs of speakers bring likeness and cost words: ``benchmarks/results/voice_training.md``."""
_HELDOUT_CLIPS = 8
_HELDOUT_BATCHES = 2


@dataclass(frozen=True)
class FitOptions:
    """How long and how to train."""

    minutes: float | None
    steps: int | None
    """One of the two; steps wins."""
    batch: int
    crop_hops: int
    checkpoint_minutes: float
    seed: int
    base: TrainedVoice | None = None
    """What a fresh run starts from."""


def prepare(
    dataset: Dataset,
    config: VoiceConfig,
    voices: tuple[str, ...],
    run: Run,
    consent: ConsentRecord | None = None,
    base: TrainedVoice | None = None,
    descriptions: Sequence[str] = (),
) -> Path:
    """Preprocess, describe the voices, set recordings aside for judging; gives the folder of features."""
    folder = preprocess(dataset, config.front_end, config.timing.lookahead_hops)
    make_folder(run.weights.parent)
    said = said_of_voices(descriptions, run)
    # What the base was trained on is in the weights still.
    sources = dataset.sources + (base.sources if base else ())
    save_json(run.config, config)
    save_json(run.voices, Voices(describe_voices(dataset, folder, voices, consent, said), sources))
    make_folder(run.heldout)
    for clip in dataset.split("heldout")[:_HELDOUT_CLIPS]:
        shutil.copyfile(dataset.path(clip), run.heldout / Path(clip.file).name)
    return folder


class Fit(Loop[Position]):
    """A training run in progress."""

    note_terms = ("loss", "log_mel", "convergence")

    def __init__(self, run: Run, dataset: Dataset, folder: Path, config: VoiceConfig, options: FitOptions) -> None:
        # Keras brings a training framework along, which takes seconds: only now, when there is data to train on.
        import_keras()
        import keras

        from train.averaging import WeightAverage
        from train.voice.checkpoints import has_checkpoint, load_checkpoint
        from train.voice.monitor import FIELDS
        from train.voice.trainer import ADAPTING_PEAK, PEAK, make_trainer

        self._run, self._dataset = run, dataset
        voices = tuple(voice.name for voice in load_json(run.voices, Voices).voices)
        self._train = Sampler(dataset, folder, config, voices, "train")
        self._heldout = Sampler(dataset, folder, config, voices, "heldout") if dataset.split("heldout") else None
        keras.utils.set_random_seed(options.seed)
        trainer = make_trainer(config)
        if options.base is not None and not has_checkpoint(run):
            start_from(trainer, options.base)
        average = WeightAverage(trainer)
        position = Position(0, options.steps or 0, options.seed, options.batch, 0.0, options.crop_hops)
        if has_checkpoint(run):
            position = load_checkpoint(run, trainer, average)
        log = Log(run.log, position.step, FIELDS)
        peak = ADAPTING_PEAK if config.base else PEAK
        super().__init__(trainer, average, log, position, peak, options.minutes, options.checkpoint_minutes)
        self._crop = Crop(self.position.batch, self.position.crop_hops, _ALIGNED_SHARE)

    def batches(self) -> Generator[Batch, None, None]:
        """See `Loop.batches`."""
        yield from stream_batches(self._train, self._crop, self.position.seed, self.position.step)

    def checkpoint(self) -> None:
        """Save everything, judge on held-out clips, and make the samples and curves of now."""
        from train.voice.checkpoints import save_checkpoint
        from train.voice.monitor import CURVES

        save_checkpoint(self._run, self._trainer, self._average, self.position)
        if self._heldout is not None:
            self._log.add({"step": self.position.step, "heldout_loss": self.heldout_loss()})
            self._write_sample()
        draw_curves(self._log.rows, self._run.curves, CURVES)

    def heldout_loss(self) -> float:
        """Loss with averaged weights on clips that are never trained on, the same crops every time."""
        from train.averaging import averaged_weights

        if self._heldout is None:
            raise WorkstationError("the dataset holds no clips out to judge by; collect again")
        with averaged_weights(self._trainer, self._average):
            losses = [
                self._trainer.evaluate_batch(self._heldout.batch(self._crop, np.random.default_rng([991, i])))
                for i in range(_HELDOUT_BATCHES)
            ]
        return float(np.mean(losses))

    def _write_sample(self) -> None:
        from train.voice.monitor import write_sample
        from train.voice.predict import convert
        from train.voice.run import load_run

        trained = load_run(self._run.root)
        heldout = self._dataset.split("heldout")
        others = [clip for clip in heldout if clip.speaker not in {v.name for v in trained.voices}]
        clip = (others or list(heldout))[0]
        samples = read_clip(self._dataset.path(clip))
        rate = trained.front_end.sample_rate_hz
        write_sample(self._run, self.position.step, clip.speaker, samples, convert(trained, samples), rate)


def main(argv: Sequence[str]) -> int:
    """``changeling train voice fit --data DATA -o RUN``."""
    options = _parser().parse_args(list(argv))
    run = Run(Path(options.output))
    if options.restart:
        run.forget()
    dataset = load_dataset(Path(options.data))
    base = find_base(options.base)
    config, voices = _configure(options, dataset, run, base)
    folder = prepare(dataset, config, voices, run, _consent(options, dataset, run, voices), base, options.describe)
    fit_options = FitOptions(
        options.minutes, options.steps, options.batch, options.crop_hops, options.checkpoint_minutes, options.seed, base
    )
    # NumPy's own threads would fight the training framework for the cores.
    with threadpool_limits(1, user_api="blas"):
        Fit(run, dataset, folder, config, fit_options).run_and_tell(run.root, run.curves)
    return 0


def _consent(options: argparse.Namespace, dataset: Dataset, run: Run, voices: tuple[str, ...]) -> ConsentRecord | None:
    """What is said now, or what was said when the run began."""
    if options.consent is None and run.voices.exists():
        kept: Voices = load_json(run.voices, Voices)
        for voice in kept.voices:
            if voice.consent is not None:
                return voice.consent
    return record_consent(options.consent, options.consent_until, dataset, voices)


def _configure(
    options: argparse.Namespace, dataset: Dataset, run: Run, base: TrainedVoice | None
) -> tuple[VoiceConfig, tuple[str, ...]]:
    """The run's configuration: its own when it exists, else made from the options."""
    if run.config.exists() and (run.last.exists() or run.weights.exists()):
        config: VoiceConfig = load_json(run.config, VoiceConfig)
        return config, tuple(voice.name for voice in load_json(run.voices, Voices).voices)
    voices = tuple(options.voices.split(",")) if options.voices else dataset.speakers
    if unknown := sorted(set(voices) - set(dataset.speakers)):
        raise WorkstationError(f"the dataset has no speaker {unknown[0]!r}; it has: {', '.join(dataset.speakers)}")
    name = options.name or (voices[0] if len(voices) == 1 else "voices")
    others = company(dataset, voices)
    config = make_config(
        name, options.preset, options.latency, len(voices), len(dataset.phone_names()), n_company=len(others)
    )
    if base is not None:
        check_fits(base, config)
        config = replace(config, base=base.name)
    return config, voices


def _parser() -> Parser:
    parser = Parser("changeling train voice fit", "Train a voice on a collected dataset, or go on training it.")
    parser.add_argument("--data", required=True, metavar="DATA", help="folder made by collect")
    parser.add_argument("-o", "--output", required=True, metavar="RUN", help="folder of the run")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="small", help="size of the network")
    parser.add_argument("--latency", choices=sorted(LATENCIES), default="default", help="28, 48 or 68 ms")
    parser.add_argument("--base", default=NONE, metavar="RUN", help="start from this run, or from the `shipped` voices")
    parser.add_argument("--voices", help="speakers to become voices, with commas; all by default")
    parser.add_argument(
        "--describe", action="append", default=[], metavar="NAME=TEXT", help="a line for people about a voice"
    )
    parser.add_argument("--name", help="name of the model")
    parser.add_argument(FLAG, dest="consent", metavar="NAME: SCOPE", help="who of the recordings agreed, and to what")
    parser.add_argument("--consent-until", metavar="DATE", help="when that permission ends, as 2027-12-31")
    parser.add_argument("--minutes", type=float, default=20.0, help="time to train on this machine")
    parser.add_argument("--steps", type=int, help="steps to train, instead of --minutes")
    parser.add_argument("--batch", type=int, default=8, help="crops a step")
    parser.add_argument("--crop-hops", type=int, default=160, help="frames (10 ms) a crop has")
    parser.add_argument("--checkpoint-minutes", type=float, default=3.0, help="time between checkpoints")
    parser.add_argument("--seed", type=int, default=1, help="of first weights and data order")
    parser.add_argument("--restart", action="store_true", help="throw the run's checkpoint away and start again")
    return parser
