"""What is written above and beside a circuit: its name and verdict; rules, lines and modes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..declarations import Mode
from ..graph import Graph
from . import crosses
from .cards import arrowhead, pill_shapes, pills_width
from .marks import Marks, Pill, RuleEntry
from .metrics import width, wrapped
from .scene import Line, Shape, Text
from .shifting import moved
from .style import BODY, LABEL, NAME, TITLE

INDENT = 60.0
NARROWEST, WIDEST = 330.0, 470.0


@dataclass(frozen=True)
class Words:
    """Shapes in a column, and how high it is."""

    shapes: tuple[Shape, ...]
    height: float


class _Column:
    """Lines written one below the other, from x = 0 on."""

    def __init__(self, room: float, top: float) -> None:
        self.room = room
        self.y = top
        self.shapes: list[Shape] = []

    def write(self, words: str, size: float, x: float = 0.0, *, color: str = "ink", bold: bool = False) -> None:
        """Running text, in as many lines as it takes."""
        for line in wrapped(words.split(" "), size, self.room - x, joint=" "):
            self.y += size * 1.45
            self.shapes.append(Text(x=x, y=self.y, text=line, size=size, color=color, bold=bold))

    def equation(self, text: str, x: float) -> None:
        for line in wrapped(text.split(), LABEL, self.room - x, joint=" ", mono=True):
            self.y += LABEL * 1.45
            self.shapes.append(Text(x=x, y=self.y, text=line, size=LABEL, mono=True))

    def heading(self, text: str) -> None:
        self.y += 12
        self.write(text, NAME, bold=True)
        self.y += 3

    def words(self, bottom: float) -> Words:
        return Words(tuple(self.shapes), self.y + bottom)


def head(graph: Graph, marks: Marks, room: float, columns: Sequence[float]) -> Words:
    """Name, description and verdict of a circuit, and over the middles of its columns what they are."""
    circuit, column = graph.circuit, _Column(room, 0.0)
    column.write(circuit.name, TITLE, bold=True)
    if circuit.description:
        column.write(circuit.description, BODY, color="muted")
    column.y += 4
    system = circuit.system or "rules of its own"
    if marks.transported:
        many = f"{len(marks.transported)} projections take" if len(marks.transported) > 1 else "1 projection takes"
        column.write(f"Learning by {system}. Weight transport: {many} weights from others.", BODY, color="transport")
    elif marks.report.local:
        column.write(f"Learning by {system}. Local: no synapse depends on another synapse\u2019s weight.", BODY)
    else:
        column.write(f"Learning by {system}. Not local: some rules read what nothing brings them.", BODY)
    column.y += 30
    captions = ("forward stream: activity", "feedback stream: errors")
    for x, caption, color, down in zip(columns, captions, ("forward", "feedback"), (True, False), strict=False):
        half = width(caption, BODY, bold=True) / 2
        column.shapes.append(Text(x=x, y=column.y, text=caption, size=BODY, color=color, anchor="middle", bold=True))
        ends = (column.y - 11, column.y + 1) if down else (column.y + 1, column.y - 11)
        tip_x = x - half - 10
        column.shapes.append(Line(points=((tip_x, ends[0]), (tip_x, ends[1])), color=color, thickness=1.5))
        column.shapes.append(arrowhead(tip_x, ends[1], 0.0, 1.0 if down else -1.0, color, 4.0))
    return column.words(16.0)


def legend_width(marks: Marks) -> float:
    """How wide the legend is: for every equation on a line of its own, within reason."""
    equations = [width(_equation(entry), LABEL, mono=True) + INDENT for entry in marks.rules.values()]
    return min(max([NARROWEST, *equations]), WIDEST)


def legend(graph: Graph, marks: Marks, room: float) -> Words:
    """The rules with their equations, the kinds of lines, and the modes."""
    column = _Column(room, -12.0)
    if marks.rules:
        column.heading("Rules")
        for entry in marks.rules.values():
            _rule(column, entry, graph)
    kinds = list(_kinds(graph, marks))
    if kinds:
        column.heading("Lines")
        for shapes, words in kinds:
            y = column.y + 11
            column.shapes.extend(moved(shape, 0.0, y) for shape in shapes)
            column.write(words, BODY, INDENT)
            column.y += 2
    if graph.circuit.modes:
        column.heading("Modes")
        for name, mode in graph.circuit.modes.items():
            column.write(f"{name}: {_mode_text(mode, bool(graph.feedback))}", BODY)
    return column.words(0.0)


def _equation(entry: RuleEntry) -> str:
    drive = "dw" if entry.kind == "weights" else f"d {entry.kind}"
    return f"{drive} = {entry.equation}"


def _rule(column: _Column, entry: RuleEntry, graph: Graph) -> None:
    y = column.y + 12
    column.shapes.extend(pill_shapes((entry.pill,), INDENT - 12 - pills_width((entry.pill,)), y))
    column.equation(_equation(entry), INDENT)
    said = [_who(entry, graph), f"in mode {entry.mode}"]
    if entry.positions == "mean":
        said.append("mean over positions")
    said += [f"{name}\u00a0=\u00a0{_values(values)}" for name, values in entry.parameters.items()]
    column.write(", ".join(said), LABEL, INDENT, color="muted")
    column.y += 4


def _who(entry: RuleEntry, graph: Graph) -> str:
    count = len(entry.subjects)
    if entry.kind != "weights":
        plural = {"gain": "gains", "bias": "biases"}[entry.kind]
        return f"{plural} of {count} population{'s' * (count > 1)}"
    back = sum(map(graph.is_feedback, entry.subjects))
    parts = [f"{n} {name}" for n, name in ((count - back, "forward"), (back, "feedback")) if n]
    return f"{' and '.join(parts)} projection{'s' * (count > 1)}"


def _values(values: set[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _kinds(graph: Graph, marks: Marks) -> Iterator[tuple[list[Shape], str]]:
    """(shapes around y = 0, words) for each kind of line that the picture has."""
    found = {label: marks.of_projection(label) for label in graph.projections}
    ways = {tie.kind for label in marks.transported if (tie := graph.projections[label].tie)}
    for kind, pill, words in (
        ("transpose_of", "W\u1d40", "weight transport: these weights are the transpose of those that the arrow leaves"),
        ("sign_of", "±W", "weight transport: these weights are the scaled signs of those that the arrow leaves"),
        ("same_as", "= W", "weight transport: projections that share one set of weights"),
    ):
        if kind in ways:
            yield [*_sample("transport"), *_pill(Pill(pill, "transport"))], words
    if any(mark.color == "fixed" for mark in found.values()):
        yield [*_sample("fixed"), *_pill(Pill("fixed", "fixed", empty=True))], "weights that no rule changes"
    if any(mark.pills and not mark.pills[0].empty and mark.color != "transport" for mark in found.values()):
        yield list(_sample("rule0")), "plastic synapses, in the color and with the letter of their rule"
    if any(not mark.weighted for mark in found.values()):
        words = "no weights here: one to one unless said otherwise, or on into a block; lines that meet add up"
        yield list(_sample("plain", 1.3)), words
    for sign in sorted({sign for found in crosses.signs(graph).values() for sign in found}):
        carries = "error" if sign.backward else "activity"
        who = "" if sign.role != "teach" else f" ({carries})"
        modes = f"; mode {', '.join(sign.modes)}"
        yield (
            list(crosses.sign_shapes(sign, 0.0, INDENT - 12, 0.0, named=False)),
            (f"{sign.role}{who}: {crosses.MEANINGS[sign.role]}{modes}"),
        )


def _sample(color: str, thickness: float = 2.0) -> Iterator[Shape]:
    yield Line(points=((0.0, 0.0), (INDENT - 20, 0.0)), color=color, thickness=thickness)
    yield arrowhead(INDENT - 12, 0.0, 1.0, 0.0, color, 4.5)


def _pill(pill: Pill) -> Iterator[Shape]:
    middle = (INDENT - 20) / 2
    return pill_shapes((pill,), middle - pills_width((pill,)) / 2 + 2, 0.0, ground="page")


def _mode_text(mode: Mode, back: bool) -> str:
    if not mode.isolates:
        noise = f", with {mode.injects.noise} noise on the somas" if mode.injects else ""
        clamped = f", feedback neurons fire their partners' {mode.answers}"
        return f"data flow forward{noise}{'' if not back else ', errors flow back' if mode.errs else clamped}"
    noise = mode.fires.noise if mode.fires else "no"
    often = "after every engaged step" if mode.every == 1 else f"after every {mode.every}th engaged step"
    often += "" if mode.share is None else f", the next {mode.share} in turn"
    clamp = ", both partners are clamped" if mode.clamp else ""
    said = f"its source fires {noise} noise, its target answers at the {mode.answers}{clamp}"
    return f"one projection at a time; {said}; {often}"
