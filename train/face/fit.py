"""Step 4: train. Shows progress, keeps checkpoints and samples, and can be stopped and resumed (`train.loop`).

First the flow alone, then the heads that invent pixels too; the linear basis is fitted before either.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face.geometry import FloatArray
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.files import make_folder
from edge_runtime.media.image import READ_SUFFIXES, read_photo
from train.bases import NONE
from train.face.base import check_fits, find_base
from train.face.basis import fit_basis
from train.face.batches import Sampler, stream_batches
from train.face.config import FaceConfig, make_config
from train.face.dataset import EDITS, FaceDataset, load_dataset
from train.face.preprocess import preprocess
from train.face.presets import PRESETS
from train.face.run import Position, Run, Scores, Sources, TrainedFace
from train.log import Log, draw_curves
from train.loop import Loop
from train.prefetch import Batch
from train.quiet import import_keras
from train.records import load_json, save_json
from train.run_folder import load_weights

FLOW_SHARE = 0.55
"""Share of the steps that train the flow alone."""
BASE_FLOW_SHARE = 0.2
"""The same of a run that starts from a base."""
HEADS_COST = 2.5
"""Time of a step with the heads over one without, measured on two cores."""

ADAPTING_PEAK = 1e-3
"""Highest learning rate from a base on."""

_BASIS_EDITS = 12_000
_HELDOUT_EDITS = 96
_EXPORT_EDITS = 48
_SHEET_ROWS = 12


@dataclass(frozen=True)
class FitOptions:
    """How long and how to train."""

    minutes: float | None
    steps: int | None
    """One of the two; steps wins."""
    batch: int
    checkpoint_minutes: float
    seed: int
    flow_share: float = FLOW_SHARE
    photos: Path | None = None
    """Photos to show changed at every checkpoint; nothing is learnt from them."""
    start: Path | None = None
    """Weights of a network to begin with, in place of random ones."""
    peak: float | None = None
    """Highest learning rate, where it is not `train.face.trainer.PEAK`."""


def prepare(
    datasets: Sequence[FaceDataset], config: FaceConfig, run: Run, base: TrainedFace | None = None
) -> list[Path]:
    """Preprocess, describe the run, fit the basis or take that of ``base``; gives the folders of aligned pairs."""
    folders = [preprocess(dataset) for dataset in datasets]
    make_folder(run.weights.parent)
    save_json(run.config, config)
    # A run that goes on keeps the sources and the basis that its weights were trained with.
    if not run.basis.exists():
        save_json(run.sources, Sources(_sources(datasets, base)))
        _save_basis(run, _fit_basis(folders, config) if base is None else base.basis)
    return folders


def _sources(datasets: Sequence[FaceDataset], base: TrainedFace | None) -> tuple[FaceDataSource, ...]:
    """All that the weights will have been trained on: what the base was is in them still."""
    own = [source for data in datasets for source in data.sources]
    return (*own, *(source for source in (base.sources if base else ()) if source not in own))


def _fit_basis(folders: Sequence[Path], config: FaceConfig) -> FloatArray:
    print("fitting the linear basis", flush=True)
    flows = Sampler.of(folders, config, "train").flows(_BASIS_EDITS, np.random.default_rng(0))
    return fit_basis(flows, len(config.units), config.flow_cells)


def _save_basis(run: Run, basis: FloatArray) -> None:
    temporary = run.basis.with_name("new-basis.npy")
    np.save(temporary, basis)
    temporary.replace(run.basis)


class Fit(Loop[Position]):
    """A training run in progress."""

    note_terms = ("loss", "epe_px", "mask", "colour")

    def __init__(self, run: Run, folders: Sequence[Path], config: FaceConfig, options: FitOptions) -> None:
        # Keras brings a training framework along, which takes seconds: only now, when there is data to train on.
        import_keras()
        import keras

        from train.averaging import WeightAverage
        from train.face.monitor import FIELDS, heldout_crops, heldout_examples
        from train.face.trainer import PEAK

        self._run, self._config, self._photos = run, config, options.photos
        self._train = Sampler.of(folders, config, "train")
        self._basis = np.load(run.basis, allow_pickle=False)
        self._examples = heldout_examples(Sampler.of(folders, config, "heldout"), _HELDOUT_EDITS)
        # spread over all data sets: eight bits are calibrated on these, and must have seen what features do
        heldout_crops(self._examples[:: max(1, len(self._examples) // _EXPORT_EDITS)][:_EXPORT_EDITS]).save(run.heldout)
        keras.utils.set_random_seed(options.seed)
        trainer = self.make_trainer(options)
        average = WeightAverage(trainer)
        position = Position(0, options.steps or 0, options.seed, options.batch, 0.0, options.flow_share)
        position = self.resume(trainer, average) or position
        log = Log(run.log, position.step, FIELDS)
        peak = options.peak or PEAK
        super().__init__(trainer, average, log, position, peak, options.minutes, options.checkpoint_minutes)

    def make_trainer(self, options: FitOptions) -> Any:
        """What is trained, with its first weights; `train.face.trainer.FaceTrainer` says what it must have."""
        from train.face.trainer import FaceTrainer

        trainer = FaceTrainer(self._config, self._basis)
        if options.start is not None:
            load_weights(trainer.network, options.start)
        return trainer

    def resume(self, trainer: Any, average: Any) -> Position | None:
        """Put everything back where the run was stopped; None for a run that begins."""
        from train.face.checkpoints import has_checkpoint, load_checkpoint

        return load_checkpoint(self._run, trainer, average) if has_checkpoint(self._run) else None

    def batches(self) -> Generator[Batch, None, None]:
        """See `Loop.batches`."""
        yield from stream_batches(self._train, self.position.batch, self.position.seed, self.position.step)

    def before_step(self) -> None:
        """Enter the stage that the next step belongs to."""
        from train.face.checkpoints import stage_at

        self._trainer.enter(stage_at(self.position))

    def steps_in(self, seconds: float, per_step_s: float) -> int:
        """See `Loop.steps_in`; the steps measured are of the first stage, and those of the second cost more."""
        share = self.position.flow_share
        mean_s = per_step_s * (share + HEADS_COST * (1.0 - share))
        if share == 0.0:
            return super().steps_in(seconds, per_step_s)
        done = self.position.step
        # done + left steps in all, of which `done` have cost the lower price already
        return max(1, int((seconds + done * per_step_s) / mean_s) - done)

    def checkpoint(self) -> None:
        """Save everything, judge on held-out heads, and make the samples and curves of now."""
        from train.averaging import averaged_weights
        from train.face.checkpoints import save_checkpoint
        from train.face.monitor import CURVES, write_sheet
        from train.face.predict import KerasGenerator

        save_checkpoint(self._run, self._trainer, self._average, self.position)
        with averaged_weights(self._trainer, self._average):
            scores = self.judge()
            answer = KerasGenerator(self._trainer.network).run
            sheet = self._run.samples / f"{self.position.step:06d}.png"
            write_sheet(sheet, answer, self._examples[:_SHEET_ROWS], self._config)
        save_json(self._run.scores, Scores(scores))
        self._log.add({"step": self.position.step} | {f"heldout_{name}": value for name, value in scores.items()})
        if self._photos is not None:
            self._write_photos()
        draw_curves(self._log.rows, self._run.curves, CURVES)

    def judge(self) -> dict[str, float]:
        """Scores of the weights that are in place, by name."""
        from train.face.monitor import score, zero_edit_psnr_db
        from train.face.predict import KerasGenerator

        answer = KerasGenerator(self._trainer.network).run
        scores = score(answer, self._examples, self._basis, self._config)
        scores["zero_edit_psnr_db"] = zero_edit_psnr_db(answer, self._examples[:8], self._config)
        return scores

    def _write_photos(self) -> None:
        from train.face.photo_sheet import write_photo_sheet
        from train.face.run import load_run

        assert self._photos is not None
        photos = [read_photo(path).pixels for path in photo_paths(self._photos)]
        path = self._run.samples / f"{self.position.step:06d}-photos.png"
        write_photo_sheet(path, load_run(self._run.root), photos)


def photo_paths(folder: Path) -> list[Path]:
    """The photos of a folder. Raises `InputError` when there are none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in READ_SUFFIXES)
    if not found:
        raise InputError(f"{folder} holds no photos ({', '.join(sorted(READ_SUFFIXES))})")
    return found


def main(argv: Sequence[str]) -> int:
    """``changeling train face fit --data DATA -o RUN``."""
    options = _parser().parse_args(list(argv))
    run = Run(Path(options.output))
    if options.photos is not None:
        photo_paths(Path(options.photos))
    if options.restart:
        run.forget()
    datasets = [load_dataset(Path(path)) for path in options.data]
    if not any(dataset.split("heldout", *EDITS) for dataset in datasets):
        raise WorkstationError(f"{datasets[0].root} holds no held-out pairs of expressions; collect more pairs")
    config = _configure(options, run)
    base = find_base(options.base)
    if base is not None:
        check_fits(base, config)
    folders = prepare(datasets, config, run, base)
    fit_options = FitOptions(
        options.minutes, options.steps, options.batch, options.checkpoint_minutes, options.seed,
        _flow_share(options, base), None if options.photos is None else Path(options.photos),
        *((None, None) if base is None else (Run(base.root).weights, ADAPTING_PEAK)),
    )  # fmt: skip
    # NumPy's own threads would fight the training framework for the cores.
    with threadpool_limits(1, user_api="blas"):
        Fit(run, folders, config, fit_options).run_and_tell(run.root, run.samples)
    return 0


def _configure(options: argparse.Namespace, run: Run) -> FaceConfig:
    """The run's configuration: its own when it exists, else made from the options."""
    if run.config.exists() and (run.last.exists() or run.weights.exists()):
        config: FaceConfig = load_json(run.config, FaceConfig)
        return config
    return make_config(options.name, options.preset)


def _flow_share(options: argparse.Namespace, base: TrainedFace | None) -> float:
    if options.flow_share is not None:
        return float(options.flow_share)
    return FLOW_SHARE if base is None else BASE_FLOW_SHARE


def _parser() -> Parser:
    parser = Parser("changeling train face fit", "Train an expression model on rendered pairs, or go on training it.")
    parser.add_argument("--data", required=True, nargs="+", metavar="DATA", help="folders made by collect")
    parser.add_argument("-o", "--output", required=True, metavar="RUN", help="folder of the run")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="small", help="size of the network")
    parser.add_argument("--name", default="faces", help="name of the model")
    parser.add_argument("--minutes", type=number, default=20.0, help="time to train on this machine")
    parser.add_argument("--steps", type=int, help="steps to train, instead of --minutes")
    parser.add_argument("--batch", type=int, default=16, help="edits a step")
    parser.add_argument("--flow-share", type=number, help="share of the steps for the flow alone (0.55; of a base 0.2)")
    parser.add_argument("--base", default=NONE, metavar="RUN", help="start from this run, or from the `shipped` faces")
    parser.add_argument("--checkpoint-minutes", type=number, default=3.0, help="time between checkpoints")
    parser.add_argument("--photos", metavar="DIR", help="photos to show changed at every checkpoint")
    parser.add_argument("--seed", type=int, default=1, help="of first weights and data order")
    parser.add_argument("--restart", action="store_true", help="throw the run's checkpoint away and start again")
    return parser
