"""After fit: train one head of a run alone, the eyes' or the mouth's, and leave the rest as it is.

The rest is run once for some thousand edits, most of which have something to invent there (`train.face.head_features`);
a step then costs a fifth, and sees nothing but what the head is for. The run that is refined is left alone; the new one
is stopped, resumed and exported as any (`train.face.continued`).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Final

from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import InputError
from train.face.base import find_base
from train.face.batches import stream_batches
from train.face.config import FaceConfig
from train.face.continued import ContinuedRun, check_folder, keep_start
from train.face.dataset import load_dataset
from train.face.fit import Fit, FitOptions, prepare
from train.face.presets import PATCHES, Patch
from train.face.run import Position, Run
from train.prefetch import Batch
from train.run_folder import load_weights

PEAK: Final = 2e-3
"""Highest learning rate."""
EDITS: Final = 9600
_BY_NAME: Final = {patch.name: patch for patch in PATCHES}


class Refine(Fit):
    """A head's training in progress."""

    def __init__(
        self, run: Run, folders: Sequence[Path], config: FaceConfig, options: FitOptions, patch: Patch, edits: int
    ) -> None:
        """``edits`` are kept in memory, 220 kB each."""
        self._patch = patch
        super().__init__(run, folders, config, options)
        from train.face.head_features import PatchEdits, collect_features

        drawn = PatchEdits(self._train, config, patch)
        network = self._trainer.network
        self._features = collect_features(network, config, patch, drawn, edits, self.position.seed)

    def make_trainer(self, options: FitOptions) -> Any:
        """See `Fit.make_trainer`."""
        from train.face.head_trainer import HeadTrainer
        from train.face.model import build_generator

        network = build_generator(self._config)
        assert options.start is not None, "a head is refined, not begun"
        load_weights(network, options.start)  # the basis is one of them
        return HeadTrainer(network, self._config, self._patch)

    def resume(self, trainer: Any, average: Any) -> Position | None:
        """See `Fit.resume`."""
        from train.checkpoints import has_state, load_state

        return load_state(self._run.last, trainer, average, Position) if has_state(self._run.last) else None

    def batches(self) -> Generator[Batch, None, None]:
        """See `Loop.batches`."""
        yield from stream_batches(self._features, self.position.batch, self.position.seed, self.position.step)

    def before_step(self) -> None:
        """See `Loop.before_step`; there is one stage."""


def main(argv: Sequence[str]) -> int:
    """``changeling train face refine --base RUN --data DATA --patch eyes -o RUN2``."""
    options = _parser().parse_args(list(argv))
    run, patch, base = ContinuedRun(Path(options.output)), _BY_NAME[options.patch], find_base(options.base)
    if base is None:
        raise InputError("say with --base which run's head to refine, or `shipped`")
    check_folder(base, run)
    if options.restart:
        run.forget()
    datasets = [load_dataset(Path(path)) for path in options.data]
    keep_start(base, run)
    folders = prepare(datasets, base.config, run, base)
    fit_options = FitOptions(
        options.minutes, options.steps, options.batch, options.checkpoint_minutes, options.seed, 0.0,
        None if options.photos is None else Path(options.photos), run.start, PEAK,
    )  # fmt: skip
    # NumPy's own threads would fight the training framework for the cores.
    with threadpool_limits(1, user_api="blas"):
        refined = Refine(run, folders, base.config, fit_options, patch, options.edits)
        refined.run_and_tell(run.root, run.samples)
    return 0


def _parser() -> Parser:
    parser = Parser("changeling train face refine", "Train what a run invents of eyes or mouth, and no more.")
    parser.add_argument("--base", required=True, metavar="RUN", help="the run to refine, or the `shipped` faces")
    parser.add_argument("--data", required=True, nargs="+", metavar="DATA", help="folders made by collect")
    parser.add_argument("-o", "--output", required=True, metavar="RUN2", help="folder of the refined run")
    parser.add_argument("--patch", choices=sorted(_BY_NAME), default="eyes", help="whose head")
    parser.add_argument("--edits", type=int, default=EDITS, metavar="N", help=f"edits to learn from ({EDITS})")
    parser.add_argument("--minutes", type=number, default=15.0, help="time to train on this machine")
    parser.add_argument("--steps", type=int, help="steps to train, instead of --minutes")
    parser.add_argument("--batch", type=int, default=32, help="edits a step")
    parser.add_argument("--checkpoint-minutes", type=number, default=3.0, help="time between checkpoints")
    parser.add_argument("--photos", metavar="DIR", help="photos to show changed at every checkpoint")
    parser.add_argument("--seed", type=int, default=1, help="of the edits and their order")
    parser.add_argument("--restart", action="store_true", help="throw the refined run away and start again")
    return parser
