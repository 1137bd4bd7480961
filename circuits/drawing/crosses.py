"""Cross-projections: the one-to-one axons between partners, as lines between their two boxes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..graph import Graph
from .cards import arrowhead
from .metrics import width
from .scene import Line, Rectangle, Shape, Text
from .style import SMALL

SPACING, MARGIN = 13.0, 11.0
"""From line to line, and from the first and the last to the edge of the box."""
MEANINGS = {
    "gate": "hands the feedback neuron what it needs of its partner\u2019s local derivative",
    "teach": "brings the partner\u2019s rate (or its soma) to the apical compartment, where rules read it",
    "drive": "clamps the feedback neuron\u2019s rate to its partner\u2019s",
}


@dataclass(frozen=True, order=True)
class Sign:
    """Cross-projections of one role and direction, in the modes in which they conduct."""

    order: int
    role: str
    backward: bool
    """From the feedback neuron to the forward one."""
    modes: tuple[str, ...]

    @property
    def tip(self) -> str:
        """What pointing at it tells."""
        return f"{self.role} ({', '.join(self.modes)}): {MEANINGS[self.role]}"

    @property
    def color(self) -> str:
        return "feedback" if self.backward else "forward"


def signs(graph: Graph) -> Mapping[str, set[Sign]]:
    """Forward population -> the cross-projections between it and its partner, those alike as one."""
    found: dict[str, set[Sign]] = {}
    for cross in graph.circuit.cross:
        backward = graph.populations[cross.source].is_feedback
        modes = _conducting(graph, cross.role, cross.modes)
        sign = Sign(_order(cross.role, backward), cross.role, backward, modes)
        found.setdefault(cross.target if backward else cross.source, set()).add(sign)
    return found


def _order(role: str, backward: bool) -> int:
    return ("gate", "teach", "drive").index(role) * 2 + backward


def _conducting(graph: Graph, role: str, modes: tuple[str, ...] | None) -> tuple[str, ...]:
    """The modes in which a cross-projection conducts, defaults written out."""
    if modes is not None:
        return modes
    return tuple(name for name, mode in graph.circuit.modes.items() if mode.isolates == (role == "drive"))


def height(count: int) -> float:
    """The room that so many lines need."""
    return SPACING * (count - 1) + 2 * MARGIN if count else 0.0


def sign_shapes(sign: Sign, left: float, right: float, y: float, *, named: bool = True) -> Iterator[Shape]:
    """A line between a forward box that ends at `left` and a feedback box that starts at `right`."""
    start, stop, along = (right, left, -1.0) if sign.backward else (left, right, 1.0)
    color = sign.color
    head = {"teach": 8.0, "gate": 9.0, "drive": 7.0}[sign.role]
    dashed = sign.role == "drive"
    middle, wide = (left + right) / 2, (width(sign.role, SMALL) + 6) / 2 if named else 0.0
    for one, other in ((start, middle - along * wide), (middle + along * wide, stop - along * head)):
        yield Line(points=((one, y), (other, y)), color=color, thickness=1.3, dashed=dashed)
    match sign.role:
        case "teach":
            yield arrowhead(stop - along, y, along, 0.0, color, 4.5)
        case "gate":
            tip = stop - along * 5.5
            points = ((tip - 4.5, y), (tip, y - 4.5), (tip + 4.5, y), (tip, y + 4.5))
            yield Line(points=points, color=color, closed=True)
        case _:
            yield Rectangle(x=min(stop - along * 8, stop - along), y=y - 3.5, width=7, height=7, fill=color)
    if named:
        yield Text(x=middle, y=y + 3, text=sign.role, size=SMALL, color=color, anchor="middle")


def transport_shapes(left: float, right: float, y: float, name: str = "") -> Iterator[Shape]:
    """The way of weights from a forward projection to the reverse that takes them."""
    middle, wide = (left + right) / 2, (width(name, SMALL) + 6) / 2 if name else 0.0
    for one, other in ((left, middle - wide), (middle + wide, right - 7)):
        yield Line(points=((one, y), (other, y)), color="transport", thickness=1.3, dashed=True)
    if name:
        yield Text(x=middle, y=y + 3, text=name, size=SMALL, color="transport", anchor="middle")
    yield arrowhead(right - 1, y, 1.0, 0.0, "transport", 4.5)
