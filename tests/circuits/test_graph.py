"""Order, shapes and structure."""

import pytest
from hypothesis import given, settings

import counterstream as cs
from counterstream.circuits.graph import build_graph
from counterstream.testing.strategies import circuits


def graph_of(text: str) -> object:
    return build_graph(cs.loads(text))


@given(circuits())
@settings(max_examples=40)
def test_order_and_shapes(circuit: cs.Circuit) -> None:
    graph = build_graph(cs.expand(circuit))
    for stream in (graph.forward, graph.feedback):
        place = {name: index for index, name in enumerate(stream)}
        for p in graph.projections.values():
            if p.source in place and p.target in place:
                assert place[p.source] < place[p.target]
            else:  # from stream to stream: a target that is sent
                assert (p.source in place) == (p.target in place) or graph.populations[p.source].target is not None
    for label, geometry in graph.geometries.items():
        p = graph.projections[label]
        ends = (graph.shapes[p.source], graph.shapes[p.target])
        assert ends == ((geometry.lower, geometry.upper) if p.reverse_of is None else (geometry.upper, geometry.lower))
    assert all(graph.shapes[name] == graph.shapes[partner] for name, partner in graph.partners.items())


def test_concatenation_by_channel_ranges_needs_no_declared_shape() -> None:
    graph = graph_of("""
populations: {x: {input: [3, 2, 2]}, both: {}, part: {}}
projections:
  - {name: low, from: x, to: both, wiring: {one_to_one: {target: [0, 3]}}}
  - {name: high, from: x, to: both, wiring: {one_to_one: {source: [1, 3], target: [3, 5]}}}
  - {from: both, to: part, wiring: {one_to_one: {source: [2, 4]}}}
""")
    assert graph.shapes["both"] == (5, 2, 2)
    assert graph.shapes["part"] == (2, 2, 2)


@pytest.mark.parametrize(
    ("population", "gain", "bias"),
    [
        ("{}", False, False),
        ("{transfer: relu}", False, True),
        ("{transfer: relu, bias: false}", False, False),
        ("{bias: true}", False, True),
        ("{normalize: batch}", True, True),
        ("{normalize: batch, gain: false}", False, True),
        ("{loss: squared}", False, True),
    ],
)
def test_who_has_gains_and_biases(population: str, gain: bool, bias: bool) -> None:
    text = f"populations: {{x: {{input: 3}}, h: {population}}}\n"
    graph = graph_of(text + "projections: [{from: x, to: h, wiring: {dense: {size: 2}}}]")
    assert (graph.has_gain("h"), graph.has_bias("h")) == (gain, bias)


def test_no_bias_where_nothing_weighted_arrives() -> None:
    graph = graph_of(
        "populations: {x: {input: 3}, h: {transfer: relu}}\nprojections: [{from: x, to: h, wiring: flatten}]"
    )
    assert not graph.has_bias("h")
    assert not graph.learns("h")


def test_fan_in_must_agree() -> None:
    text = """
populations: {x: {input: [1, 6, 6]}, h: {}}
projections:
  - {name: a, from: x, to: h, wiring: {conv: {channels: 2, kernel: 3}}}
  - {name: b, from: x, to: h, wiring: {conv: {channels: 2, kernel: 3, stride: 2}}}
"""
    with pytest.raises(cs.CircuitError, match=r"'h' has shape \[2, 6, 6\] \(as the other .*'b' gives \[2, 3, 3\]"):
        cs.loads(text)


def test_a_thousand_populations_are_ordered_soon() -> None:
    import time

    lines = ["populations:", "  p0: {input: 3}", *(f"  p{i}: {{}}" for i in range(1, 1001)), "projections:"]
    lines += [f"  - {{from: p{i}, to: p{i + 1}, wiring: one_to_one}}" for i in range(1000)]
    began = time.process_time()
    assert len(graph_of("\n".join(lines)).forward) == 1001
    assert time.process_time() - began < 2
