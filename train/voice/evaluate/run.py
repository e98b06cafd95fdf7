"""Makes every sound, has it judged, and puts the verdicts together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from train.evaluate.results import SkippedFile
from train.voice.evaluate import sounds
from train.voice.evaluate.inputs import Recording
from train.voice.evaluate.measures import Melody, Vector, centroid, cosine, melody, word_errors
from train.voice.evaluate.memory import Hearing
from train.voice.evaluate.results import Evaluation, FileScore, SourceFacts
from train.voice.evaluate.sounds import Job, Made, Maker
from train.voice.evaluate.summarise import bars, summarise

Told = Callable[[float, str], None]
"""Called with the seconds of sound judged so far, and a short note."""


@dataclass(frozen=True)
class Plan:
    """What is to be judged."""

    recordings: tuple[Recording, ...]
    targets: Mapping[str, tuple[Recording, ...]]
    """Held-out recordings by voice; a voice may have none."""
    voices: tuple[str, ...]
    skip: frozenset[str]
    """Measures left out, of `evaluators.MEASURES`."""
    baselines: bool
    """Whether WORLD, copy synthesis and the targets themselves are judged too."""
    skipped_files: tuple[SkippedFile, ...] = ()

    def jobs(self) -> list[Job]:
        """Every sound, recording by recording, so that all that is known of one source is used while it is warm."""
        of_sources = [
            s for s in (sounds.UNCONVERTED, sounds.WORLD, sounds.CONVERTED) if self.baselines or s != sounds.WORLD
        ]
        jobs = [Job(s, voice, r) for r in self.recordings for voice in self.voices for s in of_sources]
        if self.baselines:
            own = [(voice, recording) for voice in self.voices for recording in self.targets.get(voice, ())]
            jobs += [Job(system, *place) for place in own for system in (sounds.TARGET, sounds.COPY)]
        return jobs

    @property
    def seconds(self) -> float:
        """Seconds of sound to be judged."""
        return sum(job.recording.seconds for job in self.jobs())


def evaluate(plan: Plan, maker: Maker, hearing: Hearing, told: Told) -> Evaluation:
    """Do all of it. Raises `ChangelingError`; what was made and judged until then is kept for the next time."""
    judge = _Judge(plan, hearing)
    scores: list[FileScore] = []
    done_s = 0.0
    for job in plan.jobs():
        told(done_s, f"{job.recording.name} {job.system} {job.voice}")
        scores.append(judge.score(job, maker.make(job)))
        done_s += job.recording.seconds
    told(done_s, "")
    return _evaluation(plan, maker, hearing, scores)


class _Judge:
    """Scores one sound after the other against what all need: the centroids."""

    def __init__(self, plan: Plan, hearing: Hearing) -> None:
        self._plan = plan
        self._hearing = hearing
        self._speakers: dict[str, Vector] = {}

    def score(self, job: Job, made: Made) -> FileScore:
        """Everything about one sound."""
        skip, recording = self._plan.skip, job.recording
        moved = job.system not in (sounds.UNCONVERTED, sounds.TARGET)
        text, heard = ("", "") if "words" in skip else self._texts(recording, made)
        return FileScore(
            system=job.system,
            voice=job.voice,
            recording=recording.name,
            audio=made.file,
            seconds=round(recording.seconds, 3),
            to_target=None if "speaker" in skip else self._to_target(job, made),
            to_source=None if "speaker" in skip else self._to_source(job, made),
            words=None if "words" in skip else word_errors(text, heard),
            has_transcript=bool(recording.text),
            heard=heard,
            sound=None if "sound" in skip else self._hearing.quality(made.samples),
            melody=None if "melody" in skip or not moved else self._melody(recording, made),
            silence_dbfs=made.silence_dbfs,
        )

    def _texts(self, recording: Recording, made: Made) -> tuple[str, str]:
        heard = self._hearing.text(made.samples, recording.language)
        return recording.text or self._hearing.text(recording.samples, recording.language), heard

    def _melody(self, recording: Recording, made: Made) -> Melody:
        return melody(self._hearing.f0_hz(recording.samples), self._hearing.f0_hz(made.samples))

    def _to_target(self, job: Job, made: Made) -> float | None:
        held_out = self._plan.targets.get(job.voice, ())
        if job.system in (sounds.TARGET, sounds.COPY):
            # A recording would be close to a centre that it is part of.
            held_out = tuple(other for other in held_out if other is not job.recording)
        return self._to_centre(f"target {job.voice} {job.system} {job.recording.name}", held_out, made)

    def _to_source(self, job: Job, made: Made) -> float | None:
        if job.system in (sounds.TARGET, sounds.COPY):
            return None
        same = tuple(other for other in self._plan.recordings if _same_speaker(other, job.recording))
        return self._to_centre(f"source {job.recording.name}", same, made)

    def _to_centre(self, key: str, others: Sequence[Recording], made: Made) -> float | None:
        if not others:
            return None
        if key not in self._speakers:
            self._speakers[key] = centroid([self._hearing.embedding(other.samples) for other in others])
        return round(cosine(self._hearing.embedding(made.samples), self._speakers[key]), 4)


def _same_speaker(a: Recording, b: Recording) -> bool:
    """In one language: the same person is hardly closer to herself in another than to somebody else."""
    return a is b or (bool(a.speaker) and (a.speaker, a.language) == (b.speaker, b.language))


def _evaluation(plan: Plan, maker: Maker, hearing: Hearing, scores: Sequence[FileScore]) -> Evaluation:
    converter = maker.converter
    manifest = converter.manifest
    facts = tuple(
        SourceFacts(r.name, r.language, r.speaker, r.sex, r.kind, r.text, round(r.seconds, 3)) for r in plan.recordings
    )
    summaries = tuple(summarise(scores, facts, plan.voices))
    return Evaluation(
        model=manifest.name,
        model_sha256=maker.model_sha256,
        precision=f"{manifest.precision} .{converter.model.graph_format}",
        model_bytes=manifest.graph_bytes,
        backend=converter.backend_name,
        latency_ms=manifest.latency_ms,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        voices=plan.voices,
        targets=tuple(voice for voice in plan.voices if plan.targets.get(voice)),
        judges=tuple(sorted(hearing.judges)),
        skipped_measures=tuple(sorted(plan.skip)),
        skipped_files=plan.skipped_files,
        sources=facts,
        scores=tuple(scores),
        summaries=summaries,
        bars=bars(summaries, manifest.latency_ms),
    )
