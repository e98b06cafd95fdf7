"""Judges rendered heads, photos and videos in order; what was judged before is not judged again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, OutputError, WorkstationError
from edge_runtime.face.converter import FaceConverter
from edge_runtime.face.measures import measure_face
from edge_runtime.media.image import read_photo
from edge_runtime.provenance import edit_comment
from edge_runtime.strict_json import from_dict
from train.evaluate.memory import Memory
from train.evaluate.origins import code_sha256, model_sha256
from train.evaluate.results import SkippedFile, make_bars
from train.face.dataset import FaceDataset, PairRecord, load_pair
from train.face.evaluate.bars import BARS
from train.face.evaluate.clips import Clip, VideoPlan, walk
from train.face.evaluate.edits import Wish, wishes
from train.face.evaluate.eyes import Eyes
from train.face.evaluate.features import (
    REAL,
    RENDERED,
    FeatureAnswer,
    FeatureJudge,
    FeatureRow,
    FeatureTruth,
    feature_rows,
    fit_effects,
)
from train.face.evaluate.footage import PictureJudge, Subject
from train.face.evaluate.identity import Likeness
from train.face.evaluate.inputs import PHOTO, VIDEO, Footage
from train.face.evaluate.movements import MOVEMENTS, Reference
from train.face.evaluate.pictures import face_box, feature_tiles, pair_of, write_picture
from train.face.evaluate.rendered import HeadJudge, HeadScore
from train.face.evaluate.results import ClipScore, EditScore, Evaluation, FootageFacts, Real, Rendered
from train.face.evaluate.side_by_side import SideBySide
from train.face.evaluate.summarise import bar_values, footage_rows, rendered_of
from train.face.units import FEATURE_NAMES

Image = NDArray[np.uint8]
Told = Callable[[float, str], None]
"""Called with the work done so far, in edits, and a short note."""

_CODE: Final = (
    *("edge_runtime/backends", "edge_runtime/face", "edge_runtime/media"),
    *("train/face/evaluate", "train/evaluate"),
)
_SHOWN_FRAMES: Final = 4
"""Frames of a video that are kept as pictures."""
_FRAME_COST: Final = 0.3
"""Of a video frame that is tracked, and edited for the clip if it is among the first, in edits."""
_FEATURES_COST: Final = 10.0
"""Of all features of one picture, in edits."""
_SHEET_PHOTOS: Final = 12
_USUAL_RATE_HZ: Final = 25.0
_LONG_S: Final = 60.0
"""What a video is taken for that is looked at to its end."""


@dataclass(frozen=True)
class Plan:
    """What is to be judged."""

    dataset: FaceDataset | None
    pairs: tuple[tuple[PairRecord, bool], ...]
    """Held-out pairs and whether each is judged backwards."""
    footage: tuple[Footage, ...]
    video: VideoPlan
    against: str = ""
    """Name of the other file, or empty."""
    feature_pairs: tuple[PairRecord, ...] = ()
    """Held-out pairs that tell what features truly do; without them features are not judged."""
    people: tuple[PairRecord, ...] = ()
    """Held-out pairs whose first picture each feature is asked of."""

    def work(self, edits: int) -> float:
        """About how many edits there are in all; ``edits`` is how many a picture gets."""
        features = len(self.feature_pairs) + _FEATURES_COST * len(self.people)
        return len(self.pairs) + features + sum(self.cost(one, edits) for one in self.footage)

    def cost(self, footage: Footage, edits: int) -> float:
        """About how many edits a photo or video is worth."""
        if footage.kind == PHOTO:
            return float(edits)
        shown = min(_SHOWN_FRAMES, self.video.judged)
        judged = len(MOVEMENTS) * self.video.judged + (edits - len(MOVEMENTS)) * shown
        return judged + _FRAME_COST * (self.video.seconds or _LONG_S) * _USUAL_RATE_HZ


@dataclass(frozen=True)
class _Item:
    """What is remembered of one photo or video."""

    facts: FootageFacts
    scores: tuple[EditScore, ...]
    clips: tuple[ClipScore, ...]


class Run:
    """One evaluation into one folder. What is done survives an interruption."""

    def __init__(
        self, converter: FaceConverter, output: Path, eyes: Eyes, likeness: Likeness | None, told: Told
    ) -> None:
        self._converter = converter
        self._output = output
        self._eyes = eyes
        self._likeness = likeness
        self._told = told
        self._memory = Memory(output / ".notes")
        self._done = 0.0
        self.model_sha256 = model_sha256(converter.model)
        self._origin = f"{self.model_sha256} {converter.backend_name} {code_sha256(*_CODE)}"
        self._comment = edit_comment(model=converter.manifest.name, edit="evaluation")

    def rendered(self, plan: Plan, judge: HeadJudge, about: str) -> tuple[Rendered, list[HeadScore]]:
        """All pairs of the plan; ``about`` says what else the scores follow from. Raises `WorkstationError`."""
        assert plan.dataset is not None
        scores: list[HeadScore] = []
        for record, reverse in plan.pairs:
            self._told(self._done, f"rendered {Path(record.file).stem}")
            key = f"{record.file} {reverse} {plan.dataset.root.resolve()} {about} {self._origin}"
            known = self._memory.recall("rendered", key)
            if known is None:
                score = judge.score(plan.dataset, record, reverse=reverse)
                self._memory.remember("rendered", key, {} if score is None else dataclasses.asdict(score))
            else:
                score = from_dict(HeadScore, known) if known else None
            if score is not None:
                scores.append(score)
            self._done += 1.0
        if not scores:
            raise WorkstationError(f"the model finds no face in any held-out pair of {plan.dataset.root}")
        return rendered_of(scores, len(plan.pairs) - len(scores), plan.against), scores

    def features(self, plan: Plan, judge: FeatureJudge) -> tuple[FeatureRow, ...]:
        """Every feature on rendered people and on the photos of the plan."""
        truths = [truth for record in plan.feature_pairs if (truth := self._truth(plan, judge, record)) is not None]
        effects = fit_effects(truths)
        if effects is None or plan.dataset is None:
            return ()
        root = plan.dataset.root
        rendered = [
            a for record in plan.people for a in self._answers(judge, _rendered_picture(root, record), record.file)
        ]
        photos = [footage for footage in plan.footage if footage.kind == PHOTO]
        real = [a for one in photos for a in self._answers(judge, _photo_picture(one), f"{one.name} {one.digest()}")]
        rows = feature_rows(rendered, effects, RENDERED) if rendered else ()
        return rows + (feature_rows(real, effects, REAL) if real else ())

    def feature_sheets(self, plan: Plan, judge: FeatureJudge) -> list[str]:
        """Photos of the plan with every feature, half of the features a sheet; gives the names of the files."""
        names = []
        half = len(FEATURE_NAMES) // 2
        for number, features in enumerate((FEATURE_NAMES[:half], FEATURE_NAMES[half:]), 1):
            found = (self._feature_row(one, judge, features) for one in plan.footage if one.kind == PHOTO)
            rows = list(islice((row for row in found if row is not None), _SHEET_PHOTOS))
            if rows:
                names.append(f"features-{number}.png")
                write_picture(self._output / names[-1], np.concatenate(rows, axis=0), self._comment)
        return names

    def _feature_row(self, footage: Footage, judge: FeatureJudge, features: Sequence[str]) -> Image | None:
        image = read_photo(footage.path).pixels
        face = max(self._converter.find_faces(image), key=lambda one: one.eye_distance_px, default=None)
        if face is None:
            return None
        box = face_box(face, self._converter.manifest.crop, image.shape)
        ends = {feature: judge.ends(feature) for feature in features}
        return feature_tiles(image, box, lambda feature, value: judge.edited(image, face, feature, value), ends)

    def _truth(self, plan: Plan, judge: FeatureJudge, record: PairRecord) -> FeatureTruth | None:
        assert plan.dataset is not None
        self._told(self._done, f"features of {Path(record.file).stem}")
        self._done += 1.0
        key = f"{record.file} {plan.dataset.root.resolve()} {self._origin}"
        known = self._memory.recall("features", key)
        if known is None:
            truth = judge.truth(plan.dataset, record)
            self._memory.remember("features", key, {} if truth is None else dataclasses.asdict(truth))
            return truth
        return from_dict(FeatureTruth, known) if known else None

    def _answers(self, judge: FeatureJudge, read: Callable[[], Image], item: str) -> list[FeatureAnswer]:
        """All features of the largest face of a picture; none where there is no face."""
        self._told(self._done, f"features of {item[:30]}")
        self._done += _FEATURES_COST
        key = f"{item} {self._origin}"
        known = self._memory.recall("feature answers", key)
        if known is None:
            image = read()
            face = max(self._converter.find_faces(image), key=lambda one: one.eye_distance_px, default=None)
            answers = [] if face is None else judge.answers(item, image, face)
            self._memory.remember("feature answers", key, [dataclasses.asdict(answer) for answer in answers])
            return answers
        return [from_dict(FeatureAnswer, answer) for answer in known]

    def real(self, plan: Plan, reference: Reference | None) -> tuple[Real, tuple[SkippedFile, ...]]:
        """All footage of the plan. Raises `InputError` when none of it shows a face."""
        judge = PictureJudge(self._converter, self._eyes, reference, self._likeness)
        asked = wishes(self._converter)
        items, skipped = [], []
        for footage in plan.footage:
            begun = self._done
            try:
                item = self._item(footage, judge, asked, plan, reference)
            except InputError as error:
                skipped.append(SkippedFile(footage.path.name, str(error)))
                continue
            items.append(item)
            self._done = begun + plan.cost(footage, len(asked))
        if not items:
            raise InputError(f"no photo or video can be used; the first: {skipped[0].reason}")
        scores = tuple(score for item in items for score in item.scores)
        clips = tuple(clip for item in items for clip in item.clips)
        facts = tuple(item.facts for item in items)
        return Real(facts, scores, clips, footage_rows(scores), _about(reference)), tuple(skipped)

    def _item(
        self, footage: Footage, judge: PictureJudge, asked: Sequence[Wish], plan: Plan, reference: Reference | None
    ) -> _Item:
        likeness = self._likeness.name if self._likeness else ""
        parts = [footage.name, footage.kind, footage.digest(), likeness, repr(reference), self._origin]
        key = " ".join([*parts, repr(plan.video) if footage.kind == VIDEO else ""])
        known = self._memory.recall(footage.kind, key)
        if known is not None:
            item: _Item = from_dict(_Item, known)
            if all((self._output / score.picture).is_file() for score in item.scores if score.picture):
                return item
        judged = self._photo if footage.kind == PHOTO else self._video
        item = judged(footage, judge, asked, plan)
        self._memory.remember(footage.kind, key, dataclasses.asdict(item))
        return item

    def _photo(self, footage: Footage, judge: PictureJudge, asked: Sequence[Wish], plan: Plan) -> _Item:
        pixels = read_photo(footage.path).pixels
        faces = self._converter.find_faces(pixels)
        if not faces:
            raise InputError(f"{footage.path.name} shows no face that can be found")
        face = max(faces, key=lambda one: one.eye_distance_px)
        subject = Subject(footage.name, PHOTO, 0, pixels, face, measure_face(face))
        scores = self._scores(subject, judge, asked, keep=True)
        height, width = pixels.shape[:2]
        return _Item(FootageFacts(footage.name, PHOTO, width, height, 1, round(face.eye_distance_px, 1)), scores, ())

    def _video(self, footage: Footage, judge: PictureJudge, asked: Sequence[Wish], plan: Plan) -> _Item:
        scores: list[EditScore] = []
        measured = [wish for wish in asked if wish.movement is not None]
        step = max(1, plan.video.judged // _SHOWN_FRAMES)
        seen = 0

        def judged(subject: Subject) -> None:
            nonlocal seen
            keep = seen % step == 0 and seen // step < _SHOWN_FRAMES
            scores.extend(self._scores(subject, judge, asked if keep else measured, keep=keep))
            seen += 1

        def tracked(_: float) -> None:
            self._done += _FRAME_COST
            self._told(self._done, footage.name)

        path = self._output / "videos" / f"{footage.name}.mp4"
        with SideBySide(path, self._comment) as video:
            clip = Clip(judge, asked, video, plan.video.clip_frames)
            facts = walk(footage, self._converter, plan.video, judged, clip, tracked)
        if not scores:
            raise InputError(f"{footage.path.name} shows no face that can be found")
        return _Item(facts, tuple(scores), clip.scores(footage.name))

    def _scores(
        self, subject: Subject, judge: PictureJudge, asked: Sequence[Wish], *, keep: bool
    ) -> tuple[EditScore, ...]:
        scores = []
        box = face_box(subject.face, self._converter.manifest.crop, subject.image.shape)
        for wish in asked:
            self._told(self._done, f"{subject.item} {wish.name}")
            edited = judge.edited(subject, wish)
            name = ""
            if keep:
                frame = f"-{subject.frame:05d}" if subject.kind == VIDEO else ""
                name = f"pairs/{subject.item}{frame}-{wish.name}.jpg"
                write_picture(self._output / name, pair_of(subject.image, edited, box), self._comment)
            scores.append(judge.score(subject, wish, edited, name))
            self._done += 1.0
        return tuple(scores)

    def evaluation(
        self,
        rendered: Rendered | None,
        real: Real | None,
        features: tuple[FeatureRow, ...],
        skipped: tuple[SkippedFile, ...],
        remarks: Sequence[str],
    ) -> Evaluation:
        """Everything put together."""
        manifest = self._converter.manifest
        values = bar_values(rendered, real, manifest.macs_per_frame, features)
        return Evaluation(
            model=manifest.name,
            model_sha256=self.model_sha256,
            precision=f"{manifest.precision} .{self._converter.model.graph_format}",
            tier=manifest.tier,
            model_bytes=_size(self._converter),
            macs_per_frame=manifest.macs_per_frame,
            backend=self._converter.backend_name,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            judges=(self._eyes.name, *((self._likeness.name,) if self._likeness and real else ())),
            rendered=rendered,
            real=real,
            features=features,
            skipped_files=skipped,
            remarks=tuple(remarks),
            bars=make_bars(BARS, values),
        )


def _rendered_picture(root: Path, record: PairRecord) -> Callable[[], Image]:
    return lambda: load_pair(root / record.file).image_a


def _photo_picture(footage: Footage) -> Callable[[], Image]:
    return lambda: read_photo(footage.path).pixels


def _about(reference: Reference | None) -> str:
    if reference is None:
        return ""
    return (
        f"the device's mesh on the true pictures of {reference.pairs} rendered held-out pairs, by least squares: not "
        "on what the model makes of them, so that a weak model does not lower its own bar"
    )


def _size(converter: FaceConverter) -> int:
    path = Path(converter.model.path)
    try:
        return path.stat().st_size
    except OSError as error:
        raise OutputError(f"{path} is gone ({error.strerror}); evaluate a file that stays") from None
