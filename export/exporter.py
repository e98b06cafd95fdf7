"""One export from a trained model to finished, proven files: convert, inspect, compare, pack, report.

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

from edge_runtime.backends.litert import DELEGATE_LINE
from edge_runtime.errors import ChangelingError, OutputError
from edge_runtime.model_file import open_model, write_model
from export.delegation import Delegation, delegation
from export.diagnose import conversion_job, explain
from export.inspect_graph import GraphFacts, read_graph, refusals
from export.parity import GraphFile, OutputParity, latency_us, measure, parity_failures
from export.recipes import Recipe
from export.report import ExportReport, FileReport, scores
from export.to_tflite import save_step
from export.trial import Evidence, Trial, Tried
from export.worker import Job, Outcome, run_jobs

Say = Callable[[str], None]
"""Takes a line of progress."""

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
    exhibits: tuple[Any, ...]
    """What the report shows: inputs, and what Keras and every file make of them; see `Trial.section`."""


@dataclass(frozen=True)
class _Stage:
    """What all steps of one export share."""

    trial: Trial
    options: Options
    say: Say
    folder: Path
    evidence: Evidence
    calibration: Path
    saved_model: Path
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
    scores: tuple[tuple[str, float], ...] = ()
    """Of the whole path."""


def export_run(trial: Trial, options: Options, say: Say) -> Result:
    """Export ``trial``; files that pass every gate are in ``options.output`` afterwards, the others are not.

    The run's weights are never changed. Raises `WorkstationError`, `InputError` or `OutputError` for what stops the
    whole export; what stops one file is in the report.
    """
    started = time.monotonic()
    folder = _work_folder(options.output)
    try:
        stage = _prepare(trial, options, say, folder)
        candidates = _convert(stage)
        candidates = _compare(stage, candidates)
        times = _time(stage, candidates)
        exhibits = trial.keras_exhibits()
        candidates, shown = _finish(stage, candidates)
        report = _report(stage, candidates, times, time.monotonic() - started)
        return Result(report, (*exhibits, *shown))
    except OSError as error:
        raise OutputError(f"{options.output} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_name(trial: Trial, recipe: Recipe) -> str:
    """``NAME.precision.format``."""
    return f"{trial.name}.{recipe.label}"


def _work_folder(output: Path) -> Path:
    try:
        output.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=output, prefix=".export-", suffix=".part"))
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}") from error


def _prepare(trial: Trial, options: Options, say: Say, folder: Path) -> _Stage:
    """The model as a SavedModel, real inputs, and Keras' answers to them."""
    say("running Keras on what was held out")
    evidence = trial.evidence(options.calibration)
    references = []
    for i, reference in enumerate(evidence.references):
        references.append(folder / f"reference{i}.npz")
        reference.save(references[-1])
    calibration = folder / "calibration.npz"
    np.savez(calibration, **evidence.calibration)  # type: ignore[arg-type]
    saved_model = folder / "step"
    save_step(trial.step, saved_model)
    return _Stage(trial, options, say, folder, evidence, calibration, saved_model, tuple(references))


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
        reason = explain(outcome, stage.trial.step, recipe, stage.calibration, compat, stage.folder)
        return _Candidate(recipe, path, outcome.seconds, (reason,))
    facts = read_graph(path.read_bytes(), recipe.graph_format)
    found = refusals(facts, recipe, stage.trial.draft.parameters, stage.options.compat)
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
    stage.say(f"comparing with Keras on {stage.evidence.amount}")
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


def _finish(stage: _Stage, candidates: list[_Candidate]) -> tuple[list[_Candidate], list[Any]]:
    """Pack what has passed, run it as a board would, seal it with golden vectors, give it its final name."""
    stage.say("packing and trying")
    passed = [candidate for candidate in candidates if not candidate.failures]
    jobs = [stage.trial.job(c.recipe.label, _pack(stage, c, None)) for c in passed]
    outcomes = {outcome.job.name: outcome for outcome in _run(stage, jobs, "tried")}
    finished, exhibits = [], []
    for candidate in candidates:
        outcome = outcomes.get(candidate.recipe.label)
        if outcome is not None and outcome.ok:
            candidate = _seal(stage, candidate, outcome.value)
            exhibits += stage.trial.exhibits(candidate.recipe.label, outcome.value)
        elif outcome is not None:
            reason = f"the finished file does not convert: {outcome.failure}, {outcome.text}"
            candidate = replace(candidate, failures=(*candidate.failures, reason))
        if candidate.failures:
            # an older file of that name would pass for the one that was just refused
            (stage.options.output / file_name(stage.trial, candidate.recipe)).unlink(missing_ok=True)
        finished.append(candidate)
    return finished, exhibits


def _pack(stage: _Stage, candidate: _Candidate, tried: Tried | None) -> Path:
    """The model file in the working folder, with golden vectors when there are any yet."""
    assert candidate.facts is not None
    graph = candidate.path.read_bytes()
    found = scores(candidate.outputs) | dict(candidate.scores)
    stages = None if tried is None else tried.stages
    packed = stage.trial.pack(candidate.recipe, candidate.facts, graph, found, stages)
    path = stage.folder / file_name(stage.trial, candidate.recipe)
    write_model(path, packed)
    return path


def _seal(stage: _Stage, candidate: _Candidate, tried: Tried) -> _Candidate:
    """Judge the whole path, pack with golden vectors, read it back, move it to its final name."""
    if not all(np.isfinite(values).all() for values in (*tried.stages.values(), *tried.shown)):
        return replace(candidate, failures=("what it converts has values that are not finite",))
    found = stage.trial.scores(tried)
    candidate = replace(candidate, scores=tuple(found.items()))
    complaints = [tried.complaint] if tried.complaint else []
    if complaints := complaints + stage.trial.complaints(candidate.recipe, found):
        return replace(candidate, failures=tuple(complaints))
    path = _pack(stage, candidate, tried)
    try:
        open_model(path)
        os.replace(path, stage.options.output / path.name)
    except ChangelingError as error:
        return replace(candidate, failures=(str(error),))
    data = (stage.options.output / path.name).read_bytes()
    return replace(candidate, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _report(stage: _Stage, candidates: list[_Candidate], times: dict[str, float], seconds: float) -> ExportReport:
    draft = stage.trial.draft
    return ExportReport(
        name=draft.name,
        kind=draft.kind,
        created=draft.created,
        generator=draft.generator,
        parameters=draft.parameters,
        effort=stage.trial.effort,
        figures=stage.trial.figures,
        compat=stage.options.compat,
        machine=f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        versions={name: _version(name) for name in _PACKAGES},
        calibrated_on=stage.evidence.calibration_names,
        tested_on=stage.evidence.test_names,
        test_amount=stage.evidence.amount,
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
        file_name=file_name(stage.trial, recipe),
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
        scores=dict(candidate.scores),
        call_us=call_us,
        ratio_to_fp32=round(call_us / fp32_us, 3) if call_us and fp32_us else None,
        convert_seconds=round(candidate.seconds, 2),
        failures=candidate.failures,
    )
