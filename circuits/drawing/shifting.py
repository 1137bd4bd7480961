"""Shapes moved sideways or down."""

from dataclasses import replace

from .scene import Frame, Group, Line, Shape, Wire


def moved(shape: Shape, x: float, y: float = 0.0) -> Shape:
    """A shape elsewhere."""
    if isinstance(shape, Line):
        return replace(shape, points=tuple((px + x, py + y) for px, py in shape.points))
    return replace(shape, x=shape.x + x, y=shape.y + y)


def shifted(item: Group | Wire | Frame, x: float) -> Group | Wire | Frame:
    """An item of a scene so far to the right."""
    match item:
        case Group():
            return replace(item, shapes=tuple(moved(shape, x) for shape in item.shapes))
        case Wire():
            return replace(item, points=tuple((px + x, at) for px, at in item.points))
        case Frame():
            return replace(item, left=item.left + x, right=item.right + x)
