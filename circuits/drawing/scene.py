"""The picture as plain shapes, before any format: what painters paint.

Every vertical position hangs on the upper or lower edge of a node of the outline. So a page that opens and closes
blocks need only know how high each of them is, and the layout is made once, here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Edge = Literal["top", "bottom"]


@dataclass(frozen=True, slots=True)
class At:
    """A height: so far below the top or the bottom edge of a node."""

    node: int
    edge: Edge
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    stroke: str | None = None
    radius: float = 0.0
    thickness: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A polyline; a `closed` one is a filled polygon."""

    points: tuple[tuple[float, float], ...]
    color: str
    thickness: float = 1.0
    dashed: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; `y` is its baseline. A `halo` keeps lines behind it at a distance."""

    x: float
    y: float
    text: str
    size: float
    color: str = "ink"
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False
    mono: bool = False
    halo: str | None = None


Shape = Rectangle | Line | Text


@dataclass(frozen=True, slots=True)
class When:
    """When something is seen: while the blocks around it are open (`inside` is the nearest), and while the block
    `closed` is closed."""

    inside: int
    closed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Shapes that move together, around (0, `at`). `tip` is what pointing at them tells; `toggles`, the block that
    opens or closes on a click."""

    at: At
    shapes: tuple[Shape, ...]
    when: When
    tip: str = ""
    toggles: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A line whose points hang on nodes, with round corners."""

    points: tuple[tuple[float, At], ...]
    color: str
    thickness: float
    when: When
    dashed: bool = False
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The border of an open block."""

    node: int
    left: float
    right: float
    when: When
    fill: str
    stroke: str


@dataclass(frozen=True, slots=True)
class Slot:
    """The height of a node: fixed, or, while it is open, that of its children and of the gaps around them."""

    label: str
    height: float
    parent: int | None = None
    children: tuple[int, ...] = ()
    gaps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A picture. `items` stand in the order in which they are painted; node 0 is the whole circuit."""

    title: str
    summary: str
    width: float
    above: float
    """Height of what stands over the circuit."""
    below: float
    least: float
    """Height that the page has at least, for what stands beside the circuit."""
    slots: tuple[Slot, ...]
    opened: frozenset[int]
    items: tuple[Group | Wire | Frame, ...]

    @property
    def height(self) -> float:
        return max(self.above + self._height(0) + self.below, self.least)

    def _height(self, node: int) -> float:
        slot = self.slots[node]
        if node not in self.opened:
            return slot.height
        return sum(slot.gaps) + sum(map(self._height, slot.children))

    @cached_property
    def edges(self) -> Mapping[int, tuple[float, float]]:
        """Node that is seen -> its top and bottom."""
        return dict(self._edges(0, self.above))

    def _edges(self, node: int, top: float) -> Iterator[tuple[int, tuple[float, float]]]:
        slot = self.slots[node]
        yield node, (top, top + self._height(node))
        if node in self.opened:
            for gap, child in zip(slot.gaps, slot.children, strict=False):
                top += gap
                yield from self._edges(child, top)
                top += self._height(child)

    def y(self, at: At) -> float:
        """A height on the page."""
        return self.edges[at.node][at.edge == "bottom"] + at.offset

    def seen(self, when: When) -> bool:
        """Whether something is to be seen with the blocks as they are."""
        return is_seen(when, self.slots, self.opened)

    @property
    def visible(self) -> Iterator[Group | Wire | Frame]:
        """What is to be seen, in the order in which it is painted."""
        return (item for item in self.items if self.seen(item.when))


def is_seen(when: When, slots: tuple[Slot, ...], opened: Collection[int]) -> bool:
    """Whether something is to be seen while these blocks are open."""
    around: int | None = when.inside
    while around is not None:
        if around not in opened:
            return False
        around = slots[around].parent
    return when.closed is None or when.closed not in opened
