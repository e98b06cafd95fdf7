"""How much of a TFLite graph XNNPACK takes over: what it leaves runs in slower kernels and cuts the graph in pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Delegation:
    """Result of `delegation`."""

    partitions: int
    """Pieces that XNNPACK runs; 1 is best."""
    delegated: int
    """Operators inside those pieces."""
    left_over: dict[str, int]
    """Operators that stay with the built-in kernels, and how often."""


def delegation(graph_path: str) -> Delegation:
    """Load the graph with one thread and look at the plan; runs in a child process, whose log tells of XNNPACK."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=Path(graph_path).read_bytes(), num_threads=1)
    interpreter.allocate_tensors()
    return count(interpreter._get_ops_details())


def count(nodes: Sequence[Mapping[str, Any]]) -> Delegation:
    """Sort the interpreter's nodes (index, op_name, inputs, outputs) into what delegates replaced and what is left.

    The interpreter lists replaced operators beside the delegates, so each delegate's piece is found by walking back
    from its outputs to its inputs.
    """
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    others = [node for node in nodes if node["op_name"] != "DELEGATE"]
    producers = {int(output): node for node in others for output in node["outputs"]}
    inside = {index for delegate in delegates for index in _partition(delegate, producers)}
    left_over = Counter(node["op_name"] for node in others if node["index"] not in inside)
    return Delegation(len(delegates), len(inside), dict(sorted(left_over.items())))


def _partition(delegate: Mapping[str, Any], producers: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Indices of the operators that ``delegate`` replaced."""
    border = {int(tensor) for tensor in delegate["inputs"]}
    waiting = [int(tensor) for tensor in delegate["outputs"]]
    found: set[int] = set()
    while waiting:
        tensor = waiting.pop()
        node = producers.get(tensor)
        if tensor in border or node is None or node["index"] in found:
            continue
        found.add(node["index"])
        waiting += [int(source) for source in node["inputs"] if source >= 0]
    return found
