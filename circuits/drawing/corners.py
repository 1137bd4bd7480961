"""Round corners for lines."""

RADIUS = 6.0
Point = tuple[float, float]


def corners(points: list[Point]) -> tuple[Point, list[tuple[Point, Point, Point]], Point]:
    """(start, corners, end) of a line: a corner is where its curve begins, the point it is drawn to, where it ends."""
    kept = [point for index, point in enumerate(points) if index == 0 or point != points[index - 1]]
    bends = [
        (_towards(here, before), here, _towards(here, after))
        for before, here, after in zip(kept, kept[1:], kept[2:], strict=False)
    ]
    return kept[0], bends, kept[-1]


def _towards(here: Point, there: Point) -> Point:
    """The point so near to a corner that its curve begins there: at most half way to the next one."""
    dx, dy = there[0] - here[0], there[1] - here[1]
    length = float((dx * dx + dy * dy) ** 0.5)
    part = min(RADIUS, length / 2) / length
    return here[0] + dx * part, here[1] + dy * part
