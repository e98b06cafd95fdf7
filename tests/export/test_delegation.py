"""The report says what XNNPACK leaves over; believing it needs a case in which something is."""

from __future__ import annotations

from typing import Any

from export.delegation import Delegation, count


def _node(index: int, name: str, inputs: list[int], outputs: list[int]) -> dict[str, Any]:
    return {"index": index, "op_name": name, "inputs": inputs, "outputs": outputs}


def test_one_operator_between_two_pieces_is_left_over() -> None:
    nodes = [
        _node(0, "FULLY_CONNECTED", [0, 10, -1], [1]),
        _node(1, "ADD", [1, 0], [2]),
        _node(2, "DEPTHWISE_CONV_2D", [2, 11], [3]),
        _node(3, "FULLY_CONNECTED", [3, 12], [4]),
        _node(4, "DELEGATE", [0], [2]),
        _node(5, "DELEGATE", [3], [4]),
    ]
    assert count(nodes) == Delegation(partitions=2, delegated=3, left_over={"DEPTHWISE_CONV_2D": 1})


def test_unpacked_weights_belong_to_the_piece() -> None:
    """fp16 files have a DEQUANTIZE before every weight; it is constant and costs nothing per call."""
    nodes = [
        _node(0, "DEQUANTIZE", [20], [21]),
        _node(1, "FULLY_CONNECTED", [0, 21], [1]),
        _node(2, "DELEGATE", [0], [1]),
    ]
    assert count(nodes) == Delegation(partitions=1, delegated=2, left_over={})


def test_without_a_delegate_all_is_left_over() -> None:
    assert count([_node(0, "ADD", [0, 1], [2])]) == Delegation(partitions=0, delegated=0, left_over={"ADD": 1})
