"""The boxes of the picture: what stands in the box of a population, of its partner, and of a closed block."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ..graph import Graph
from ..wiring import OneToOne
from .folding import Folder
from .marks import Marks, Pill
from .metrics import cut, width, wrapped
from .outline import Node
from .scene import Line, Rectangle, Shape, Text
from .style import BODY, NAME, SMALL
from .words import error_text, loss_text, population_text, shape_text, wiring_parts

Stream = Literal["forward", "feedback"]
PAD = 10.0
NARROWEST, WIDEST = 190.0, 290.0
"""Of a box."""
NAME_LINE, BODY_LINE = 17.0, 16.0
PILL = 14.0
"""Height of a mark."""
STACK = 6.0
"""How far the boxes behind the first of a stack stand out."""
MOST_LINES = 6
"""Of a closed block's contents; more are counted."""


@dataclass(frozen=True)
class Row:
    """One line of a box: marks, then text."""

    text: str
    pills: tuple[Pill, ...] = ()

    @property
    def width(self) -> float:
        return width(self.text, BODY) + pills_width(self.pills)

    def broken(self) -> Iterator["Row"]:
        """The lines that it takes in the widest box."""
        room = WIDEST - 2 * PAD - pills_width(self.pills)
        first, *others = wrapped(self.text.split(", "), BODY, room) or [""]
        yield Row(first, self.pills)
        yield from map(Row, others)


@dataclass(frozen=True)
class Card:
    """A box: a name, what stands at its right end, and lines below."""

    stream: Stream
    name: str
    corner: str
    rows: tuple[Row, ...]
    tip: str
    copies: bool = False
    """Drawn as a stack, for blocks in a row."""

    @cached_property
    def head(self) -> float:
        """How wide its name and what stands at its right end are together."""
        return width(self.name, NAME, bold=True) + (width(self.corner, BODY) + PAD if self.corner else 0)

    @cached_property
    def lines(self) -> tuple[Row, ...]:
        """The lines below the name, none wider than the widest box. Where the name takes all the room beside it, what
        else would stand at its right end is the first."""
        aside = (Row(self.corner),) if self.head > WIDEST - 2 * PAD and self.corner else ()
        return (*aside, *(line for row in self.rows for line in row.broken()))

    @property
    def width(self) -> float:
        """How wide it would like to be."""
        return 2 * PAD + max([self.head, *(row.width for row in self.lines)])

    @property
    def height(self) -> float:
        return 7 + NAME_LINE + BODY_LINE * len(self.lines) + 5

    def shapes(self, x: float, wide: float, high: float) -> Iterator[Shape]:
        """The box with its left upper corner at (x, 0)."""
        look = {"fill": f"{self.stream}_fill", "stroke": self.stream, "thickness": 1.2}
        for shift in (STACK, STACK / 2) if self.copies else ():
            yield Rectangle(x=x + shift, y=shift, width=wide, height=high, radius=6, **look)  # type: ignore[arg-type]
        yield Rectangle(x=x, y=0, width=wide, height=high, radius=6, **look)  # type: ignore[arg-type]
        room = wide - 2 * PAD
        baseline = 7 + NAME_LINE - 5
        yield Text(x=x + PAD, y=baseline, text=cut(self.name, NAME, room, bold=True), size=NAME, bold=True)
        if self.corner and self.head <= WIDEST - 2 * PAD:
            yield Text(x=x + wide - PAD, y=baseline, text=self.corner, size=BODY, color="muted", anchor="end")
        for index, row in enumerate(self.lines):
            y = 7 + NAME_LINE + BODY_LINE * index
            start = x + PAD
            yield from pill_shapes(row.pills, start, y + BODY_LINE / 2)
            start += pills_width(row.pills)
            text = cut(row.text, BODY, x + wide - PAD - start)
            yield Text(x=start, y=y + BODY_LINE - 4, text=text, size=BODY, color="muted")


def pills_width(pills: Sequence[Pill]) -> float:
    """The room that marks in a row take, with the space behind them."""
    return sum(_pill_width(pill) + 3 for pill in pills) + (2 if pills else 0)


def _pill_width(pill: Pill) -> float:
    return max(PILL, width(pill.text, SMALL, bold=True) + 8)


def pill_shapes(pills: Sequence[Pill], x: float, y: float, *, ground: str | None = None) -> Iterator[Shape]:
    """Marks in a row from x on, centered at y; `ground` fills those that are outlines."""
    for pill in pills:
        wide = _pill_width(pill)
        fill = ground if pill.empty else pill.color
        yield Rectangle(
            x=x, y=y - PILL / 2, width=wide, height=PILL, radius=PILL / 2, fill=fill, stroke=pill.color, thickness=1.1
        )
        color = pill.color if pill.empty else "on_mark"
        yield Text(x=x + wide / 2, y=y + 3.2, text=pill.text, size=SMALL, color=color, anchor="middle", bold=True)
        x += wide + 3


class Cards:
    """Writes the boxes of one circuit."""

    def __init__(self, graph: Graph, marks: Marks, folder: Folder) -> None:
        self.graph = graph
        self.marks = marks
        self.folder = folder

    def population(self, name: str, label: str) -> Card:
        """The box of a forward population."""
        graph, population = self.graph, self.graph.populations[name]
        doing, loss = population_text(graph, name), loss_text(population)
        rows = [Row(doing, self.marks.of_population(name))] + ([Row(loss)] if loss else [])
        shape = shape_text(graph.shapes[name])
        tip = "\n".join([f"{name}: {shape}, {doing}", *([loss] if loss else []), *self._intrinsic(name)])
        return Card("forward", label, shape, tuple(rows), tip)

    def _intrinsic(self, name: str) -> Iterator[str]:
        yield from (pill.tip for pill in self.marks.of_population(name))

    def partner(self, name: str, label: str) -> Card:
        """The box of a feedback population; `label` is that of its partner."""
        partner = self.graph.populations[name].partner
        does = error_text(self.graph, name)
        shape = shape_text(self.graph.shapes[name])
        tip = f"{name}: {shape}, the feedback partner of {partner}\n{does}"
        label = f"{label}~" if name == f"{partner}~" else name
        return Card("feedback", label, shape, (Row(does),), tip)

    def sender(self, name: str, label: str) -> Card | None:
        """The box, in the feedback stream, of a forward population that sends into it; None for others."""
        graph = self.graph
        if not any(p.source == name and graph.is_feedback(sent) for sent, p in graph.projections.items()):
            return None
        doing = f"{population_text(graph, name)}, as a signal to learn from"
        return Card("feedback", label, shape_text(graph.shapes[name]), (Row(doing),), f"{name}: {doing}")

    def closed(self, block: Node) -> tuple[Card, Card | None]:
        """The boxes of a closed block, one in each stream."""
        inside = [name for name in self.graph.forward if name.startswith(f"{block.path}.")]
        labels = [label for name in inside for label in self.folder.owned.get(name, ())]
        forward = [label for label in labels if not self.graph.is_feedback(label)]
        back = [label for label in labels if self.graph.is_feedback(label)]
        times = block.times
        many = f" \u00d7 {times}" if times > 1 else ""
        size = shape_text(self.graph.shapes[block.populations[-1]])
        count = f"{len(inside)} populations" if times == 1 else f"{times} \u00d7 {len(inside)} populations"
        tip = f"{', '.join(block.instances)}\n{count}: {', '.join(inside)}"
        card = Card("forward", block.label + many, size, tuple(self._contents(forward)), tip, times > 1)
        if not any(name in self.graph.partners for name in inside):
            return card, None
        rows = tuple(self._contents(back))
        return card, Card("feedback", f"{block.label}~{many}", size, rows, tip, times > 1)

    def _contents(self, labels: Iterable[str]) -> Iterator[Row]:
        """The projections, those with weights first and those alike counted, but for identities, of ranges of channels
        too; a reverse counts with its original's likes, so that both stand at one height."""
        counts: Counter[tuple[str, tuple[Pill, ...], str]] = Counter()
        told = [label for label in labels if not isinstance(self.graph.geometries[label].wiring, OneToOne)]
        for label in sorted(told, key=lambda label: not self.graph.weighted(label)):
            if text := ", ".join(self.synapses_parts(label)):
                original = self.graph.projections[label].reverse_of or label
                like = ", ".join(wiring_parts(self.graph.geometries[original]))
                pills = tuple(replace(pill, tip="") for pill in self.marks.of_projection(label).pills)
                counts[text, pills, like] += 1
        rows = list(counts.items())
        shown = rows if len(rows) <= MOST_LINES else rows[: MOST_LINES - 1]
        for (text, pills, _), count in shown:
            yield Row(f"{count} \u00d7 {text}" if count > 1 else text, pills)
        if len(shown) < len(rows):
            rest = sum(count for _, count in rows[len(shown) :])
            yield Row(f"and {rest} more")

    def synapses_parts(self, label: str) -> list[str]:
        """A projection part by part; a feedback projection with weights says whose they are instead of how it is wired,
        which its original does."""
        back = self.graph.is_feedback(label)
        geometry = self.graph.geometries[label]
        parts = wiring_parts(geometry, back=self.graph.projections[label].reverse_of is not None)
        if not back:
            return parts
        if self.graph.projections[label].reverse_of is None:
            return parts
        if not geometry.wiring.weighted:
            return [f"reverse of {parts[0]}"] if parts else []
        return [self.marks.weights_text(label), parts[-1]]

    def tip(self, label: str) -> str:
        """What pointing at a projection tells."""
        projection = self.graph.projections[label]
        mark = self.marks.of_projection(label)
        reverse = f", the reverse of {projection.reverse_of}" if projection.reverse_of else ""
        said = [f"{label}: {projection.source} to {projection.target}{reverse}"]
        if text := ", ".join(wiring_parts(self.graph.geometries[label], back=projection.reverse_of is not None)):
            said.append(text)
        if projection.modes is not None:
            said.append(f"conducts in mode {', '.join(projection.modes)}")
        return "\n".join([*said, *(pill.tip for pill in mark.pills if pill.tip)])


def arrowhead(x: float, y: float, dx: float, dy: float, color: str, size: float = 5.0) -> Line:
    """A filled arrowhead with its tip at (x, y), pointing along (dx, dy), a unit vector."""
    back, side = 1.7 * size, 0.8 * size
    left = (x - back * dx - side * dy, y - back * dy + side * dx)
    right = (x - back * dx + side * dy, y - back * dy - side * dx)
    return Line(points=((x, y), left, right), color=color, closed=True)
