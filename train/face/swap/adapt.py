"""One person's face from the base: a vector of their own and the decoder's last blocks, from their photos or a video.

    RUN/data/       the person's pictures (`train.face.photos`)
    RUN/source/     the same of the faces that theirs is to be put on, where some are given
    RUN/...         see `train.face.swap.run`

The rest of the network stays: it is what knows expression, pose and light, and a few photos would only spoil it. Where
their face shows is taught by the base's own mask.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from edge_runtime.cli.arguments import Parser
from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import InputError, WorkstationError
from edge_runtime.face.geometry import FloatArray, align
from edge_runtime.face.remap import sample
from edge_runtime.face_manifest import FaceDataSource
from edge_runtime.face_path_contract import CropSpec
from edge_runtime.files import make_folder
from edge_runtime.swap_contract import IdentitySpec
from train.bases import SHIPPED
from train.consent import FLAG, HOW, make_record
from train.face.dataset import load_dataset
from train.face.harden import split
from train.face.photos import PHOTOS_FILE, PhotoRecord, PhotoSet, collect_photos, load_picture
from train.face.swap.base import find_base
from train.face.swap.batches import SwapExample, SwapSampler, stack
from train.face.swap.fit import Lesson, SwapFit, SwapFitOptions, add_schedule
from train.face.swap.looks import OwnHalf, PhotoLooks, RenderedLooks, SwapHalf
from train.face.swap.preprocess import preprocess
from train.face.swap.run import RENDERED_TEXT, UNKNOWN, SwapConfig, SwapHeldOut, SwapRun, TrainedSwap
from train.records import save_json

if TYPE_CHECKING:
    from train.face.swap.trainer import SwapTrainer

Image = NDArray[np.uint8]

LICENCE: Final = "photos by the person's consent, for this model alone"
_COMPARED: Final = 16
_EXPORT_FACES: Final = 48


def adapt(run: SwapRun, base: TrainedSwap, identity: IdentitySpec, lesson: Lesson, options: SwapFitOptions) -> SwapFit:
    """A training that fits ``base`` to one identity, ready to run."""
    from train.face.swap.trainer import ADAPT_PEAK

    name = identity.name
    own = () if identity.synthetic else (FaceDataSource(f"photos of {name}", LICENCE, len(lesson.sampler)),)
    config = SwapConfig(name, base.config.preset, base.config.crop, (name,), (*base.config.sources, *own))
    make_folder(run.root)
    save_json(run.identity, identity)

    def begin(trainer: SwapTrainer) -> None:
        trainer.network.set_weights(base.network.get_weights())
        trainer.vectors.assign(base.vectors[[closest_identity(base, lesson.sampler)]])
        trainer.adapt_only()

    return SwapFit(run, config, lesson, options, ADAPT_PEAK, begin)


def closest_identity(base: TrainedSwap, sampler: SwapSampler) -> int:
    """Row of the base's identity that paints a person's pictures with the least error: where their vector begins."""
    step = max(1, len(sampler) // _COMPARED)
    batch = stack([sampler.plain(number) for number in range(0, len(sampler), step)][:_COMPARED])
    counted = batch["face"] / max(float(batch["face"].sum()), 1.0)
    errors = []
    for vector in base.vectors:
        vectors = np.repeat(vector[None], len(batch["image"]), axis=0)
        painted = base.network.predict_on_batch({"image": batch["image"], "identity": vectors})["rgb"]
        errors.append(float((np.abs(np.asarray(painted) - batch["target"]) * counted).sum()))
    return int(np.argmin(errors))


def photo_lesson(
    base: TrainedSwap, root: Path, photos: PhotoSet, sources: Sequence[tuple[Path, PhotoRecord]]
) -> Lesson:
    """A person's photos; export is tried on held-out ones, on ``sources``, or on faces that the base carries.

    Raises `WorkstationError` for too few photos.
    """
    crop = base.config.crop
    train, judged = split(photos)
    mask = mask_of(base)
    held = PhotoLooks(root, judged, crop, mask)
    examples = tuple(SwapSampler(held, crop).plain(number) for number in range(len(held)))
    shown = [cut_photo(folder, record, crop) for folder, record in sources] or list(base.heldout().images)
    return Lesson(SwapSampler(PhotoLooks(root, train, crop, mask), crop), examples, _heldout(examples, shown))


def rendered_lesson(base: TrainedSwap, folder: Path, name: str) -> Lesson:
    """A rendered identity that the base never saw: every other pair teaches by its target alone, the rest judge swaps.

    Raises `WorkstationError` when there are none of that name.
    """
    looks = RenderedLooks.of([folder], "heldout", (name,))
    crop = base.config.crop
    judged = SwapSampler(SwapHalf(looks), crop)
    examples = tuple(judged.plain(number) for number in range(len(judged)))
    return Lesson(SwapSampler(OwnHalf(looks), crop), examples, _heldout(examples, []))


def mask_of(base: TrainedSwap) -> Callable[[Image], FloatArray]:
    """What the base says to a crop (S, S, 3): where a face shows, (S, S, 1), the mean over some identities."""
    rows = base.vectors[:: max(1, len(base.vectors) // 4)][:4]

    def mask(crop: Image) -> FloatArray:
        image = np.repeat(crop[None].astype(np.float32) * np.float32(1.0 / 255.0), len(rows), axis=0)
        found = base.network.predict_on_batch({"image": image, "identity": rows})["mask"]
        return np.asarray(found, np.float32).mean(axis=0)

    return mask


def cut_photo(folder: Path, record: PhotoRecord, crop: CropSpec) -> Image:
    """The aligned crop (S, S, 3) of a collected face."""
    back = align(np.array(record.five, np.float32), crop).inverse()
    return sample(load_picture(folder, record), back, (crop.size_px, crop.size_px))


def _heldout(examples: Sequence[SwapExample], others: Sequence[Image]) -> SwapHeldOut:
    """Examples with their answers and other faces without, half of each where both are many."""
    known = list(examples)[: _EXPORT_FACES - min(len(others), _EXPORT_FACES // 2)]
    faces = list(others)[: _EXPORT_FACES - len(known)]
    rows = [example.identity for example in known] + [UNKNOWN] * len(faces)
    targets = [example.target for example in known] + faces
    return SwapHeldOut(
        np.stack([example.image for example in known] + faces), np.stack(targets), np.array(rows, np.int32)
    )


def main(argv: Sequence[str]) -> int:
    """``changeling train face swap --target DIR|VIDEO -o RUN --i-have-consent "NAME: SCOPE"``."""
    options = _parser().parse_args(list(argv))
    if (options.target is None) == (options.rendered is None):
        raise InputError("say whose face: --target with a person's photos or video, or --rendered DATA --identity NAME")
    run, base = SwapRun(Path(options.output)), find_base(options.base)
    if options.restart:
        run.forget()
    with threadpool_limits(1, user_api="blas"):  # NumPy's own threads would fight the training framework
        identity, lesson = _rendered(options, base) if options.target is None else _person(options, run, base)
        fit_options = SwapFitOptions(
            options.minutes, options.steps, options.batch, options.checkpoint_minutes, options.seed
        )
        adapt(run, base, identity, lesson, fit_options).run_and_tell(run.root, run.samples)
    return 0


def _person(options: argparse.Namespace, run: SwapRun, base: TrainedSwap) -> tuple[IdentitySpec, Lesson]:
    if options.consent is None:
        raise WorkstationError(f"these are pictures of a person; {HOW}")
    consent = make_record(options.consent, options.consent_until, "-")  # a slip must not show after the search
    folder = run.root / "data"
    photos = collect_photos([Path(path) for path in options.target], folder)
    print(photos)
    sources: list[tuple[Path, PhotoRecord]] = []
    if options.source is not None:
        others = run.root / "source"
        found = collect_photos([Path(path) for path in options.source], others)
        print(f"to put it on: {found}")
        sources = [(others, record) for record in found.faces]
    return _identity(options, consent, folder), photo_lesson(base, folder, photos, sources)


def _identity(options: argparse.Namespace, consent: ConsentRecord, folder: Path) -> IdentitySpec:
    digest = hashlib.sha256((folder / PHOTOS_FILE).read_bytes()).hexdigest()  # it names every picture by its hash
    name = options.name or "-".join(consent.person.lower().split())
    return IdentitySpec(
        name, "a person, from their own pictures", False, dataclasses.replace(consent, data_sha256=digest)
    )


def _rendered(options: argparse.Namespace, base: TrainedSwap) -> tuple[IdentitySpec, Lesson]:
    if options.identity is None:
        raise InputError("--rendered DATA holds many heads; say which with --identity NAME, for instance h000")
    folder = preprocess(load_dataset(Path(options.rendered)))
    name = options.name or options.identity
    return IdentitySpec(name, RENDERED_TEXT, True, None), rendered_lesson(base, folder, options.identity)


def _parser() -> Parser:
    parser = Parser("changeling train face swap", "Learn one person's face from their photos or a minute of video.")
    parser.add_argument("--target", nargs="+", metavar="DIR|VIDEO", help="50 to 300 pictures of the person")
    parser.add_argument("--source", nargs="+", metavar="DIR|VIDEO", help="faces to try it on")
    parser.add_argument("-o", "--output", required=True, metavar="RUN", help="folder of the run")
    parser.add_argument(FLAG, dest="consent", metavar="NAME: SCOPE", help="who agreed, and to what")
    parser.add_argument("--consent-until", metavar="DATE", help="when that permission ends, as 2027-12-31")
    parser.add_argument("--name", help="name of the model (the person's)")
    parser.add_argument("--base", default=SHIPPED, metavar="RUN", help="a run of `fit`, or the `shipped` base")
    parser.add_argument("--rendered", metavar="DATA", help="instead of a person: a head of `collect` that is held out")
    parser.add_argument("--identity", metavar="NAME", help="which, for instance h000")
    add_schedule(parser, minutes=20.0)
    return parser
