"""Painting a scene as PNG, light, by matplotlib. Imported when a picture is painted, and never through pyplot."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from .corners import corners
from .scene import Frame, Group, Line, Rectangle, Scene, Shape, Text, Wire
from .style import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS = 2.0
"""Dots a pixel of the scene, as long as there are no more than
"""
MOST_DOTS = 30_000
"""on a side: few viewers show more."""
POINTS = 0.75
"""Points a pixel: 72 to 96 an inch."""


def as_png(scene: Scene) -> bytes:
    """The scene as the bytes of a PNG file, two dots to a pixel."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"text.usetex": False, "path.simplify": False}):
        figure = Figure(figsize=(scene.width / 96, scene.height / 96), facecolor=_color("page"))
        _paint(figure, scene)
        file = BytesIO()
        dots = min(DOTS, MOST_DOTS / max(scene.width, scene.height))
        figure.savefig(file, format="png", dpi=96 * dots, facecolor=_color("page"), metadata={"Software": None})
    return file.getvalue()


def _paint(figure: "Figure", scene: Scene) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_axis_off()
    for order, item in enumerate(scene.visible):
        match item:
            case Group():
                for shape in item.shapes:
                    _shape(axes, shape, scene.y(item.at), order)
            case Wire():
                points = [(x, scene.y(at)) for x, at in item.points]
                _path(axes, points, item, order)
            case Frame():
                top, bottom = scene.edges[item.node]
                box = Rectangle(
                    x=item.left, y=top, width=item.right - item.left, height=bottom - top,
                    fill=item.fill, stroke=item.stroke, radius=9,
                )  # fmt: skip
                _shape(axes, box, 0.0, order)


def _color(role: str | None) -> str:
    return COLORS[role][0] if role else "none"


def _shape(axes: Any, shape: Shape, y: float, order: int) -> None:
    from matplotlib.patches import FancyBboxPatch, Polygon
    from matplotlib.patheffects import withStroke

    match shape:
        case Rectangle():
            radius = min(shape.radius, shape.width / 2, shape.height / 2)
            style = f"round,pad=0,rounding_size={radius}" if radius else "square,pad=0"
            box = FancyBboxPatch((shape.x, y + shape.y), shape.width, shape.height, boxstyle=style, zorder=order)
            box.set(facecolor=_color(shape.fill), edgecolor=_color(shape.stroke))
            box.set_linewidth(shape.thickness * POINTS if shape.stroke else 0.0)
            axes.add_patch(box)
        case Line():
            points = [(px, py + y) for px, py in shape.points]
            if shape.closed:
                axes.add_patch(Polygon(points, closed=True, facecolor=_color(shape.color), linewidth=0, zorder=order))
            else:
                axes.plot(*zip(*points, strict=True), **_stroke(shape.color, shape.thickness, shape.dashed, order))
        case Text():
            effects = [withStroke(linewidth=3 * POINTS, foreground=_color(shape.halo))] if shape.halo else None
            axes.text(
                shape.x, y + shape.y, shape.text, fontsize=shape.size * POINTS, color=_color(shape.color),
                ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor], va="baseline",
                family="DejaVu Sans Mono" if shape.mono else "DejaVu Sans", weight="bold" if shape.bold else "normal",
                path_effects=effects, zorder=order, parse_math=False,
            )  # fmt: skip


def _path(axes: Any, points: list[tuple[float, float]], wire: Wire, order: int) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    start, bends, end = corners(points)
    places = [start, *(place for bend in bends for place in bend), end]
    codes = [Path.MOVETO, *[Path.LINETO, Path.CURVE3, Path.CURVE3] * len(bends), Path.LINETO]
    look = {"edgecolor": _color(wire.color), "linewidth": wire.thickness * POINTS, "zorder": order}
    axes.add_patch(PathPatch(Path(places, codes), facecolor="none", capstyle="round", **look))


def _stroke(color: str, thickness: float, dashed: bool, order: int) -> dict[str, Any]:
    dashes = {"dashes": (3.0, 2.3)} if dashed else {}
    return {"color": _color(color), "linewidth": thickness * POINTS, "zorder": order, **dashes}
