"""Topological order: sources first, ties by declaration; a cycle is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.circuits.topology import CycleError, topological_order

EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)
NODES = [str(number) for number in range(8)]


def outcome(edges: list[tuple[str, str]]) -> tuple[str, ...] | CycleError:
    try:
        return topological_order(NODES, edges)
    except CycleError as error:
        return error


@given(EDGES)
def test_either_an_order_or_a_cycle(pairs: list[tuple[int, int]]) -> None:
    edges = [(str(source), str(target)) for source, target in pairs]
    found = outcome(edges)
    if isinstance(found, CycleError):
        assert set(zip(found.cycle, (*found.cycle[1:], found.cycle[0]), strict=True)) <= set(edges)
        assert len(set(found.cycle)) == len(found.cycle)
    else:
        assert sorted(found) == NODES
        assert all(found.index(source) < found.index(target) for source, target in edges)


@given(EDGES)
def test_nodes_in_order_keep_it(pairs: list[tuple[int, int]]) -> None:
    edges = [(str(source), str(target)) for source, target in pairs if source < target]
    assert topological_order(NODES, edges) == tuple(NODES)


def test_a_cycle_begins_where_the_declaration_does() -> None:
    with pytest.raises(CycleError, match=r"^b -> c -> d -> b$"):
        topological_order("abcde", [("a", "b"), ("d", "b"), ("b", "c"), ("c", "d"), ("d", "e")])
