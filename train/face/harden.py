"""After fit: go on training with photos of real people, so that cameras hold fewer surprises.

The trained network is its own teacher (`train.face.pseudo`). Half of every batch are photos, of which only the flow is
taught; the other half are the rendered pairs of before, so that nothing is forgotten and the heads, which no photo can
teach, stay as they are. The run that is hardened is left alone; the new one is stopped, resumed and exported as any.

    RUN2/hardening.json                 `Hardening`
    RUN2/weights/teacher.weights.h5     the network that was hardened
    RUN2/pseudo/                        see `train.face.pseudo`
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser, number
from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.files import write_atomic
from train.face.batches import Batches, Sampler, stream_batches
from train.face.config import FaceConfig
from train.face.consistency import consistency
from train.face.continued import ContinuedRun, check_folder, keep_start
from train.face.dataset import load_dataset
from train.face.fit import Fit, FitOptions
from train.face.looks import Frame, make_frame, network_flows
from train.face.photos import PhotoRecord, PhotoSet, load_photos, load_picture
from train.face.preprocess import preprocess
from train.face.pseudo import Lesson, ask_teacher, edits_each
from train.face.run import Run, Scores, Sources, TrainedFace, load_run
from train.prefetch import Batch
from train.quiet import import_keras
from train.records import load_json, remove, save_json
from train.run_folder import load_weights

PHOTO_SHARE: Final = 0.5
"""Of every batch."""
PEAK: Final = 5e-4
"""Highest learning rate: a fifth of what a network is trained with from scratch."""
MINIMUM_PHOTOS: Final = 8
JUDGED_ON: Final = (4, 24)
"""Photos that are never trained on: at least and at most, beside those that `collect` holds out."""
LICENCE: Final = "photos under their owners' terms"

_JUDGED_SHARE: Final = 0.05


@dataclass(frozen=True)
class Hardening:
    """What a run was hardened with, and where it began."""

    teacher: str
    """Name of the run that was hardened."""
    lesson: Lesson
    judged_on: int
    """Photos that are held out."""
    before: dict[str, float]
    """The teacher's scores, as those in ``scores.json``."""


class HardRun(ContinuedRun):
    """Paths inside a hardened run's folder."""

    made_by = "hardened"
    start_file = "teacher.weights.h5"

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.hardening = root / "hardening.json"
        self.pseudo = root / "pseudo"

    def forget(self) -> None:
        """See `ContinuedRun.forget`."""
        super().forget()
        remove(self.pseudo, self.hardening)


class Mixed:
    """Batches of rendered pairs and photos."""

    def __init__(self, rendered: Batches, photos: Batches) -> None:
        self._rendered, self._photos = rendered, photos

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """``size`` edits, 2 or more, `PHOTO_SHARE` of them of photos; see `Sampler.batch`."""
        photos = min(max(1, round(size * PHOTO_SHARE)), size - 1)
        first, second = self._rendered.batch(size - photos, rng), self._photos.batch(photos, rng)
        return {name: np.concatenate([first[name], second[name]]) for name in first}


class Harden(Fit):
    """A hardening in progress."""

    def __init__(
        self, run: HardRun, folders: Sequence[Path], config: FaceConfig, options: FitOptions, frames: Sequence[Frame]
    ) -> None:
        """``frames`` are judged on; what is learnt lies in the run's folder."""
        super().__init__(run, folders, config, options)
        self._frames = frames
        photos = Sampler.of([run.pseudo], config, "train", both_ways=False, painted=False)
        self._mixed = Mixed(self._train, photos)

    def batches(self) -> Generator[Batch, None, None]:
        """See `Loop.batches`."""
        yield from stream_batches(self._mixed, self.position.batch, self.position.seed, self.position.step)

    def judge(self) -> dict[str, float]:
        """See `Fit.judge`; with the consistency on photos."""
        flows = network_flows(self._trainer.network)
        return super().judge() | consistency(flows, self._frames, self._config)


def split(photos: PhotoSet) -> tuple[list[PhotoRecord], list[PhotoRecord]]:
    """To learn from, and to judge on: those that are held out, and some more where these are few.

    Raises `WorkstationError` for fewer than `MINIMUM_PHOTOS`.
    """
    if len(photos.faces) < MINIMUM_PHOTOS:
        raise WorkstationError(f"there are {len(photos.faces)} faces, and at least {MINIMUM_PHOTOS} are needed")
    # a file's name is its hash: chance, and always the same
    ordered = sorted(photos.faces, key=lambda face: (face.split != "heldout", face.file))
    heldout = sum(face.split == "heldout" for face in ordered)
    judged = max(int(np.clip(_JUDGED_SHARE * len(ordered), *JUDGED_ON)), heldout)
    judged = min(judged, len(ordered) // 2)
    return ordered[judged:], ordered[: min(judged, JUDGED_ON[1])]


def prepare(trained: TrainedFace, run: HardRun, photos: PhotoSet, licence: str) -> None:
    """The new run's folder, with a copy of what is hardened. Raises `WorkstationError` when that has no weights."""
    keep_start(trained, run)
    if not run.basis.exists():
        write_atomic(run.basis, (Run(trained.root).basis.read_bytes(),))
    save_json(run.config, trained.config)
    unlabelled = FaceDataSource("photos without labels", licence, len(photos.faces))
    save_json(run.sources, Sources((*trained.sources, unlabelled)))


def learn_from(run: HardRun, data: Path, records: Sequence[PhotoRecord], config: FaceConfig) -> Lesson:
    """Let the teacher answer for every photo. Raises `WorkstationError` when it is sure of nothing."""
    import_keras()
    from train.face.model import build_generator

    teacher = build_generator(config)
    load_weights(teacher, run.start)
    lesson = ask_teacher(run.pseudo, data, records, network_flows(teacher), config, edits_each(len(records)))
    if not lesson.edits:
        raise WorkstationError("the network disagrees with itself on every photo; train it longer first")
    return lesson


def compare(before: dict[str, float], now: dict[str, float]) -> str:
    """What has changed, in two lines."""

    def change(name: str, digits: int) -> str:
        return f"{before[name]:.{digits}f} before, {now[name]:.{digits}f} now"

    return (
        f"two hard looks at a photo differ by {change('photo_spread_px', 2)} (pixels of the crop), "
        f"moving {change('photo_motion_px', 2)}\n"
        f"on rendered heads: flow error {change('epe_of_zero', 3)}; changed pixels {change('changed_l1', 3)} (of doing "
        "nothing)"
    )


def main(argv: Sequence[str]) -> int:
    """``changeling train face harden RUN --photos DATA --data RENDERED -o RUN2``."""
    options = _parser().parse_args(list(argv))
    if options.batch < 2:
        raise InputError("a batch needs a rendered pair and a photo; give --batch 2 or more")
    trained, run, photos_folder = load_run(Path(options.run)), HardRun(Path(options.output)), Path(options.photos)
    check_folder(trained, run)
    if options.restart:
        run.forget()
    photos = load_photos(photos_folder)
    train, judged = split(photos)
    datasets = [load_dataset(Path(path)) for path in options.data]
    config = trained.config
    prepare(trained, run, photos, options.licence)
    folders = [preprocess(dataset) for dataset in datasets]
    with threadpool_limits(1, user_api="blas"):
        lesson = learn_from(run, photos_folder, train, config)
        print(lesson)
        frames = [make_frame(load_picture(photos_folder, record), record, config) for record in judged]
        harden = Harden(run, folders, config, _fit_options(options, run), frames)
        if not run.hardening.exists():
            save_json(run.hardening, Hardening(trained.name, lesson, len(judged), harden.judge()))
        harden.run_and_tell(run.root, run.samples)
    print(compare(load_json(run.hardening, Hardening).before, load_json(run.scores, Scores).scores))
    return 0


def _fit_options(options: argparse.Namespace, run: HardRun) -> FitOptions:
    return FitOptions(
        options.minutes, options.steps, options.batch, options.checkpoint_minutes, options.seed,
        flow_share=0.0, start=run.start, peak=PEAK,
    )  # fmt: skip


def _parser() -> Parser:
    parser = Parser("changeling train face harden", "Go on training a run with photos of real people.")
    parser.add_argument("run", metavar="RUN", help="folder of the run to harden; it is left as it is")
    parser.add_argument("--photos", required=True, metavar="DATA", help="folder that collect made of photos or a video")
    parser.add_argument("--data", required=True, nargs="+", metavar="RENDERED", help="rendered pairs it was trained on")
    parser.add_argument("-o", "--output", required=True, metavar="RUN2", help="folder of the hardened run")
    parser.add_argument("--licence", default=LICENCE, metavar="TEXT", help="terms of the photos, for the model file")
    parser.add_argument("--minutes", type=number, default=10.0, help="time to train on this machine")
    parser.add_argument("--steps", type=int, help="steps to train, instead of --minutes")
    parser.add_argument("--batch", type=int, default=16, help="edits a step, half of them of photos")
    parser.add_argument("--checkpoint-minutes", type=number, default=3.0, help="time between checkpoints")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the data")
    parser.add_argument("--restart", action="store_true", help="throw the hardened run away and start again")
    return parser
