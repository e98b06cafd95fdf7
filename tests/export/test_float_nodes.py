"""Layers that stay in float are found in the graph, with what lies between them; all else is left to be quantised."""

from __future__ import annotations

from export.float_nodes import Node, choose_nodes, float_nodes

GRAPH = (
    Node("FULLY_CONNECTED", "net/head_gain_1/MatMul;net/head_gain_1/BiasAdd", ("delta",)),
    Node("RESHAPE", "net/Squeeze_16", ("net/head_gain_1/MatMul;net/head_gain_1/BiasAdd",)),
    Node("CONV_2D", "net/trunk_1/convolution;net/trunk_norm_1/sub", ("image",)),
    Node("CONCATENATION", "net/concat_4", ("net/trunk_1/convolution;net/trunk_norm_1/sub", "image")),
    Node("CONV_2D", "net/head_1/convolution", ("net/concat_4",)),
    Node("MUL", "net/Mul_22;net/Reshape_32", ("net/head_1/convolution", "net/Squeeze_16")),
    Node("TANH", "net/head_out_1/Tanh", ("net/Mul_22;net/Reshape_32",)),
    Node("MUL", "StatefulPartitionedCall_1:3", ("net/head_out_1/Tanh", "amount")),
    Node("CONV_2D", "net/forehead_1/convolution", ("net/head_1/convolution",)),
)


def test_a_layer_and_what_joins_it_stay_in_float() -> None:
    chosen = choose_nodes(GRAPH, ("head_",))
    assert [node.name for node in GRAPH if node.name not in chosen] == [
        "net/trunk_1/convolution;net/trunk_norm_1/sub",
        "net/concat_4",
        "net/forehead_1/convolution",
    ]


def test_a_join_of_layers_in_integers_stays_in_integers() -> None:
    assert choose_nodes(GRAPH, ("forehead",)) == {"net/forehead_1/convolution"}


def test_without_layers_the_graph_is_not_even_read() -> None:
    assert float_nodes(b"no graph", ()) == set()
