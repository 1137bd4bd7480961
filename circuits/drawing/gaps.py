"""The room between the nodes of a block: which lanes its lines take, how high each gap is, where each line turns.

Lines between neighbours run straight down the middle of their stream. All others leave at the trunk, run beside the
boxes in a lane, one lane for all that one axon feeds, and come back at their end. Rows are counted from 0, the upper
border of the block; gap g lies between the rows g and g + 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .routes import Edge

LINE = 12.5
"""Height of a line of a label."""
LEAST, LABELED = 22.0, 40.0
"""Heights of a gap, without and with a label at its straight lines."""
BRANCH, ARRIVAL, CROWD = 13.0, 9.0, 10.0
"""What a line that turns adds: the first at a row, each further one, and beside a label."""
HEADER = 18.0
"""Room for the name of a block, below its upper border."""


@dataclass
class Bundle:
    """The lines that leave one row in one direction by a lane."""

    feedback: bool
    trunk: int
    down: bool
    edges: list[Edge] = field(default_factory=list)
    lane: int = 0

    @property
    def gaps(self) -> range:
        """The gaps that its lane passes."""
        far = [edge.end for edge in self.edges]
        return range(self.trunk, max(far)) if self.down else range(min(far), self.trunk)


@dataclass(frozen=True)
class Bend:
    """Where a line turns: so far from the edge of its row. `rank`: how many others arrive nearer to the middle;
    `middle`: none does, and it comes down the middle itself."""

    distance: float
    rank: int = 0
    middle: bool = False


@dataclass(frozen=True)
class Plan:
    """The room in one block."""

    heights: tuple[float, ...]
    bundles: tuple[Bundle, ...]
    lanes: tuple[int, int]
    """The number of lanes beside either stream, forward first."""
    branches: Mapping[int, Bend]
    """id of a bundle -> where its lane leaves the trunk."""
    arrivals: Mapping[int, Bend]
    """id of an edge -> where it leaves its lane."""

    crowded: tuple[float, ...]
    """By gap: how far labels of straight lines move down (negative: up), out of the way of what leaves by a lane."""


def plan(edges: Sequence[Edge], count: int, lines: Callable[[Edge], int], *, root: bool) -> Plan:
    """Lay out the gaps of a block of `count` nodes. `lines`: how many lines of text the label of a line has."""
    planner = _Planner(edges, lines)
    heights = [planner.height(gap, count, root) for gap in range(count + 1)]
    forward, feedback = (
        max((bundle.lane + 1 for bundle in planner.bundles if bundle.feedback == stream), default=0)
        for stream in (False, True)
    )
    crowded = tuple(map(planner.crowded, range(count + 1)))
    bundles = tuple(planner.bundles)
    return Plan(tuple(heights), bundles, (forward, feedback), planner.branches, planner.arrivals, crowded)


class _Planner:
    def __init__(self, edges: Sequence[Edge], lines: Callable[[Edge], int]) -> None:
        self.lines = lines
        self.bundles = _bundles(edges)
        self.branches: dict[int, Bend] = {}
        self.arrivals: dict[int, Bend] = {}
        self.straight: dict[int, list[Edge]] = {}
        self.leaving: dict[tuple[int, bool], list[Bundle]] = {}
        """(row, downward) -> the bundles whose trunk it is."""
        self.arriving: dict[tuple[int, bool], list[tuple[Bundle, Edge]]] = {}
        """(row, downward) -> the lines that end there, with their bundles."""
        for edge in edges:
            if edge.straight:
                self.straight.setdefault(edge.rows[0], []).append(edge)
        for bundle in self.bundles:
            self.leaving.setdefault((bundle.trunk, bundle.down), []).append(bundle)
            for edge in bundle.edges:
                self.arriving.setdefault((edge.end, bundle.down), []).append((bundle, edge))

    def height(self, gap: int, count: int, root: bool) -> float:
        """The height of a gap. On the way, everything that turns in it gets its place."""
        if root and gap in (0, count):
            return 0.0
        header = HEADER if gap == 0 else 0.0
        turning = max(
            self._stack(gap, gap, True, stream, header) + self._stack(gap, gap + 1, False, stream, 0.0)
            for stream in (False, True)
        )
        text = max((self.lines(edge) for edge in self.straight.get(gap, ())), default=0)
        label = LABELED + LINE * max(text - 2, 0) + abs(self.crowded(gap)) if text else 0.0
        least = LEAST if 0 < gap < count else LEAST / 2
        return max(header + max(least, label), turning + ARRIVAL if turning > header else 0.0)

    def crowded(self, gap: int) -> float:
        """See `Plan.crowded`."""
        return CROWD * (((gap, True) in self.leaving) - ((gap + 1, False) in self.leaving))

    def _stack(self, gap: int, row: int, below: bool, feedback: bool, start: float) -> float:
        """Stack what turns at one side of a gap, under its upper row (`below`) or over its lower one, from `start` on.
        Returns the room it needs."""
        ends = [end for end in self.arriving.get((row, not below), ()) if end[0].feedback == feedback]
        ends.sort(key=lambda end: (-end[0].lane, end[1].trunk))  # outer lanes stay next to the row
        straight = any(edge.feedback == feedback for edge in self.straight.get(gap, ()))
        distance = start
        for index, (_, edge) in enumerate(ends):
            lines, rank = self.lines(edge), len(ends) - 1 - index
            text = LINE * lines + 4 if lines else 0.0
            distance += (ARRIVAL if index else BRANCH) + (text if below else 0.0)
            self.arrivals[id(edge)] = Bend(distance, rank, middle=not straight and rank == 0)
            distance += 0.0 if below else text
        trunks = [bundle for bundle in self.leaving.get((row, below), ()) if bundle.feedback == feedback]
        distance += (ARRIVAL if ends else BRANCH) if trunks else 0.0
        self.branches.update({id(bundle): Bend(distance) for bundle in trunks})
        return distance


def _bundles(edges: Sequence[Edge]) -> list[Bundle]:
    """The lines that take lanes, by trunk, each in the innermost lane that is free all its way; short ones first."""
    found: dict[tuple[bool, int, bool, bool], Bundle] = {}
    for edge in edges:
        if not edge.straight:
            down = edge.end > edge.trunk
            key = (edge.feedback, edge.trunk, down, edge.reverse)
            found.setdefault(key, Bundle(edge.feedback, edge.trunk, down)).edges.append(edge)
    bundles = sorted(found.values(), key=lambda b: (len(b.gaps), b.gaps.start, b.feedback))
    taken: set[tuple[bool, int, int]] = set()
    for bundle in bundles:
        while any((bundle.feedback, bundle.lane, gap) in taken for gap in bundle.gaps):
            bundle.lane += 1
        taken |= {(bundle.feedback, bundle.lane, gap) for gap in bundle.gaps}
    return bundles
