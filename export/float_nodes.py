"""Which nodes of a graph belong to the layers that quantisation must leave in float.

The converter knows nodes by the name of what they give: the layers that were fused into one, joined by semicolons. What
`keras.ops` adds between layers has a number for a name, and what the graph gives the name of its signature; such a node
is in float where what it reads is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_JOINING: Final = frozenset({"ADD", "MUL", "CONCATENATION", "RESHAPE"})
"""Operators that `keras.ops` makes, and that pass on what the layers before them gave."""
_UNNAMED: Final = re.compile(
    r"(?:^|/)(?:Add|Mul|BiasAdd|concat|Reshape|Squeeze|StatefulPartitionedCall)[_\d]*(?::\d+)?$"
)


@dataclass(frozen=True)
class Node:
    """An operator of a graph."""

    op: str
    """Such as CONV_2D."""
    name: str
    """Of its first output."""
    reads: tuple[str, ...]
    """Names of its inputs."""


def float_nodes(graph: bytes, layers: Sequence[str]) -> set[str]:
    """Names of the nodes of the flatbuffer ``graph`` that ``layers`` (beginnings of names) became."""
    return choose_nodes(_nodes(graph), layers) if layers else set()


def choose_nodes(nodes: Iterable[Node], layers: Sequence[str]) -> set[str]:
    """The same of ``nodes`` in the order in which they run."""
    wanted = re.compile(rf"(?:^|[/;])(?:{'|'.join(map(re.escape, layers))})")
    chosen: set[str] = set()
    for node in nodes:
        joins = node.op in _JOINING and _is_unnamed(node.name)
        if wanted.search(node.name) or (joins and not chosen.isdisjoint(node.reads)):
            chosen.add(node.name)
    return chosen


def _is_unnamed(name: str) -> bool:
    return any(_UNNAMED.search(part) for part in name.split(";"))


def _nodes(graph: bytes) -> list[Node]:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=graph)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    return [
        Node(op["op_name"], names.get(op["outputs"][0], ""), tuple(names.get(i, "") for i in op["inputs"]))
        for op in interpreter._get_ops_details()
        if len(op["outputs"])
    ]
