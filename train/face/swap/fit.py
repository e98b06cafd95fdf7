"""Step 4: train the base, from which every person's face starts: rendered targets, each in the place of many sources.

Shows progress, keeps checkpoints and samples, and can be stopped and resumed (`train.loop`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import WorkstationError
from edge_runtime.files import make_folder
from train.bases import check_alike
from train.face.batches import stream_batches
from train.face.dataset import FaceDataset, load_dataset
from train.face.run import Scores
from train.face.swap.base import find_base
from train.face.swap.batches import SwapExample, SwapSampler
from train.face.swap.collect import TARGET_PREFIX
from train.face.swap.looks import RenderedLooks
from train.face.swap.preprocess import preprocess
from train.face.swap.presets import PRESETS
from train.face.swap.run import SwapConfig, SwapHeldOut, SwapRun, TrainedSwap, make_config
from train.log import Log, draw_curves
from train.loop import Loop, Position
from train.prefetch import Batch
from train.quiet import import_keras
from train.records import load_json, save_json

if TYPE_CHECKING:
    from train.face.swap.trainer import SwapTrainer

_HELDOUT_FACES: Final = 96
_EXPORT_FACES: Final = 48
_SHEET_ROWS: Final = 10
_AGAIN_PEAK: Final = 1e-3
"""Highest learning rate of a base that starts from another: what that knows should be kept."""


@dataclass(frozen=True)
class SwapFitOptions:
    """How long and how to train."""

    minutes: float | None
    steps: int | None
    """One of the two; steps wins."""
    batch: int
    checkpoint_minutes: float
    seed: int


@dataclass(frozen=True)
class Lesson:
    """What is learnt from, and what is judged on."""

    sampler: SwapSampler
    examples: tuple[SwapExample, ...]
    """Held out, with a known answer."""
    heldout: SwapHeldOut
    """What export proves its files on."""


class SwapFit(Loop[Position]):
    """A training run in progress, of a base or of a person."""

    note_terms = ("loss", "structure", "colour", "mask")

    def __init__(
        self,
        run: SwapRun,
        config: SwapConfig,
        lesson: Lesson,
        options: SwapFitOptions,
        peak: float | None = None,
        begin: Callable[[SwapTrainer], None] | None = None,
    ) -> None:
        """``begin`` sets a fresh trainer up; without ``peak`` the learning rate is that of a base."""
        # Keras brings a training framework along, which takes seconds: only now, when there is data to train on.
        import_keras()
        import keras

        from train.averaging import WeightAverage
        from train.checkpoints import has_state, load_state
        from train.face.swap.monitor import FIELDS
        from train.face.swap.trainer import PEAK, SwapTrainer

        self._run, self._lesson = run, lesson
        make_folder(run.weights.parent)
        save_json(run.config, config)
        lesson.heldout.save(run.heldout)
        keras.utils.set_random_seed(options.seed)
        trainer = SwapTrainer(config)
        if begin is not None:
            begin(trainer)
        average = WeightAverage(trainer)
        position = Position(0, options.steps or 0, options.seed, options.batch, 0.0)
        if has_state(run.last):
            position = load_state(run.last, trainer, average, Position)
        log = Log(run.log, position.step, FIELDS)
        super().__init__(trainer, average, log, position, peak or PEAK, options.minutes, options.checkpoint_minutes)

    def batches(self) -> Generator[Batch, None, None]:
        """See `Loop.batches`."""
        yield from stream_batches(self._lesson.sampler, self.position.batch, self.position.seed, self.position.step)

    def checkpoint(self) -> None:
        """Save everything, judge on held-out faces, and make the samples and curves of now."""
        from train.averaging import averaged_weights
        from train.checkpoints import save_state, writing
        from train.face.swap.monitor import CURVES, score, write_sheet
        from train.face.swap.predict import KerasSwapper

        run, examples = self._run, self._lesson.examples
        with averaged_weights(self._trainer, self._average):
            answer = KerasSwapper(self._trainer.network, self._trainer.identity_vectors()).run
            scores = score(answer, examples)
            shown = examples[:: max(1, len(examples) // _SHEET_ROWS)][:_SHEET_ROWS]
            write_sheet(run.samples / f"{self.position.step:06d}.png", answer, shown)
        with writing(run.root):
            save_state(run.last, self._trainer, self._average, self.position)
            with averaged_weights(self._trainer, self._average):
                self._save_weights()
        save_json(run.scores, Scores(scores))
        self._log.add({"step": self.position.step} | {f"heldout_{name}": value for name, value in scores.items()})
        draw_curves(self._log.rows, run.curves, CURVES)

    def _save_weights(self) -> None:
        temporary = self._run.weights.with_name("new.weights.h5")
        self._trainer.network.save_weights(temporary)
        vectors = self._run.identities.with_name("new-identities.npy")
        np.save(vectors, self._trainer.identity_vectors())
        temporary.replace(self._run.weights)
        vectors.replace(self._run.identities)


def rendered_lesson(folders: Sequence[Path], config: SwapConfig) -> Lesson:
    """What the base learns from. Raises `WorkstationError` when too little is there."""
    from train.face.swap.monitor import heldout_examples, heldout_of

    train = RenderedLooks.of(folders, "train", config.identities)
    judged = SwapSampler(RenderedLooks.of(folders, "heldout", config.identities), config.crop)
    # every second look is a target as itself, which is no swap
    examples = heldout_examples(judged, _HELDOUT_FACES, step=2)
    return Lesson(SwapSampler(train, config.crop), tuple(examples), heldout_of(examples[:_EXPORT_FACES]))


def trained_targets(dataset: FaceDataset) -> tuple[str, ...]:
    """Names of the targets that are trained on. Raises `WorkstationError` when there are none."""
    names = {pair.identities[1] for pair in dataset.split("train", "identity")}
    found = tuple(sorted(name for name in names if name.startswith(TARGET_PREFIX)))
    if not found:
        raise WorkstationError(
            f"{dataset.root} holds no targets to train on; make some with changeling train face swap collect"
        )
    return found


def start_from(base: TrainedSwap) -> Callable[[SwapTrainer], None]:
    """Sets a fresh trainer up with what ``base`` knows; a target of a name that it does not have begins as the mean.

    The ``t003`` of another data set is somebody else, who is as good a beginning as anybody.
    """
    known = dict(zip(base.config.identities, base.vectors, strict=True))
    mean = base.vectors.mean(axis=0)

    def begin(trainer: SwapTrainer) -> None:
        trainer.network.set_weights(base.network.get_weights())
        trainer.vectors.assign(np.stack([known.get(name, mean) for name in trainer.identities]))

    return begin


def main(argv: Sequence[str]) -> int:
    """``changeling train face swap fit --data DATA -o RUN``."""
    options = _parser().parse_args(list(argv))
    run = SwapRun(Path(options.output))
    base = None if options.base is None else find_base(options.base)
    if options.restart:
        run.forget()
    # One folder alone: the targets of two have the same names and other faces.
    dataset = load_dataset(Path(options.data))
    if run.config.exists() and run.last.exists():
        config: SwapConfig = load_json(run.config, SwapConfig)
    else:
        config = make_config(options.name, options.preset, trained_targets(dataset), dataset.sources)
    if base is not None:
        shapes = ({"preset": one.preset, "crop": one.crop} for one in (base.config, config))
        check_alike(base.name, *shapes)
    folders = [preprocess(dataset, workers=options.workers)]
    fit_options = SwapFitOptions(
        options.minutes, options.steps, options.batch, options.checkpoint_minutes, options.seed
    )
    # NumPy's own threads would fight the training framework for the cores.
    with threadpool_limits(1, user_api="blas"):
        lesson = rendered_lesson(folders, config)
        begin, peak = (None, None) if base is None else (start_from(base), _AGAIN_PEAK)
        SwapFit(run, config, lesson, fit_options, peak, begin).run_and_tell(run.root, run.samples)
    return 0


def _parser() -> Parser:
    parser = Parser("changeling train face swap fit", "Train the base of all swaps, or go on training it.")
    parser.add_argument("--data", required=True, metavar="DATA", help="folder made by train face swap collect")
    parser.add_argument("-o", "--output", required=True, metavar="RUN", help="folder of the run")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="small", help="size of the network")
    parser.add_argument("--name", default="swap-base", help="name of the model")
    parser.add_argument("--base", metavar="RUN", help="go on from another run of `fit`, or from the `shipped` base")
    add_schedule(parser, minutes=60.0)
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes that align faces (1)")
    return parser


def add_schedule(parser: Parser, minutes: float) -> None:
    """The arguments that say how long and how to train."""
    parser.add_argument("--minutes", type=number, default=minutes, help=f"time to train on this machine ({minutes:g})")
    parser.add_argument("--steps", type=int, help="steps to train, instead of --minutes")
    parser.add_argument("--batch", type=int, default=16, help="faces a step (16)")
    parser.add_argument("--checkpoint-minutes", type=number, default=3.0, help="time between checkpoints (3)")
    parser.add_argument("--seed", type=int, default=1, help="of first weights and data order (1)")
    parser.add_argument("--restart", action="store_true", help="throw the run's checkpoint away and start again")
