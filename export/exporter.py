"""One export from a trained voice to finished, proven files: convert, inspect, compare, pack, report.

Everything is made in a hidden folder inside the output folder (so on its disk), and a file gets its final name in one
step after it has passed every gate; an export that is stopped leaves nothing half-written.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.contract import VoiceManifest
from edge_runtime.errors import ChangelingError, OutputError
from edge_runtime.model_file import open_model, write_model
from export import bundle
from export.calibrate import Clip, Step, clip_feeds, join, keras_step, load_clips, roll_out, split_heldout
from export.delegation import DELEGATE_LINE, Delegation, delegation
from export.diagnose import conversion_job, explain
from export.inspect_graph import GraphFacts, read_graph, refusals
from export.listen import Sounds, Spoken, keras_sounds, speak
from export.parity import GraphFile, OutputParity, Reference, latency_us, measure, parity_failures
from export.recipes import Recipe
from export.report import ExportReport, FileReport, scores
from export.subject import FloatArray, Subject
from export.to_tflite import save_step
from export.worker import Job, Outcome, run_jobs

Say = Callable[[str], None]
"""Takes a line of progress."""

LISTEN_CLIPS = 2
"""Test recordings that go into the report as sound."""

_LATENCY_ROUNDS = 40
_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "onnx", "onnxruntime", "tf2onnx", "numpy")


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    output: Path
    recipes: tuple[Recipe, ...]
    compat: str | None = None
    calibration: Path | None = None
    timeout_s: float = 300.0
    """Longest time of one conversion or one comparison."""
    parallel: int = 2


@dataclass(frozen=True)
class Result:
    """What an export made."""

    report: ExportReport
    sounds: tuple[Sounds, ...]
    """The test recordings, by Keras and by every file."""


@dataclass(frozen=True)
class _Stage:
    """What all steps of one export share."""

    run: Subject
    options: Options
    say: Say
    folder: Path
    step: Any
    """keras.Model"""
    keras: Step
    """The same, compiled."""
    draft: VoiceManifest
    calibration: Path
    calibration_names: tuple[str, ...]
    saved_model: Path
    clips: tuple[Clip, ...]
    references: tuple[Path, ...]


@dataclass(frozen=True)
class _Candidate:
    """A file on its way; a step that finds a fault adds it to ``failures`` and later steps leave the file alone."""

    recipe: Recipe
    path: Path
    seconds: float
    failures: tuple[str, ...] = ()
    graph: GraphFile | None = None
    facts: GraphFacts | None = None
    outputs: tuple[OutputParity, ...] = ()
    delegation: Delegation | None = None
    xnnpack: bool | None = None
    size_bytes: int = 0
    sha256: str = ""


def export_run(run: Subject, options: Options, say: Say) -> Result:
    """Export ``run``; files that pass every gate are in ``options.output`` afterwards, the others are not.

    The run's weights are never changed. Raises `WorkstationError`, `InputError` or `OutputError` for what stops the
    whole export; what stops one file is in the report.
    """
    started = time.monotonic()
    folder = _work_folder(options.output)
    try:
        stage = _prepare(run, options, say, folder)
        candidates = _convert(stage)
        candidates = _compare(stage, candidates)
        times = _time(stage, candidates)
        sounds = keras_sounds(run, stage.keras, stage.draft, stage.clips[:LISTEN_CLIPS])
        candidates, spoken = _finish(stage, candidates)
        report = _report(stage, candidates, times, time.monotonic() - started)
        return Result(report, (*sounds, *spoken))
    except OSError as error:
        raise OutputError(f"{options.output} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_name(run: Subject, recipe: Recipe) -> str:
    """``NAME.precision.format``."""
    return f"{run.name}.{recipe.label}"


def _work_folder(output: Path) -> Path:
    try:
        output.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=output, prefix=".export-", suffix=".part"))
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}") from error


def _prepare(run: Subject, options: Options, say: Say, folder: Path) -> _Stage:
    """The step model as a SavedModel, real speech as inputs, and Keras' answers to it."""
    say("reading held-out speech and running Keras on it")
    step = run.step_model()
    draft = bundle.draft_manifest(run, step)
    calibration_paths, test_paths = split_heldout(run.heldout, options.calibration)
    clips = load_clips(test_paths, run)
    shapes = {spec.name: spec.shape for spec in draft.inputs}
    function = keras_step(step)
    references = []
    for i, clip in enumerate(clips):
        reference = Reference(roll_out(function, clip_feeds(clip, shapes)), _offline(run.offline, clip, draft))
        references.append(folder / f"reference{i}.npz")
        reference.save(references[-1])
    calibration = folder / "calibration.npz"
    calibration_clips = load_clips(calibration_paths, run)
    rolled_out = join([roll_out(function, clip_feeds(clip, shapes)) for clip in calibration_clips])
    np.savez(calibration, **rolled_out.feeds)  # type: ignore[arg-type]
    saved_model = folder / "step"
    save_step(step, saved_model)
    names = tuple(path.name for path in calibration_paths)
    return _Stage(
        run,
        options,
        say,
        folder,
        step,
        function,
        draft,
        calibration,
        names,
        saved_model,
        tuple(clips),
        tuple(references),
    )


def _offline(offline: Any, clip: Clip, draft: VoiceManifest) -> dict[str, FloatArray]:
    """The training form's answer (N, C) by name, for the outputs that the step form has too."""
    feeds = {"mel": clip.mel[None], "aux": clip.aux[None], "film": clip.film}
    outputs = offline(feeds, training=False)
    names = {spec.name for spec in draft.outputs}
    return {name: np.asarray(value)[0] for name, value in outputs.items() if name in names}


def _convert(stage: _Stage) -> list[_Candidate]:
    recipes = stage.options.recipes
    stage.say(f"converting to {', '.join(recipe.label for recipe in recipes)}")
    paths = [stage.folder / recipe.label for recipe in recipes]
    jobs = [
        conversion_job(recipe.label, stage.saved_model, recipe, stage.calibration, stage.options.compat, path)
        for recipe, path in zip(recipes, paths, strict=True)
    ]
    outcomes = _run(stage, jobs, "converted")
    return [_converted(stage, *entry) for entry in zip(recipes, paths, outcomes, strict=True)]


def _converted(stage: _Stage, recipe: Recipe, path: Path, outcome: Outcome) -> _Candidate:
    if not outcome.ok:
        stage.say(f"{recipe.label}: looking for the layer at fault")
        compat = stage.options.compat
        reason = explain(outcome, stage.step, recipe, stage.calibration, compat, stage.folder)
        return _Candidate(recipe, path, outcome.seconds, (reason,))
    facts = read_graph(path.read_bytes(), recipe.graph_format)
    found = refusals(facts, recipe, stage.draft.parameters, stage.options.compat)
    graph = GraphFile(recipe.label, str(path), recipe.graph_format, facts.inputs, facts.outputs)
    return _Candidate(recipe, path, outcome.seconds, tuple(found), graph, facts)


def _run(stage: _Stage, jobs: list[Job], done: str) -> list[Outcome]:
    """Run jobs with the options' limits, saying as each ends."""

    def on_end(outcome: Outcome) -> None:
        what = f"{done} in {outcome.seconds:.1f} s" if outcome.ok else f"not {done}: {outcome.failure}"
        stage.say(f"  {outcome.job.name} {what}")

    return run_jobs(jobs, timeout_s=stage.options.timeout_s, parallel=stage.options.parallel, on_end=on_end)


def _compare(stage: _Stage, candidates: list[_Candidate]) -> list[_Candidate]:
    """Parity with Keras and XNNPACK's share, each in a child: an interpreter may die of a bad graph as well."""
    seconds = sum(len(clip.samples) for clip in stage.clips) / stage.draft.front_end.sample_rate_hz
    stage.say(f"comparing with Keras on {seconds:.0f} s of held-out speech")
    references = [str(path) for path in stage.references]
    live = [c for c in candidates if c.graph is not None and not c.failures]
    jobs = [Job(c.recipe.label, measure, (c.graph, references)) for c in live]
    jobs += [Job(c.recipe.label, delegation, (str(c.path),)) for c in live if c.recipe.graph_format == "tflite"]
    outcomes = _run(stage, jobs, "checked")
    return [_compared(c, [o for o in outcomes if o.job.name == c.recipe.label]) for c in candidates]


def _compared(candidate: _Candidate, outcomes: list[Outcome]) -> _Candidate:
    for outcome in outcomes:
        if not outcome.ok:
            reason = f"it cannot be run: {outcome.failure}, {outcome.text}"
            candidate = replace(candidate, failures=(*candidate.failures, reason))
        elif outcome.job.function is measure:
            found = parity_failures(outcome.value, candidate.recipe)
            candidate = replace(candidate, outputs=outcome.value, failures=(*candidate.failures, *found))
        else:
            candidate = replace(candidate, delegation=outcome.value, xnnpack=DELEGATE_LINE in outcome.log)
    return candidate


def _time(stage: _Stage, candidates: list[_Candidate]) -> dict[str, float]:
    """Microseconds of a call by label, of the files that can be run at all."""
    files = [c.graph for c in candidates if c.graph is not None and c.outputs]
    if not files:
        return {}
    job = Job("latency", latency_us, (files, str(stage.references[0]), _LATENCY_ROUNDS))
    outcome = _run(stage, [job], "measured")[0]
    return dict(outcome.value) if outcome.ok else {}


def _finish(stage: _Stage, candidates: list[_Candidate]) -> tuple[list[_Candidate], list[Sounds]]:
    """Pack what has passed, let it speak as a board would, seal it with golden vectors, give it its final name."""
    stage.say("packing and listening")
    golden = _golden_samples(stage)
    clips = stage.clips[:LISTEN_CLIPS]
    passed = [candidate for candidate in candidates if not candidate.failures]
    jobs = [Job(c.recipe.label, speak, (str(_pack(stage, c, None)), golden, clips)) for c in passed]
    outcomes = {outcome.job.name: outcome for outcome in _run(stage, jobs, "heard")}
    finished, sounds = [], []
    for candidate in candidates:
        outcome = outcomes.get(candidate.recipe.label)
        if outcome is not None and outcome.ok:
            spoken = outcome.value
            candidate = _seal(stage, candidate, golden, spoken)
            label = candidate.recipe.label
            sounds += [Sounds(c.name, c.voice, label, s) for c, s in zip(clips, spoken.converted, strict=True)]
        elif outcome is not None:
            reason = f"the finished file does not convert: {outcome.failure}, {outcome.text}"
            candidate = replace(candidate, failures=(*candidate.failures, reason))
        if candidate.failures:
            # an older file of that name would pass for the one that was just refused
            (stage.options.output / file_name(stage.run, candidate.recipe)).unlink(missing_ok=True)
        finished.append(candidate)
    return finished, sounds


def _golden_samples(stage: _Stage) -> FloatArray:
    """The start of the first test recording's clip, whole calls of it."""
    front_end = stage.draft.front_end
    call = front_end.hop_length * stage.draft.timing.chunk_hops
    calls = int(bundle.GOLDEN_SECONDS * front_end.sample_rate_hz) // call
    return stage.clips[0].samples[: calls * call]


def _pack(stage: _Stage, candidate: _Candidate, golden: bytes | None) -> Path:
    """The model file in the working folder, with golden vectors when there are any yet."""
    assert candidate.facts is not None
    graph = candidate.path.read_bytes()
    manifest = bundle.finish_manifest(stage.draft, candidate.recipe, candidate.facts, graph, scores(candidate.outputs))
    files = bundle.associated_files(stage.run, manifest, golden)
    path = stage.folder / file_name(stage.run, candidate.recipe)
    write_model(path, bundle.pack(manifest, candidate.recipe, graph, files))
    return path


def _seal(stage: _Stage, candidate: _Candidate, golden: FloatArray, spoken: Spoken) -> _Candidate:
    """Pack with golden vectors, read it back, move it to its final name."""
    if not all(np.isfinite(values).all() for values in (*spoken.stages.values(), *spoken.converted)):
        return replace(candidate, failures=("the converted sound has values that are not finite",))
    vectors = bundle.golden_vectors(golden, spoken.stages, candidate.recipe.precision)
    path = _pack(stage, candidate, vectors)
    try:
        open_model(path)
        os.replace(path, stage.options.output / path.name)
    except ChangelingError as error:
        return replace(candidate, failures=(str(error),))
    data = (stage.options.output / path.name).read_bytes()
    return replace(candidate, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _report(stage: _Stage, candidates: list[_Candidate], times: dict[str, float], seconds: float) -> ExportReport:
    draft = stage.draft
    return ExportReport(
        name=draft.name,
        created=draft.created,
        generator=draft.generator,
        parameters=draft.parameters,
        macs_per_second=draft.macs_per_second,
        latency_ms=draft.latency_ms,
        chunk_ms=1e3 * draft.timing.chunk_hops * draft.front_end.hop_length / draft.front_end.sample_rate_hz,
        compat=stage.options.compat,
        machine=f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        versions={name: _version(name) for name in _PACKAGES},
        calibration_recordings=stage.calibration_names,
        test_recordings=tuple(clip.name for clip in stage.clips),
        test_seconds=sum(len(clip.samples) for clip in stage.clips) / draft.front_end.sample_rate_hz,
        files=tuple(_file_report(stage, candidate, times) for candidate in candidates),
        seconds=round(seconds, 1),
    )


def _version(package: str) -> str:
    for name in (package, f"{package}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def _file_report(stage: _Stage, candidate: _Candidate, times: dict[str, float]) -> FileReport:
    recipe, facts, share = candidate.recipe, candidate.facts, candidate.delegation
    call_us, fp32_us = times.get(recipe.label), times.get("fp32.tflite")
    heard = [output.name for output in candidate.outputs if not output.is_state]
    return FileReport(
        file_name=file_name(stage.run, recipe),
        precision=recipe.precision,
        graph_format=recipe.graph_format,
        size_bytes=candidate.size_bytes,
        graph_bytes=candidate.path.stat().st_size if candidate.graph is not None else 0,
        sha256=candidate.sha256,
        ops=facts.ops if facts is not None else {},
        xnnpack=candidate.xnnpack,
        partitions=share.partitions if share is not None else None,
        left_over=share.left_over if share is not None else {},
        floors_db={name: recipe.floor_db(name) for name in heard},
        floor_reasons={bound.output: bound.reason for bound in recipe.bounds},
        max_abs_bound=recipe.max_abs,
        outputs=candidate.outputs,
        call_us=call_us,
        ratio_to_fp32=round(call_us / fp32_us, 3) if call_us and fp32_us else None,
        convert_seconds=round(candidate.seconds, 2),
        failures=candidate.failures,
    )
