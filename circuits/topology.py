"""Topological order, and the cycle that stands in its way. networkx finds both; it loads when it is first needed."""

from collections.abc import Collection, Iterable
from typing import Any


class CycleError(ValueError):
    """There is no order. `cycle`: nodes, each with an edge to the next, and the last with one to the first."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(" -> ".join((*cycle, cycle[0])))
        self.cycle = cycle


def topological_order(nodes: Collection[str], edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The nodes, sources first; of those that could be next, always the one that stands first in `nodes`.

    >>> topological_order("abcd", [("d", "a"), ("a", "b"), ("c", "b")])
    ('c', 'd', 'a', 'b')
    """
    import networkx  # here, because it takes 0.2 s to load

    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    place = {node: index for index, node in enumerate(nodes)}
    try:
        return tuple(networkx.lexicographical_topological_sort(graph, key=place.__getitem__))
    except networkx.NetworkXUnfeasible:
        raise CycleError(tuple(edge[0] for edge in networkx.find_cycle(graph))) from None
