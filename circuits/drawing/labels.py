"""What is written at the lines between populations: the wiring in words and the marks of the rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from .cards import Cards, pill_shapes, pills_width
from .gaps import LINE
from .marks import Mark, Marks, Pill
from .metrics import wrapped
from .routes import Edge
from .scene import Shape, Text
from .style import LABEL

MOST_LINES = 4
"""Of one label."""


@dataclass(frozen=True)
class Label:
    """Lines of text, and the marks that stand on the line itself."""

    lines: tuple[str, ...]
    pills: tuple[Pill, ...]

    def __bool__(self) -> bool:
        return bool(self.lines or self.pills)

    @property
    def half(self) -> float:
        """Half of the width of its marks."""
        return (pills_width(self.pills) - 5) / 2 if self.pills else 0.0

    def beside(self, x: float, inner: float, *, above: bool, halo: str) -> Iterator[Shape]:
        """The label of a line that runs upright through (x, 0), on the side to which `inner` (1 or -1) points. `above`:
        its text leaves the middle free, where the way of weight transport runs."""
        yield from pill_shapes(self.pills, x - self.half, 0.0, ground=halo)
        upper = (len(self.lines) + 1) // 2
        for index, line in enumerate(self.lines):
            y = (index - (len(self.lines) - 1) / 2) * LINE + 3.8
            if above:
                y = (index - upper + 1) * LINE - 4 + (2.5 if index >= upper else 0)
            yield _text(line, x + inner * (self.half + 7), y, inner, halo)

    def over(self, x: float, outer: float, start: float, halo: str) -> Iterator[Shape]:
        """The label above the level end of a line from a lane, which turns at (x, 0). It begins at `start` and runs in
        the direction `outer` (1 or -1)."""
        mark = x + outer * 14
        yield from pill_shapes(self.pills, mark if outer > 0 else mark - 2 * self.half, 0.0, ground=halo)
        for index, line in enumerate(self.lines):
            y = (index - len(self.lines) + 1) * LINE - (10 if self.pills else 4)
            yield _text(line, start, y, outer, halo)


def _text(line: str, x: float, y: float, along: float, halo: str) -> Text:
    return Text(x=x, y=y, text=line, size=LABEL, anchor="start" if along > 0 else "end", halo=halo)


class Labels:
    """The labels of one circuit. `beside` and `over` are the room for text beside a straight line and over another."""

    def __init__(self, marks: Marks, cards: Cards, beside: float, over: float) -> None:
        self.marks = marks
        self.cards = cards
        self.room = {True: beside, False: over}
        self._written = cache(self._write)

    def of(self, edge: Edge) -> Label:
        """The label of a line."""
        return self._written(tuple(edge.labels), edge.straight)

    def _write(self, labels: Sequence[str], straight: bool) -> Label:
        marks = [self.marks.of_projection(label) for label in labels]
        pills = tuple(dict.fromkeys(replace(pill, tip="") for mark in marks for pill in mark.pills))
        room = self.room[straight] - (pills_width(pills) / 2 if straight else 0.0)
        lines = [line for label in labels for line in wrapped(self.cards.synapses_parts(label), LABEL, room)]
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} more"]
        return Label(tuple(lines), pills)

    def mark(self, edge: Edge) -> Mark:
        """How a line is drawn: as the first of its projections that has weights, transport before all. Feedback that is
        no reverse looks so on its way into a block too, where all that it brings there is of one kind."""
        if edge.feedback and not edge.reverse and not edge.labels:
            found = {mark.color: mark for label in edge.within if (mark := self.marks.of_projection(label)).weighted}
            return next(iter(found.values())) if len(found) == 1 else Mark((), "plain", False)
        marks = [mark for label in edge.labels if (mark := self.marks.of_projection(label)).weighted]
        moved = [mark for mark in marks if mark.color == "transport"]
        return next(iter(moved + marks), Mark((), "plain", False))

    def tip(self, edge: Edge) -> str:
        """What pointing at a line tells."""
        return "\n".join(map(self.cards.tip, edge.labels))
