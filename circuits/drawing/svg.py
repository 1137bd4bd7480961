"""Painting a scene as SVG: one file without links, light or dark as the viewer prefers."""

from collections.abc import Iterator
from html import escape

from .corners import corners
from .scene import Frame, Group, Line, Rectangle, Scene, Shape, Text, Wire
from .style import COLORS, MONOSPACE, SANS


def as_svg(scene: Scene) -> str:
    """The scene as the text of an SVG file."""
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(scene.width)}" height="{number(scene.height)}" '
            f'viewBox="0 0 {number(scene.width)} {number(scene.height)}" role="img">',
            f"<title>{text(scene.summary)}</title>",
            f"<style>\n{css()}\n</style>",
            '<rect class="f-page" width="100%" height="100%"/>',
            *(line for item in scene.visible for line in _painted(scene, item)),
            "</svg>",
            "",
        )
    )


def css(dark: str = "@media (prefers-color-scheme: dark)") -> str:
    """Rules for every role of color, light and, behind the query, dark."""
    fonts = (
        f"text{{font-family:{SANS}}}",
        f".mono{{font-family:{MONOSPACE};white-space:pre}}",
        ".bold{font-weight:600}",
        ".halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}",
        ".dash{stroke-dasharray:4 3}",
    )
    light, night = ("\n".join(_roles(index)) for index in (0, 1))
    return "\n".join((*fonts, ".line{fill:none;stroke-linecap:round}", light, f"{dark}{{\n{night}\n}}"))


def _roles(index: int) -> Iterator[str]:
    for role, colors in COLORS.items():
        yield f".f-{role}{{fill:{colors[index]}}} .s-{role}{{stroke:{colors[index]}}}"


def _painted(scene: Scene, item: Group | Wire | Frame) -> Iterator[str]:
    match item:
        case Group():
            yield f'<g transform="translate(0 {number(scene.y(item.at))})">{title(item.tip)}'
            yield from map(shape, item.shapes)
            yield "</g>"
        case Wire():
            d = path([(x, scene.y(at)) for x, at in item.points])
            yield f'<path d="{d}"{wire_attributes(item)}>{title(item.tip)}</path>'
        case Frame():
            top, bottom = scene.edges[item.node]
            yield frame(item, top, bottom)


def frame(item: Frame, top: float, bottom: float, more: str = "") -> str:
    """The border of an open block."""
    return (
        f'<rect x="{number(item.left)}" y="{number(top)}" width="{number(item.right - item.left)}" '
        f'height="{number(bottom - top)}" rx="9" class="f-{item.fill} s-{item.stroke}"{more}/>'
    )


def wire_attributes(item: Wire) -> str:
    """Class and thickness of a line."""
    dashed = " dash" if item.dashed else ""
    return f' class="line s-{item.color}{dashed}" stroke-width="{number(item.thickness)}"'


def path(points: list[tuple[float, float]]) -> str:
    """A line through points, its corners rounded."""
    start, bends, end = corners(points)
    curves = (f"L{_point(*first)}Q{_point(*here)} {_point(*last)}" for first, here, last in bends)
    return f"M{_point(*start)}{''.join(curves)}L{_point(*end)}"


def _point(x: float, y: float) -> str:
    return f"{number(x)} {number(y)}"


def shape(item: Shape) -> str:
    """A shape as an element."""
    match item:
        case Rectangle():
            return _rectangle(item)
        case Line():
            points = " ".join(f"{number(x)},{number(y)}" for x, y in item.points)
            if item.closed:
                return f'<polygon points="{points}" class="f-{item.color}"/>'
            dashed = " dash" if item.dashed else ""
            width = number(item.thickness)
            return f'<polyline points="{points}" class="line s-{item.color}{dashed}" stroke-width="{width}"/>'
        case Text():
            return _text(item)


def _rectangle(item: Rectangle) -> str:
    classes = " ".join(
        (
            f"f-{item.fill}" if item.fill else "line",
            *([f"s-{item.stroke}"] if item.stroke else []),
            *(["dash"] if item.dashed else []),
        )
    )
    rounded = f' rx="{number(item.radius)}"' if item.radius else ""
    thick = f' stroke-width="{number(item.thickness)}"' if item.stroke else ""
    box = f'x="{number(item.x)}" y="{number(item.y)}" width="{number(item.width)}" height="{number(item.height)}"'
    return f'<rect {box}{rounded} class="{classes}"{thick}/>'


def _text(item: Text) -> str:
    classes = [f"f-{item.color}", *(["bold"] if item.bold else []), *(["mono"] if item.mono else [])]
    if item.halo:
        classes += ["halo", f"s-{item.halo}"]
    anchor = "" if item.anchor == "start" else f' text-anchor="{item.anchor}"'
    place = f'x="{number(item.x)}" y="{number(item.y)}"'
    return f'<text {place} class="{" ".join(classes)}" font-size="{number(item.size)}"{anchor}>{text(item.text)}</text>'


def title(tip: str) -> str:
    """What pointing at an element tells."""
    return f"<title>{text(tip)}</title>" if tip else ""


def text(words: str) -> str:
    """Text for XML and HTML: escaped, and without the control characters that XML cannot hold."""
    return escape("".join(letter if letter >= " " or letter in "\n\t" else "\ufffd" for letter in words))


def number(value: float) -> str:
    """A number as short as a tenth of a pixel allows."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
