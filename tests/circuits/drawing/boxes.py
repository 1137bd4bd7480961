"""What the tests read off a scene: its boxes, where they stand, and what they stand for."""

from collections.abc import Iterator
from dataclasses import dataclass

from counterstream.circuits.drawing.scene import Frame, Group, Line, Rectangle, Scene, Shape, Text, Wire
from counterstream.circuits.drawing.style import NAME

FILLS = {"forward_fill": "forward", "feedback_fill": "feedback"}


@dataclass(frozen=True)
class Box:
    """The box of a population or of a closed block."""

    tip: str
    stream: str
    left: float
    top: float
    right: float
    bottom: float
    group: Group

    @property
    def names(self) -> list[str]:
        """The population, or the blocks, that it stands for."""
        first = self.tip.partition("\n")[0]
        return first.partition(":")[0].split(", ")

    def overlaps(self, other: "Box") -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)


def boxes(scene: Scene) -> list[Box]:
    """The boxes that are seen."""
    return list(_boxes(scene))


def _boxes(scene: Scene) -> Iterator[Box]:
    for item in scene.visible:
        if isinstance(item, Group):
            fronts = [s for s in item.shapes if isinstance(s, Rectangle) and s.fill in FILLS]
            if fronts:
                front, y = fronts[-1], scene.y(item.at)
                right, bottom = front.x + front.width, y + front.y + front.height
                yield Box(item.tip, FILLS[str(front.fill)], front.x, y + front.y, right, bottom, item)


def open_blocks(scene: Scene) -> set[str]:
    """The names of the blocks that are seen open, and of those that they stand for."""
    groups = [item for item in scene.visible if isinstance(item, Group)]
    return {name for group in groups if any(map(_is_title, group.shapes)) for name in group.tip.split(", ")}


def _is_title(shape: Shape) -> bool:
    return isinstance(shape, Text) and shape.bold and shape.size == NAME and shape.color == "muted"


def colors(scene: Scene) -> set[str]:
    """Every color that is seen, by its role."""
    found: set[str | None] = set()
    for item in scene.visible:
        match item:
            case Wire():
                found.add(item.color)
            case Frame():
                found |= {item.fill, item.stroke}
            case Group():
                for shape in item.shapes:
                    found |= {shape.fill, shape.stroke} if isinstance(shape, Rectangle) else {shape.color}
    return {color for color in found if color}


def texts(scene: Scene) -> list[str]:
    """Every text that is seen."""
    groups = [item for item in scene.visible if isinstance(item, Group)]
    return [shape.text for group in groups for shape in group.shapes if isinstance(shape, Text)]


def points(scene: Scene) -> list[tuple[float, float]]:
    """The corners of everything that is seen."""
    found: list[tuple[float, float]] = []
    for item in scene.visible:
        match item:
            case Wire():
                found += [(x, scene.y(at)) for x, at in item.points]
            case Frame():
                found += [(item.left, scene.edges[item.node][0]), (item.right, scene.edges[item.node][1])]
            case Group():
                y = scene.y(item.at)
                for shape in item.shapes:
                    if isinstance(shape, Line):
                        found += [(px, y + py) for px, py in shape.points]
                    elif isinstance(shape, Rectangle):
                        found += [(shape.x, y + shape.y), (shape.x + shape.width, y + shape.y + shape.height)]
                    else:
                        found.append((shape.x, y + shape.y))
    return found
