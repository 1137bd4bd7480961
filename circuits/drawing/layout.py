"""From an outline to a scene: one row for each population or block, the forward stream left, the feedback stream right.

Partners share a row, so that their cross-projections run level between them. The picture of the feedback stream is the
mirror image of the forward one wherever it consists of reverses.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from . import crosses
from .cards import NARROWEST, STACK, WIDEST, Cards
from .gaps import plan
from .grid import Grid
from .labels import Labels
from .marks import Marks
from .metrics import cut, width
from .outline import Node, Outline
from .routes import routes
from .rows import Row, Rows
from .scene import At, Frame, Group, Line, Shape, Slot, Text, When, Wire
from .style import BODY, NAME
from .wires import wires

MIDDLE = 136.0
"""Between the boxes of the two streams."""


@dataclass(frozen=True)
class Body:
    """The laid out circuit: what stands between the head and the legend of the picture."""

    slots: tuple[Slot, ...]
    items: tuple[Group | Wire | Frame, ...]
    left: float
    right: float
    """How far it reaches to either side of x = 0."""
    columns: tuple[float, ...]
    """The middles of the columns, forward first."""


class Layout:
    """Lays out one outline around x = 0. `foldable`: blocks are to be opened and closed in the picture; otherwise only
    those `opened` have a laid out inside."""

    def __init__(
        self, outline: Outline, marks: Marks, cards: Cards, opened: Collection[str], *, foldable: bool
    ) -> None:
        self.outline = outline
        self.foldable = foldable
        blocks = [node.path for node in outline.root.walk() if node.is_block]
        openable = {path for path in blocks if foldable or not path or path in opened}
        self.nodes = [node for node in outline.root.walk() if self._reachable(node, openable)]
        self.index = {node.path: index for index, node in enumerate(self.nodes)}
        self.blocks = [node for node in self.nodes if node.path in openable]
        makes = Rows(outline, cards)
        self.rows = {node.path: makes.row(node) for node in self.nodes if node.path}
        boxes = [card for row in self.rows.values() for card in (row.forward, row.feedback) if card]
        self.wide = min(max([NARROWEST, *(card.width for card in boxes)]), WIDEST)
        step = (self.wide + MIDDLE) / 2
        self.columns = (-step, step) if outline.graph.feedback else (0.0,)
        self.labels = Labels(marks, cards, beside=step - 20, over=self.wide / 2 - 2)
        self.routes = routes(outline)
        self.plans = {
            node.path: plan(
                self.routes.get(node.path, ()),
                len(node.children),
                lambda edge: len(self.labels.of(edge).lines),
                root=not node.path,
            )
            for node in self.blocks
        }
        self.grid = Grid(self.index, self.plans, self.columns, self.wide)

    def _reachable(self, node: Node, openable: Collection[str]) -> bool:
        """Whether a node can be seen, now or after some block has been opened."""
        while node.path:
            node = self.outline.above[node.path]
            if node.path not in openable:
                return False
        return True

    def body(self) -> Body:
        """Everything between the head and the legend."""
        opened = [node for node in self.blocks if node.path]
        drawn = [
            item
            for node in self.blocks
            for item in wires(self.grid, self.labels, node, self.routes.get(node.path, ()), self.plans[node.path])
        ]
        lines = sorted((item for item in drawn if isinstance(item, Wire)), key=_rank)
        items: tuple[Group | Wire | Frame, ...] = (
            *map(self._frame, opened),
            *lines,
            *(item for row in self.rows.values() for item in self._boxes(row)),
            *(item for item in drawn if not isinstance(item, Wire)),
            *map(self._title, opened),
        )
        left, right = (self.grid.reach(self.outline.root, side) for side in (0, 1))
        slots = tuple(map(self._slot, self.nodes))
        return Body(slots, items, left - self.columns[0], right + self.columns[-1], self.columns)

    def _slot(self, node: Node) -> Slot:
        parent = self.index[self.outline.above[node.path].path] if node.path else None
        height = self.rows[node.path].height if node.path else 0.0
        if node.path not in self.plans:
            return Slot(node.path, height, parent)
        children = tuple(self.index[child.path] for child in node.children)
        return Slot(node.path, height, parent, children, self.plans[node.path].heights)

    def _frame(self, node: Node) -> Frame:
        index = self.index[node.path]
        left, right = self.columns[0] - self.grid.reach(node, 0), self.columns[-1] + self.grid.reach(node, 1)
        return Frame(node=index, left=left, right=right, when=When(index), fill="block_fill", stroke="block")

    def _title(self, node: Node) -> Group:
        """The name of an open block, at the upper left corner of its frame."""
        index, reach = self.index[node.path], self.grid.reach(node, 0)
        label = cut(node.label, NAME, reach - 36, bold=True)
        shapes: list[Shape] = []
        x = self.columns[0] - reach + 10
        if self.foldable:
            shapes.append(Line(points=((x, 9), (x + 8, 9), (x + 4, 15)), color="muted", closed=True))
            x += 13
        shapes.append(Text(x=x, y=16, text=label, size=NAME, color="muted", bold=True))
        if node.times > 1:
            x = max(x + width(label, NAME, bold=True), self.columns[0]) + 10
            many = f"\u00d7 {node.times}, each fed by the one before"
            shapes.append(Text(x=x, y=16, text=many, size=BODY, color="muted"))
        toggles = index if self.foldable else None
        tip = ", ".join(node.instances)
        return Group(at=At(index, "top"), shapes=tuple(shapes), when=When(index), tip=tip, toggles=toggles)

    def _boxes(self, row: Row) -> Iterator[Group]:
        """The boxes of a row and the lines between them; of a block, as it is while closed."""
        index = self.index[row.node.path]
        when = When(self.index[self.outline.above[row.node.path].path])
        if row.node.is_block:
            when = replace(when, closed=index)
        toggles = index if row.node.is_block and self.foldable else None
        for card, middle in zip((row.forward, row.feedback), self.columns, strict=False):
            if card:
                shapes = tuple(card.shapes(middle - self.wide / 2, self.wide, row.height))
                yield Group(at=At(index, "top"), shapes=shapes, when=when, tip=card.tip, toggles=toggles)
        if row.feedback:
            yield from self._between(row, At(index, "top"), when)

    def _between(self, row: Row, at: At, when: When) -> Iterator[Group]:
        """The cross-projections of a row; of a closed block, the transport of its weights too."""
        left, right = self.columns[0] + self.wide / 2, self.columns[-1] - self.wide / 2
        left += STACK if row.forward.copies else 0.0
        y = (row.height - crosses.height(len(row.signs) + bool(row.transport))) / 2 + crosses.MARGIN
        for sign in row.signs:
            shapes = tuple(crosses.sign_shapes(sign, left, right, y))
            yield Group(at=at, shapes=shapes, when=when, tip=sign.tip)
            y += crosses.SPACING
        if row.transport:
            shapes = tuple(crosses.transport_shapes(left, right, y, "weights"))
            yield Group(at=at, shapes=shapes, when=when, tip=row.transport)


def _rank(wire: Wire) -> int:
    """Painted later, seen better."""
    return 2 if wire.color == "transport" else int(wire.color not in ("plain", "fixed"))
