"""Names the layer on which a conversion died.

A converter that refuses says where in its message. One that crashes or hangs says nothing, so the model is cut off
after ever fewer operations and converted again in a child, by bisection, until the first operation that kills it is
found.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.recipes import Recipe
from export.to_onnx import convert as convert_to_onnx
from export.to_tflite import convert as convert_to_tflite
from export.to_tflite import save_step
from export.worker import Job, Outcome, run_jobs

_LOCATION = re.compile(r'"([^"@]+)@[^"]*"')
_OPERATION = re.compile(r"'tf\.\w+' op is [^\n]+")
_PROBE_TIMEOUT_S = 60.0
_RECURRENT = ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional")


def conversion_job(
    name: str, saved_model: Path, recipe: Recipe, calibration: Path, compat: str | None, to: Path
) -> Job:
    """The job that converts ``saved_model`` by ``recipe`` into the file ``to``."""
    if recipe.graph_format == "onnx":
        return Job(name, convert_to_onnx, (str(saved_model), str(to)))
    return Job(name, convert_to_tflite, (str(saved_model), recipe, str(calibration), compat, str(to)))


def explain(outcome: Outcome, step: Any, recipe: Recipe, calibration: Path, compat: str | None, folder: Path) -> str:
    """One line on why ``outcome`` is a failure, with the layer of ``step`` that is at fault where it can be found.

    ``folder`` is for scratch files.
    """
    if outcome.failure == "error":
        what = f"the converter refused ({_first_line(outcome.text)})"
        if layer := _layer_in_text(outcome.text, step):
            return f"{what} at layer '{layer}'"
    elif outcome.failure == "crash":
        what = f"the converter crashed ({outcome.text})"
    else:
        what = f"the converter hung ({outcome.text})"
    timeout_s = min(_PROBE_TIMEOUT_S, max(10.0, 2.0 * outcome.seconds))
    operation = first_fatal_operation(step, recipe, calibration, compat, folder, timeout_s)
    kind = type(operation).__name__
    advice = "; build it with unroll=True, or replace it by causal convolutions" if kind in _RECURRENT else ""
    return f"{what} at layer '{operation.name}' ({kind}){advice}"


def _first_line(text: str) -> str:
    """What a converter's message comes down to."""
    if operation := _OPERATION.search(text):
        return operation[0]
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return line if len(line) <= 200 else line[:197] + "..."


def _layer_in_text(text: str, step: Any) -> str | None:
    """The first operation of ``step`` that the locations in a converter's message name, if any."""
    names = {operation.name for operation in step.operations}
    return next((part for part in _location_parts(text) if part in names), None)


def _location_parts(text: str) -> list[str]:
    """Path components of all locations, as they are and without the number that tracing adds to a name."""
    parts = [part for path in _LOCATION.findall(text) for part in path.split("/")]
    return [name for part in parts for name in (part, re.sub(r"_\d+$", "", part))]


def first_fatal_operation(
    step: Any, recipe: Recipe, calibration: Path, compat: str | None, folder: Path, timeout_s: float
) -> Any:
    """The first operation (keras.Operation) with which the conversion fails, given that it fails with all of them."""
    operations = [operation for operation in step.operations if type(operation).__name__ != "InputLayer"]
    good, bad = 0, len(operations)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _dies(step, operations[:middle], recipe, calibration, compat, folder, timeout_s):
            bad = middle
        else:
            good = middle
    return operations[bad - 1]


def _dies(
    step: Any,
    operations: Sequence[Any],
    recipe: Recipe,
    calibration: Path,
    compat: str | None,
    folder: Path,
    timeout_s: float,
) -> bool:
    """Whether the conversion of the model cut off after ``operations`` does not come back with a file."""
    probe, feeds, target = folder / "probe", folder / "probe.npz", folder / "probe.out"
    model = _cut(step, operations)
    try:
        save_step(model, probe)
        with np.load(calibration, allow_pickle=False) as arrays:
            np.savez(feeds, **{name: arrays[name] for name in model.input})
        job = conversion_job("probe", probe, recipe, feeds, compat, target)
        return not run_jobs([job], timeout_s=timeout_s)[0].ok
    finally:
        shutil.rmtree(probe, ignore_errors=True)
        feeds.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def _cut(step: Any, operations: Sequence[Any]) -> Any:
    """A keras.Model of the given leading operations of ``step``; outputs are what none of them consumes."""
    import keras

    consumed = {id(tensor) for operation in operations for tensor in keras.tree.flatten(operation.input)}
    made = [tensor for operation in operations for tensor in keras.tree.flatten(operation.output)]
    outputs = {f"cut{i}": tensor for i, tensor in enumerate(made) if id(tensor) not in consumed}
    inputs = {name: tensor for name, tensor in step.input.items() if id(tensor) in consumed}
    return keras.Model(inputs, outputs, name="cut")
