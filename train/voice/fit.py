"""Step 4: train. Shows progress, keeps checkpoints and samples, and can be stopped and resumed at any time.

The schedule is a number of steps; with ``--minutes`` that number is fixed after the first steps have shown how fast
this machine is, and stays what it is when the run is resumed elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser
from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import WorkstationError
from train.progress import Progress
from train.quiet import import_keras
from train.voice.base import NONE, check_fits, find_base, start_from
from train.voice.batches import Crop, Sampler, company, stream_batches
from train.voice.config import VoiceConfig, make_config
from train.voice.consent import FLAG, record_consent
from train.voice.dataset import Dataset, load_dataset, make_folder, read_clip
from train.voice.describe import describe_voices, said_of_voices
from train.voice.preprocess import preprocess
from train.voice.presets import LATENCIES, PRESETS
from train.voice.run import Position, Run, TrainedVoice, Voices, load_json, save_json

_MEASURE_FROM, _MEASURE_EVERY = 5, 25
_MEASURE_SHARE = 0.2
_REPORT_EVERY = 25
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


class Fit:
    """A training run in progress."""

    def __init__(self, run: Run, dataset: Dataset, folder: Path, config: VoiceConfig, options: FitOptions) -> None:
        # Keras brings a training framework along, which takes seconds: only now, when there is data to train on.
        import_keras()
        import keras

        from train.voice.checkpoints import has_checkpoint, load_checkpoint
        from train.voice.monitor import Log
        from train.voice.trainer import ADAPTING_PEAK, PEAK, WeightAverage, make_trainer

        self._run, self._dataset, self._config, self._options = run, dataset, config, options
        voices = tuple(voice.name for voice in load_json(run.voices, Voices).voices)
        self._train = Sampler(dataset, folder, config, voices, "train")
        self._heldout = Sampler(dataset, folder, config, voices, "heldout") if dataset.split("heldout") else None
        keras.utils.set_random_seed(options.seed)
        self._trainer = make_trainer(config)
        if options.base is not None and not has_checkpoint(run):
            start_from(self._trainer, options.base)
        self._peak = ADAPTING_PEAK if config.base else PEAK
        self._average = WeightAverage(self._trainer)
        self.position = Position(0, options.steps or 0, options.seed, options.batch, options.crop_hops, 0.0)
        if has_checkpoint(run):
            self.position = load_checkpoint(run, self._trainer, self._average)
        self._log = Log(run.log, self.position.step)
        self._stop_at: int | None = None
        self._budget_s = 60.0 * (options.minutes or 1.0)
        # Only a fresh run by time measures; one by steps, or resumed, has its schedule.
        self._measuring = not self.position.total_steps
        self._measured_from: Position | None = None
        self._crop = Crop(self.position.batch, self.position.crop_hops, _ALIGNED_SHARE)

    def stop_after(self, step: int) -> None:
        """Stop at ``step`` as Ctrl-C would."""
        self._stop_at = step

    def run(self) -> None:
        """Train to the end of the schedule; on Ctrl-C leave a checkpoint and raise `KeyboardInterrupt`.

        Any other failure leaves the last checkpoint as it is: weights that made a loss infinite are worth nothing.
        """
        try:
            self._run_steps()
        except KeyboardInterrupt:
            if self.position.step:
                self.checkpoint()
            raise
        self.checkpoint()

    def _run_steps(self) -> None:
        before, started = self.position.seconds, time.monotonic()
        saved = started
        batches = stream_batches(self._train, self._crop, self.position.seed, self.position.step)
        with contextlib.closing(batches), Progress(1.0, "fit") as progress:
            while not self._finished():
                terms = self._step(next(batches))
                now = time.monotonic()
                self.position = replace(self.position, seconds=before + now - started)
                self._plan()
                progress.update(self._share(), _note(self.position.step, terms))
                self._report(terms)
                if self.position.step == self._stop_at:
                    raise KeyboardInterrupt
                if now - saved > 60.0 * self._options.checkpoint_minutes:
                    self.checkpoint()
                    saved = time.monotonic()

    def _finished(self) -> bool:
        return bool(self.position.total_steps) and self.position.step >= self.position.total_steps

    def _share(self) -> float:
        """How much of the schedule is done, 0..1."""
        if self._measuring:
            return min(1.0, self.position.seconds / self._budget_s)
        return self.position.step / self.position.total_steps

    def _plan(self) -> None:
        """Measure this machine while the learning rate is still constant, and fix the number of steps from it.

        The estimate is renewed for the first fifth of the time, so that a busy moment at the start does not shorten
        the whole run; after that the schedule stays, on whatever machine the run is resumed.
        """
        position = self.position
        if not self._measuring or position.step < _MEASURE_FROM:
            return
        if self._measured_from is None:
            self._measured_from = position
        elif position.step % _MEASURE_EVERY == 0:
            if position.total_steps and position.seconds > _MEASURE_SHARE * self._budget_s:
                self._measuring = False
                return
            took = position.seconds - self._measured_from.seconds
            per_step = took / (position.step - self._measured_from.step)
            left = max(1, int((self._budget_s - position.seconds) / per_step))
            self.position = replace(position, total_steps=position.step + left)

    def _step(self, batch: dict[str, np.ndarray]) -> dict[str, float]:
        from train.voice.trainer import Schedule

        rate = Schedule(self.position.total_steps or 10**9, self._peak).rate(self.position.step)
        terms = self._trainer.step(batch, rate)
        if not np.isfinite(terms["loss"]):
            raise WorkstationError(
                f"the loss became {terms['loss']} at step {self.position.step}; the same command goes on from the "
                "last checkpoint, and if it happens again look for odd clips in the dataset"
            )
        self.position = replace(self.position, step=self.position.step + 1)
        self._average.update(self.position.step)
        return {**terms, "rate": rate}

    def _report(self, terms: dict[str, float]) -> None:
        if self.position.step % _REPORT_EVERY == 0:
            self._log.add({**terms, "step": self.position.step, "seconds": round(self.position.seconds, 1)})

    def checkpoint(self) -> None:
        """Save everything, judge on held-out clips, and make the samples and curves of now."""
        from train.voice.checkpoints import save_checkpoint
        from train.voice.monitor import draw_curves

        save_checkpoint(self._run, self._trainer, self._average, self.position)
        if self._heldout is not None:
            self._log.add({"step": self.position.step, "heldout_loss": self.heldout_loss()})
            self._write_sample()
        draw_curves(self._log.rows, self._run.curves)

    def heldout_loss(self) -> float:
        """Loss with averaged weights on clips that are never trained on, the same crops every time."""
        from train.voice.checkpoints import averaged_weights

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


def _note(step: int, terms: dict[str, float]) -> str:
    return f"step {step}, " + ", ".join(f"{k} {terms[k]:.3f}" for k in ("loss", "log_mel", "convergence") if k in terms)


def main(argv: Sequence[str]) -> int:
    """``changeling train voice fit --data DATA -o RUN``."""
    options = _parser().parse_args(list(argv))
    run = Run(Path(options.output))
    if options.restart and run.root.exists():
        for path in (run.last, run.weights, run.film, run.log):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    dataset = load_dataset(Path(options.data))
    base = find_base(options.base)
    config, voices = _configure(options, dataset, run, base)
    folder = prepare(dataset, config, voices, run, _consent(options, dataset, run, voices), base, options.describe)
    fit_options = FitOptions(
        options.minutes, options.steps, options.batch, options.crop_hops, options.checkpoint_minutes, options.seed, base
    )
    # NumPy's own threads would fight the training framework for the cores.
    with threadpool_limits(1, user_api="blas"):
        fit = Fit(run, dataset, folder, config, fit_options)
        start = fit.position.step
        if start and start == fit.position.total_steps:
            print(f"its schedule of {start} steps is done; for a longer one: --restart with more --minutes")
        elif start:
            print(f"resuming at step {start} of {fit.position.total_steps or 'a schedule to be measured'}")
        try:
            fit.run()
        except KeyboardInterrupt:
            print(f"\nstopped at step {fit.position.step}; the same command goes on from there")
            raise
    print(f"{run.root}: step {fit.position.step} after {fit.position.seconds / 60:.1f} min; look at {run.curves}")
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
