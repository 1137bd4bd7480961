"""The lines of one block: straight ones between neighbours, and those that run beside the boxes in lanes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from . import crosses
from .cards import arrowhead
from .gaps import HEADER, Bend, Bundle, Plan
from .grid import Grid, moved
from .labels import Labels
from .marks import Mark
from .outline import Node
from .routes import Edge
from .scene import At, Group, Rectangle, Shape, When, Wire

THICK, THIN = 2.0, 1.3
"""Lines with weights, and without."""
APART, STEP, NEAR = 22.0, 12.0, 18.0
"""From the middle of a box to where the first line from a lane arrives, from that to the next, and to its label."""


def wires(grid: Grid, labels: Labels, block: Node, edges: Sequence[Edge], plan: Plan) -> Iterator[Wire | Group]:
    """Everything that runs between the rows of a block, with its labels."""
    return _Wires(grid, labels, block, edges, plan).all()


@dataclass(frozen=True)
class _Wires:
    grid: Grid
    labels: Labels
    block: Node
    edges: Sequence[Edge]
    plan: Plan

    def all(self) -> Iterator[Wire | Group]:
        for edge in self.edges:
            if edge.straight:
                yield from self._straight(edge)
        for bundle in self.plan.bundles:
            yield from self._bundle(bundle)

    @cached_property
    def when(self) -> When:
        return When(self.grid.index[self.block.path])

    @property
    def ground(self) -> str:
        """The color behind everything here."""
        return "block_fill" if self.block.path else "page"

    def _line(self, edge: Edge, points: tuple[tuple[float, At], ...], mark: Mark) -> Wire:
        thickness = THICK if mark.weighted else THIN
        return Wire(points=points, color=mark.color, thickness=thickness, when=self.when, tip=self.labels.tip(edge))

    def _near(self, gap: int, feedback: bool) -> list[Edge]:
        """The straight lines of a stream in a gap: one or two."""
        return self._straight_ones.get((gap, feedback), [])

    @cached_property
    def _straight_ones(self) -> dict[tuple[int, bool], list[Edge]]:
        found: dict[tuple[int, bool], list[Edge]] = {}
        for edge in self.edges:
            if edge.straight:
                found.setdefault((edge.rows[0], edge.feedback), []).append(edge)
        return found

    # ---- straight lines

    def _straight(self, edge: Edge) -> Iterator[Wire | Group]:
        upper, lower = edge.rows
        top, bottom = self.grid.edge(self.block, upper, below=True), self.grid.edge(self.block, lower, below=False)
        x, mark = self.grid.column(edge.feedback), self.labels.mark(edge)
        yield self._line(edge, ((x, top), (x, bottom)), mark)
        yield from self._head(edge.target, x, edge.target == lower, mark.color)
        if label := self.labels.of(edge):
            free = self.plan.heights[upper] - (HEADER if upper == 0 else 0.0)
            at = moved(bottom, (self.plan.crowded[upper] - free) / 2)
            inner, transports = -1.0 if edge.feedback else 1.0, list(self._transports(edge.rows[0]))
            shapes = tuple(label.beside(x, inner, above=bool(transports), halo=self.ground))
            yield Group(at=at, shapes=shapes, when=self.when, tip=self.labels.tip(edge))
            if edge.feedback and transports:
                yield self._transport(edge, transports[0], at)

    def _transports(self, gap: int) -> Iterator[tuple[str, str]]:
        """(projection, reverse) for every straight forward projection in a gap from which its reverse takes weights."""
        forward = {label for edge in self._near(gap, False) for label in edge.labels}
        for edge in self._near(gap, True):
            for label in edge.labels:
                tie = self.labels.marks.graph.projections[label].tie
                if tie and tie.owner in forward and label in self.labels.marks.transported:
                    yield tie.owner, label

    def _transport(self, edge: Edge, pair: tuple[str, str], at: At) -> Group:
        """The way of the weights from a projection to the reverse that takes them."""
        owner = next(e for e in self._near(edge.rows[0], False) if pair[0] in e.labels)
        left = self.grid.columns[0] + self.labels.of(owner).half + 3
        right = self.grid.columns[-1] - self.labels.of(edge).half - 3
        shapes = tuple(crosses.transport_shapes(left, right, 0.0))
        return Group(
            at=at, shapes=shapes, when=self.when, tip=f"weight transport: {self.labels.marks.transported[pair[1]]}"
        )

    # ---- lines in lanes

    def _bundle(self, bundle: Bundle) -> Iterator[Wire | Group]:
        middle, lane = self.grid.column(bundle.feedback), self.grid.lane(self.block, bundle)
        leaves = self.grid.edge(self.block, bundle.trunk, below=bundle.down)
        branch = moved(leaves, self.plan.branches[id(bundle)].distance * (1 if bundle.down else -1))
        mixed = len({self.labels.mark(edge).color for edge in bundle.edges}) > 1
        for edge in bundle.edges:
            mark, bend = self.labels.mark(edge), self.plan.arrivals[id(edge)]
            comes = self.grid.edge(self.block, edge.end, below=not bundle.down)
            turn = moved(comes, bend.distance * (-1 if bundle.down else 1))
            x = self._arrival(edge, bend)
            trunk, end = ((middle, leaves), (middle, branch), (lane, branch)), ((lane, turn), (x, turn), (x, comes))
            if mixed:  # what they share is the axon, which has no color
                yield self._line(edge, trunk + end, Mark((), "plain", False))
            yield self._line(edge, end if mixed else trunk + end, mark)
            if edge.reverse:
                yield from self._head(edge.trunk, middle, not bundle.down, "plain" if mixed else mark.color)
            else:
                yield from self._head(edge.end, x, bundle.down, mark.color)
            yield from self._lane_label(edge, bend, x, turn)
            if x == middle and not bend.middle:
                yield Group(at=turn, shapes=(_dot(x, mark.color),), when=self.when)
        gap = bundle.trunk if bundle.down else bundle.trunk - 1
        if near := self._near(gap, bundle.feedback):
            joined = {self.labels.mark(edge).color for edge in (*bundle.edges, *near)}
            color = joined.pop() if len(joined) == 1 else "plain"
            yield Group(at=branch, shapes=(_dot(middle, color),), when=self.when)

    def _arrival(self, edge: Edge, bend: Bend) -> float:
        """Where a line from a lane arrives: at blocks, in the middle, where the lines inside go on."""
        inside = 0 < edge.end <= len(self.block.children)
        if bend.middle or not inside or self.block.children[edge.end - 1].is_block:
            return self.grid.column(edge.feedback)
        aside = min(APART + STEP * bend.rank, self.grid.wide / 2 - STEP)
        return self.grid.column(edge.feedback) + (aside if edge.feedback else -aside)

    def _lane_label(self, edge: Edge, bend: Bend, x: float, turn: At) -> Iterator[Group]:
        if not (label := self.labels.of(edge)):
            return
        outer = 1.0 if edge.feedback else -1.0
        gap = edge.end - 1 if edge.trunk < edge.end else edge.end
        half = max((self.labels.of(other).half for other in self._near(gap, edge.feedback)), default=0.0)
        start = APART + STEP * bend.rank - 6 if bend.rank else max(NEAR, half + 6)
        place = self.grid.column(edge.feedback) + outer * (10 if bend.middle else start)
        shapes = tuple(label.over(x, outer, place, self.ground))
        yield Group(at=turn, shapes=shapes, when=self.when, tip=self.labels.tip(edge))

    def _head(self, row: int, x: float, down: bool, color: str) -> Iterator[Group]:
        """The arrowhead of a line that arrives at a row from above (`down`) or from below. None on the border of a
        block, through which the line goes on."""
        if 0 < row <= len(self.block.children):
            node = self.block.children[row - 1]
            closed = self.grid.index[node.path] if node.is_block else None
            shape = arrowhead(x, 0.0, 0.0, 1.0 if down else -1.0, color)
            at = self.grid.edge(self.block, row, below=not down)
            yield Group(at=at, shapes=(shape,), when=replace(self.when, closed=closed))


def _dot(x: float, color: str) -> Shape:
    return Rectangle(x=x - 2.5, y=-2.5, width=5, height=5, radius=2.5, fill=color)
