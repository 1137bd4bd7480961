"""Which lines run between the nodes of each block, and through its upper and lower border.

A projection runs from its trunk, where the axon leaves its neuron, to its end, where the synapse is. On the way it
passes the borders of the blocks around either; its synapse is shown in the innermost block around its end. A reverse
is drawn as the mirror image of its original, so its trunk is where it arrives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .outline import Node, Outline

Chain = tuple[tuple[str, int], ...]
"""From the root down to a population: (path of a block, row within it)."""


@dataclass
class Edge:
    """A line between two rows of one block. Row 0 is the block's upper border, 1 its first node, and so on down to its
    lower border."""

    feedback: bool
    trunk: int
    end: int
    reverse: bool
    """Signals run from the end to the trunk."""
    labels: list[str] = field(default_factory=list)
    """The projections whose synapses are at its end; none where it leads on through a border."""
    within: list[str] = field(default_factory=list)
    """The projections whose synapses are inside of the block at its end."""

    @property
    def rows(self) -> tuple[int, int]:
        """(upper, lower)"""
        return min(self.trunk, self.end), max(self.trunk, self.end)

    @property
    def target(self) -> int:
        """The row that signals run to."""
        return self.trunk if self.reverse else self.end

    @property
    def straight(self) -> bool:
        """Between rows with nothing in between."""
        return abs(self.trunk - self.end) == 1


def routes(outline: Outline) -> Mapping[str, list[Edge]]:
    """Path of each block -> the lines in it, in the order of the circuit's projections."""
    return _Router(outline).routes()


class _Router:
    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.chains: dict[str, Chain] = {}
        self.rows: dict[str, int] = {}
        self._descend(outline.root, ())
        self.found: dict[str, dict[tuple[bool, int, int, bool], Edge]] = {}

    def _descend(self, block: Node, chain: Chain) -> None:
        self.rows[block.path] = len(block.children)
        for row, child in enumerate(block.children, start=1):
            place = (*chain, (block.path, row))
            if child.population is not None:
                self.chains[child.population] = place
            else:
                self._descend(child, place)

    def routes(self) -> Mapping[str, list[Edge]]:
        graph = self.outline.graph
        for label in self.outline.labels:
            projection, back = graph.projections[label], graph.is_feedback(label)
            ends = [self._drawn(name) for name in (projection.source, projection.target)]
            reverse = projection.reverse_of is not None
            trunk, end = reversed(ends) if reverse else ends
            if trunk != end:
                self._lay(label, self.chains[trunk], self.chains[end], (back, reverse))
        return {path: list(edges.values()) for path, edges in self.found.items()}

    def _drawn(self, population: str) -> str:
        graph = self.outline.graph
        return self.outline.stands_for[graph.populations[population].partner or population]

    def _lay(self, label: str, trunk: Chain, end: Chain, kind: tuple[bool, bool]) -> None:
        common = next(level for level, (one, other) in enumerate(zip(trunk, end, strict=False)) if one[1] != other[1])
        block, start = trunk[common]
        stop = end[common][1]
        down = start < stop
        last = self._edge(block, start, stop, kind)
        for around, row in trunk[common + 1 :]:
            self._edge(around, row, self.rows[around] + 1 if down else 0, kind)
        for around, row in end[common + 1 :]:
            last.within.append(label)
            last = self._edge(around, 0 if down else self.rows[around] + 1, row, kind)
        last.labels.append(label)

    def _edge(self, block: str, trunk: int, end: int, kind: tuple[bool, bool]) -> Edge:
        back, reverse = kind
        edges = self.found.setdefault(block, {})
        return edges.setdefault((back, trunk, end, reverse), Edge(back, trunk, end, reverse))
